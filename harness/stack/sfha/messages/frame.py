"""What the command line itself says."""

TEXTS: dict[str, tuple[str, str]] = {
    "word.command": ("COMMAND", "COMMANDE"),
    "word.commands": ("commands", "commandes"),
    "word.yes": ("yes", "oui"),
    "word.no": ("no", "non"),
    "word.none": ("none", "aucun"),
    "usage.hint": ("See `{command} --help`.", "Voir « {command} --help »."),
    "control.hangs": (
        "the daemon does not answer on {path} within {seconds:g} s; look at `sfha logs`, then restart it",
        "le démon ne répond pas sur {path} en {seconds:g} s ; voir « sfha logs », puis le redémarrer",
    ),
    "control.absent": (
        "no daemon answers on {path} ({reason}); start it with `systemctl start sfha` or `sfha run`",
        "aucun démon ne répond sur {path} ({reason}) ; le lancer par « systemctl start sfha » ou « sfha run »",
    ),
    "control.no-request": (
        "that is no request: one line of JSON is wanted, with a command",
        "ce n'est pas une requête : il faut une ligne de JSON avec une commande",
    ),
    "control.failed": (
        "the daemon failed to do {command}: {why}; `sfha logs` tells more",
        "le démon n'a pas pu faire {command} : {why} ; voir « sfha logs »",
    ),
    "control.starting": (
        "the daemon is still starting; try again in a moment",
        "le démon est encore en train de démarrer ; réessayer dans un instant",
    ),
    "control.unknown": (
        "this daemon does not know the command {command!r}; it may be of an older version: restart it",
        "ce démon ne connaît pas la commande {command!r} ; il est peut-être d'une version antérieure : le redémarrer",
    ),
    "control.refused": ("the daemon refused: {why}", "le démon a refusé : {why}"),
    "control.not-json": (
        "what answers on {path} does not speak this version's language; restart the daemon",
        "ce qui répond sur {path} ne parle pas la langue de cette version ; redémarrer le démon",
    ),
    "mesh.title": (
        "Mesh {interface} (WireGuard: {by}), address {address}, UDP port {port}",
        "Maillage {interface} (WireGuard : {by}), adresse {address}, port UDP {port}",
    ),
    "mesh.head.name": ("PEER", "PAIR"),
    "mesh.head.address": ("ADDRESS", "ADRESSE"),
    "mesh.head.endpoint": ("ENDPOINT", "EXTRÉMITÉ"),
    "mesh.head.handshake": ("LAST HANDSHAKE", "DERNIÈRE POIGNÉE DE MAIN"),
    "mesh.head.traffic": ("RECEIVED / SENT", "REÇU / ENVOYÉ"),
    "mesh.never": ("never", "jamais"),
    "mesh.ago": ("{seconds} s ago", "il y a {seconds} s"),
    "mesh.unknown-peer": ("(not in mesh.json)", "(absent de mesh.json)"),
    "mesh.missing-peer": (
        "{name} is in mesh.json but not in the tunnel; `sfha mesh up` puts it there",
        "{name} est dans mesh.json mais pas dans le tunnel ; « sfha mesh up » l'y met",
    ),
    "mesh.no-wg": (
        "wg cannot be run ({reason}); apt install wireguard-tools",
        "wg ne peut pas être lancé ({reason}) ; apt install wireguard-tools",
    ),
    "mesh.lies-down": (
        "{interface} is there but down (or its address {address} is missing); `sfha mesh up` brings it up",
        "{interface} est là mais inactive (ou sans son adresse {address}) ; « sfha mesh up » l'active",
    ),
    "mesh.addressless": (
        "{interface} is up without its address {address}; `sfha mesh up` gives it back",
        "{interface} est active sans son adresse {address} ; « sfha mesh up » la lui rend",
    ),
    "mesh.nobody-reached": (
        "no peer was reached within {seconds:g} s; check that UDP is open both ways, and `sfha mesh status`",
        "aucun pair joint en {seconds:g} s ; vérifier que UDP passe dans les deux sens, et « sfha mesh status »",
    ),
    "mesh.is-down": (
        "{interface} is not there ({reason}); `sfha mesh up` brings it up, as root",
        "{interface} n'est pas là ({reason}) ; « sfha mesh up » l'active, en root",
    ),
    "standby.done": (
        "this node is in standby: it stays a member and holds nothing",
        "ce nœud est en veille : il reste membre et ne porte rien",
    ),
    "restart.done": ("the daemon has been restarted", "le démon a été redémarré"),
    "restart.failed": (
        "the daemon has ended and could not start again: {said}",
        "le démon s'est arrêté et n'a pu redémarrer : {said}",
    ),
    "restart.late": (
        "the daemon did not answer again within {seconds:g} s{said}; see `sfha logs`",
        "le démon n'a pas répondu de nouveau en {seconds:g} s{said} ; voir « sfha logs »",
    ),
    "restart.unit": ("systemd could not restart the unit: {why}", "systemd n'a pas pu relancer l'unité : {why}"),
    "unstandby.done": ("this node is a candidate again", "ce nœud est de nouveau candidat"),
    "status.title": ("Cluster {cluster}, seen from {node}", "Grappe {cluster}, vue de {node}"),
    "status.title.nodes": ("Nodes", "Nœuds"),
    "status.title.vips": ("Virtual addresses", "Adresses virtuelles"),
    "status.title.services": ("Services", "Services"),
    "status.title.health": ("Health checks", "Contrôles de santé"),
    "status.title.constraints": ("Constraints", "Contraintes"),
    "status.title.stonith": ("Fencing", "Isolement (STONITH)"),
    "status.title.peers": ("Mesh peers", "Pairs du maillage"),
    "status.quorum": ("{online} of {total} nodes online", "{online} nœuds sur {total} en ligne"),
    "status.this-node": ("this node", "ce nœud"),
    "status.standby": ("in standby", "en veille"),
    "status.ready": ("ready", "prêt"),
    "status.waiting": ("not ready yet", "pas encore prêt"),
    "status.word.quorum": ("quorum", "quorum"),
    "status.word.leader": ("leader", "chef"),
    "status.word.node": ("this node", "ce nœud"),
    "status.word.lease": ("lease", "bail"),
    "status.lease.out": ("none", "aucun"),
    "status.lease.arming": ("asking for it", "demandé"),
    "status.lease.asking": ("asking for it", "demandé"),
    "status.lease.holding": ("held by this node", "tenu par ce nœud"),
    "status.head.name": ("NAME", "NOM"),
    "status.head.id": ("ID", "ID"),
    "status.head.corosync": ("COROSYNC", "COROSYNC"),
    "status.head.sfha": ("SFHA", "SFHA"),
    "status.head.role": ("ROLE", "RÔLE"),
    "status.head.address": ("ADDRESS", "ADRESSE"),
    "status.head.interface": ("INTERFACE", "INTERFACE"),
    "status.head.state": ("STATE", "ÉTAT"),
    "status.online": ("online", "en ligne"),
    "status.offline": ("offline", "hors ligne"),
    "status.running": ("running", "en marche"),
    "status.dead": ("not running", "arrêté"),
    "status.role.leader": ("leader", "chef"),
    "status.role.standby": ("standby", "veille"),
    "status.vip.here": ("held here", "portée ici"),
    "status.vip.leader": ("with the leader, {name}", "chez le chef, {name}"),
    "status.vip.nowhere": ("not held", "non portée"),
    "status.vip.lacks": ("{state}; not offered by this node: {why}", "{state} ; non offerte par ce nœud : {why}"),
    "link.missing": ("there is no interface {interface}", "il n'y a pas d'interface {interface}"),
    "link.down": ("interface {interface} is down", "l'interface {interface} est désactivée"),
    "link.no-carrier": (
        "interface {interface} has no link (cable, switch or peer)",
        "l'interface {interface} n'a pas de lien (câble, commutateur ou pair)",
    ),
    "link.own": (
        "{address} was given to this node by something other than sfha",
        "{address} a été donnée à ce nœud par autre chose que sfha",
    ),
    "link.no-way": (
        "the node has lost its default route by {interface}, so nobody beyond that network gets an answer",
        "le nœud a perdu sa route par défaut par {interface} : au-delà de ce réseau, personne n'a de réponse",
    ),
    "link.gate": ("it cannot be guarded: {reason}", "elle ne peut être gardée : {reason}"),
    "link.refused": ("{reason}", "{reason}"),
    "link.rests": (
        "{why}, until a moment ago; offered again in {seconds} s",
        "{why}, il y a peu ; offerte à nouveau dans {seconds} s",
    ),
    "status.role.lacks": ("lacks {count}", "manque {count}"),
    "status.warn.lacks": (
        "{name} cannot offer {count} of the addresses; `sfha status` on it says why",
        "{name} ne peut offrir {count} des adresses ; « sfha status » sur ce nœud dit pourquoi",
    ),
    "status.warn.log": (
        "the log cannot be written: {reason}; the daemon writes to its console instead",
        "le journal ne peut être écrit : {reason} ; le démon écrit sur sa console",
    ),
    "status.warn.daemon-dead": (
        "{name}: Corosync lives there, but the sfha daemon does not; on {name}: `systemctl start sfha`",
        "{name} : Corosync y vit, mais pas le démon sfha ; sur {name} : « systemctl start sfha »",
    ),
    "status.warn.no-quorum": (
        "no quorum: this side holds no address; bring nodes back, or remove for good those that are lost "
        "(`sfha node remove`) while there is quorum",
        "pas de quorum : ce côté ne porte aucune adresse ; ramener des nœuds, ou retirer ceux qui sont perdus "
        "(« sfha node remove ») tant qu'il y a quorum",
    ),
    "status.warn.broken": (
        "{name} is false: a guarantee is broken on purpose",
        "{name} vaut false : une garantie est rompue exprès",
    ),
    "status.warn.unsealed": (
        "{name} is to be upgraded: until then its datagrams are believed without proof, and anybody can forge them",
        "{name} est à mettre à jour : d'ici là ses datagrammes sont crus sans preuve, et chacun peut les falsifier",
    ),
    "status.warn.unpaired": (
        "{name} is to be upgraded: until then nodes that were removed could have its users ask the others in its name",
        "{name} est à mettre à jour : d'ici là des nœuds retirés pourraient faire demander les autres en son nom par "
        "ses utilisateurs",
    ),
    "status.warn.egress": (
        "this kernel (before Linux 5.16) cannot guard what leaves: a node that was frozen may send one stale packet",
        "ce noyau (antérieur à Linux 5.16) ne peut garder ce qui sort : un nœud gelé peut envoyer un paquet périmé",
    ),
    "status.corosync-silent": ("Corosync does not answer here either", "Corosync ne répond pas non plus ici"),
    "status.corosync-alone": (
        "Corosync lives here all the same: quorate {quorate}, members {members}; the others see this node as online",
        "Corosync vit pourtant ici : quorum {quorate}, membres {members} ; les autres voient ce nœud en ligne",
    ),
    "logs.negative": ("--lines must be 0 or more", "--lines doit être 0 ou plus"),
    "logs.since": (
        "--since does not understand {given!r}; try 10min, 2h, 3d, today, 14:30 or '2026-02-25 14:30'",
        "--since ne comprend pas {given!r} ; essayer 10min, 2h, 3d, today, 14:30 ou '2026-02-25 14:30'",
    ),
    "logs.unreadable": (
        "{path} cannot be read ({reason}); run this as root on a node where the daemon has run",
        "{path} est illisible ({reason}) ; lancer ceci en root sur un nœud où le démon a tourné",
    ),
    "check.done": (
        "the configuration is good: node {node} of cluster {cluster}, {vips} VIPs",
        "la configuration est bonne : nœud {node} de la grappe {cluster}, {vips} VIP",
    ),
    "check.mesh": ("mesh address {address}, peers: {peers}", "adresse de maillage {address}, pairs : {peers}"),
    # argparse's own words, under those words
    "argparse.usage: ": ("usage: ", "utilisation : "),
    "argparse.options": ("options", "options"),
    "argparse.positional arguments": ("arguments", "arguments"),
    "argparse.show this help message and exit": ("show this help and exit", "afficher cette aide et quitter"),
    "argparse.the following arguments are required: %s": (
        "the following arguments are required: %s",
        "ces arguments manquent : %s",
    ),
    "argparse.unrecognized arguments: %s": ("unrecognized arguments: %s", "arguments inconnus : %s"),
    "argparse.expected one argument": ("expected one argument", "une valeur est attendue"),
    "argparse.expected at least one argument": ("expected at least one argument", "au moins une valeur est attendue"),
    "argparse.invalid choice: %(value)r (choose from %(choices)s)": (
        "invalid choice: %(value)r (choose from %(choices)s)",
        "choix inconnu : %(value)r (possibles : %(choices)s)",
    ),
    "argparse.invalid %(type)s value: %(value)r": (
        "invalid %(type)s value: %(value)r",
        "valeur %(type)s incorrecte : %(value)r",
    ),
    "argparse.argument %(argument_name)s: %(message)s": (
        "argument %(argument_name)s: %(message)s",
        "argument %(argument_name)s : %(message)s",
    ),
    "argparse.not allowed with argument %s": ("not allowed with argument %s", "incompatible avec l'argument %s"),
    "argparse.one of the arguments %s is required": (
        "one of the arguments %s is required",
        "l'un de ces arguments est nécessaire : %s",
    ),
    "argparse.ambiguous option: %(option)s could match %(matches)s": (
        "ambiguous option: %(option)s could match %(matches)s",
        "option ambiguë : %(option)s pourrait être %(matches)s",
    ),
    "argparse.%(heading)s:": ("%(heading)s:", "%(heading)s :"),
}
