"""What is said about VIPs, services, health checks and constraints: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "resources.no-leader": (
        "nobody leads now, so nothing was changed; see `sfha status` for the quorum",
        "personne ne dirige en ce moment, rien n'a été changé ; voir le quorum avec `sfha status`",
    ),
    "resources.leader-not-reached": (
        "the leader {leader} could not be asked ({why}); nothing was changed, here or elsewhere",
        "le meneur {leader} n'a pas pu être interrogé ({why}) ; rien n'a été changé, ni ici ni ailleurs",
    ),
    "resources.leader-lost": (
        "the leader {leader} was asked but did not say what came of it ({why}); see `sfha vip list`",
        "le meneur {leader} a été interrogé mais n'a pas dit le résultat ({why}) ; voyez `sfha vip list`",
    ),
    "resources.leader-refused": ("the leader {leader} refused: {why}", "le meneur {leader} a refusé : {why}"),
    "resources.node-refused": (
        "{node} could not take it up, so nothing was changed: {why}",
        "{node} ne pourrait pas l'appliquer, rien n'a été changé : {why}",
    ),
    "resources.not-leader": (
        "{node} does not lead (any more); try again",
        "{node} ne dirige pas (ou plus) ; réessayez",
    ),
    "resources.exists": (
        "{kind} {name} exists already; remove it first",
        "{kind} {name} existe déjà ; retirez-le d'abord",
    ),
    "resources.vip-in-mesh": (
        "{name}: {address} is inside the mesh's network {network}, whose addresses are given to members; choose an "
        "address of the network that clients are in",
        "{name} : {address} est dans le réseau du maillage {network}, dont les adresses vont aux membres ; choisir une "
        "adresse du réseau des clients",
    ),
    "resources.unknown": (
        "there is no {kind} {name}; there are: {known}",
        "il n'y a pas de {kind} {name} ; il y a : {known}",
    ),
    "resources.wrong": ("it would not be a valid configuration: {why}", "la configuration serait invalide : {why}"),
    "resources.not-saved": ("{path} cannot be written: {why}", "impossible d'écrire {path} : {why}"),
    "resources.refused": ("the running daemon cannot take it up: {why}", "le démon ne peut pas l'appliquer : {why}"),
    "resources.added": ("{kind} {name} added", "{kind} {name} ajouté"),
    "resources.set": ("{kind} {name} set", "{kind} {name} réglé"),
    "resources.no-setting": (
        "there is no setting {name} of a VIP; there are: {known}",
        "il n'y a pas de réglage {name} d'une VIP ; il y a : {known}",
    ),
    "resources.removed": ("{kind} {name} removed", "{kind} {name} retiré"),
    "resources.told": ("{done}/{total} other nodes told", "{done}/{total} autres nœuds informés"),
    "resources.not-told": (
        "{node} was not told ({why}); it catches up by itself when it can be reached",
        "{node} n'a pas été informé ({why}) ; il se mettra à jour quand il sera joignable",
    ),
    "resources.not-active": ("{name} is not active: {why}", "{name} n'est pas actif : {why}"),
    "resources.word.vip": ("VIP", "VIP"),
    "resources.word.service": ("service", "service"),
    "resources.not-in-time": ("not active within {seconds:g} s", "pas actif en {seconds:g} s"),
    "reload.needs-restart": (
        "{key} has changed: `sfha restart` takes it up, Corosync and the tunnel go on meanwhile",
        "{key} a changé : « sfha restart » l'applique, Corosync et le tunnel continuent pendant ce temps",
    ),
    "failover.bad-for": (
        "the time to prefer a node for is 1 to {most} seconds, not {given}",
        "la durée de préférence d'un nœud va de 1 à {most} secondes, pas {given}",
    ),
    "state.up": ("up", "portée"),
    "state.healthy": ("healthy", "sain"),
    "state.unhealthy": ("UNHEALTHY", "MALADE"),
    "state.stopped": ("stopped", "arrêté"),
    "state.starting": ("starting", "démarrage"),
    "state.running": ("running", "en marche"),
    "state.stopping": ("stopping", "arrêt en cours"),
    "state.failed": ("failed", "en panne"),
    "reload.done": ("config.yml taken up", "config.yml pris en compte"),
    "failover.unknown": (
        "there is no node {node}; there are: {known}",
        "il n'y a pas de nœud {node} ; il y a : {known}",
    ),
    "failover.offline": (
        "{node} is not online, so it cannot lead",
        "{node} n'est pas en ligne, il ne peut donc pas diriger",
    ),
    "failover.standby": (
        "{node} is in standby; run `sfha unstandby` on it first",
        "{node} est en veille ; lancez d'abord `sfha unstandby` sur ce nœud",
    ),
    "failover.ailing": (
        "something critical failed on {node} lately; `sfha unstandby` on it says that it is well again",
        "un élément critique a échoué sur {node} ; `sfha unstandby` sur ce nœud dit qu'il est rétabli",
    ),
    "failover.lacking": (
        "{node} cannot offer all addresses; `sfha status` on it says why",
        "{node} ne peut offrir toutes les adresses ; `sfha status` sur ce nœud dit pourquoi",
    ),
    "failover.nobody": ("no other node can lead now", "aucun autre nœud ne peut diriger en ce moment"),
    "failover.done": ("{node} leads", "{node} dirige"),
    "failover.until": (
        "it is preferred for {seconds} s, then the lowest node id leads again",
        "il est préféré pendant {seconds} s, puis le plus petit identifiant dirige à nouveau",
    ),
    "failover.pending": (
        "{node} is preferred, but {leader} still leads (it may be stopping services)",
        "{node} est préféré, mais {leader} dirige encore (il arrête peut-être des services)",
    ),
    "failover.nobody-yet": ("nobody", "personne"),
    "resources.none": ("none", "aucun"),
    "health.nothing": ("no health checks", "aucun contrôle de santé"),
    "constraints.nothing": ("no constraints", "aucune contrainte"),
    "services.nothing": ("no services", "aucun service"),
    "vips.setting": ("a setting is SETTING=VALUE, not {given}", "un réglage est SETTING=VALUE, pas {given}"),
    "vips.nothing": ("no VIPs", "aucune VIP"),
    "services.one-of": (
        "give either --unit UNIT or --command COMMAND",
        "donnez soit --unit UNITÉ, soit --command COMMANDE",
    ),
    "help.failover": ("have another node lead", "faire diriger un autre nœud"),
    "more.failover": (
        (
            "Without --to: the next node that can. Services are stopped in good order first. The choice holds\n"
            "for an hour (--for), or until another one; a node that cannot lead is passed over.\n\n"
            "  sfha failover --to n2\n"
            "  sfha failover --to n2 --for 600"
        ),
        (
            "Sans --to : le prochain nœud capable. Les services sont d'abord arrêtés en bon ordre. Le choix vaut\n"
            "une heure (--for), ou jusqu'au suivant ; un nœud qui ne peut pas diriger est passé.\n\n"
            "  sfha failover --to n2\n"
            "  sfha failover --to n2 --for 600"
        ),
    ),
    "help.failover.to": ("the node that should lead", "le nœud qui doit diriger"),
    "help.failover.for": (
        "seconds for which it is preferred (3600)",
        "secondes pendant lesquelles il est préféré (3600)",
    ),
    "help.reload": ("take up config.yml as it is now", "prendre en compte config.yml tel qu'il est"),
    "more.reload": (
        "On this node. Addresses and services that stay the same notice nothing.\n\n  sfha config-check && sfha reload",
        "Sur ce nœud. Les adresses et services inchangés ne remarquent rien.\n\n  sfha config-check && sfha reload",
    ),
    "help.vip": ("virtual addresses", "adresses virtuelles"),
    "help.vip.list": ("the virtual addresses and who holds them", "les adresses virtuelles et qui les porte"),
    "help.vip.add": ("add a virtual address to the cluster", "ajouter une adresse virtuelle à la grappe"),
    "more.vip.add": (
        (
            "From any node: the leader makes the change, and all nodes are told. Corosync is not touched.\n\n"
            "  sfha vip add web 192.0.2.100/24\n"
            "  sfha vip add web6 2001:db8::100/64 --interface eth1"
        ),
        (
            "Depuis tout nœud : le meneur fait le changement, tous sont informés. Corosync n'est pas touché.\n\n"
            "  sfha vip add web 192.0.2.100/24\n"
            "  sfha vip add web6 2001:db8::100/64 --interface eth1"
        ),
    ),
    "status.head.settings": ("SETTINGS", "RÉGLAGES"),
    "help.vip.set": ("set something of a virtual address", "régler quelque chose d'une adresse virtuelle"),
    "more.vip.set": (
        (
            "On all nodes; the address stays where it is meanwhile. What can be set:\n\n"
            "  announce_every_s  how often neighbours are told where it is, in seconds (5)\n\n"
            "  sfha vip set web announce_every_s=1"
        ),
        (
            "Sur tous les nœuds ; l'adresse reste où elle est pendant ce temps. Ce qui se règle :\n\n"
            "  announce_every_s  tous les combien de secondes les voisins apprennent où elle est (5)\n\n"
            "  sfha vip set web announce_every_s=1"
        ),
    ),
    "help.vip.remove": ("remove a virtual address", "retirer une adresse virtuelle"),
    "more.vip.remove": (
        "By its name or its exact address.\n\n  sfha vip remove web",
        "Par son nom ou son adresse exacte.\n\n  sfha vip remove web",
    ),
    "help.vip.interface": ("the interface it goes to (eth0)", "l'interface qui la porte (eth0)"),
    "help.service": ("services that run where the addresses are", "services lancés là où sont les adresses"),
    "help.service.list": ("the services as they stand on this node", "les services tels qu'ils sont sur ce nœud"),
    "help.service.add": ("add a service to the cluster", "ajouter un service à la grappe"),
    "more.service.add": (
        (
            "A unit of systemd, or a command that the daemon runs and watches.\n\n"
            "  sfha service add web --unit nginx.service --critical --check http=http://127.0.0.1/health\n"
            "  sfha service add worker --command '/usr/bin/worker --one' --exclusive"
        ),
        (
            "Une unité systemd, ou une commande que le démon lance et surveille.\n\n"
            "  sfha service add web --unit nginx.service --critical --check http=http://127.0.0.1/health\n"
            "  sfha service add worker --command '/usr/bin/worker --un' --exclusive"
        ),
    ),
    "help.service.remove": ("stop a service and forget it", "arrêter un service et l'oublier"),
    "help.service.unit": ("the unit of systemd", "l'unité systemd"),
    "help.service.command": ("the command to run", "la commande à lancer"),
    "help.service.critical": (
        "where it fails twice, another node leads",
        "s'il échoue deux fois, un autre nœud dirige",
    ),
    "help.service.exclusive": ("it must never run on two nodes", "il ne doit jamais tourner sur deux nœuds"),
    "help.service.check": (
        "how to see whether it works: tcp=HOST:PORT, http=URL, command=COMMAND, systemd=UNIT",
        "comment voir s'il marche : tcp=HÔTE:PORT, http=URL, command=COMMANDE, systemd=UNITÉ",
    ),
    "help.resources": ("VIPs and services as they stand here", "VIP et services tels qu'ils sont ici"),
    "help.health": ("the health checks and what they say", "les contrôles de santé et leurs résultats"),
    "help.constraints": ("the order and colocation of resources", "l'ordre et la colocalisation des ressources"),
}
