"""What is said about fencing: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "stonith.config.no-nodes": (
        "is missing: fencing is enabled, but no node can be fenced",
        "manque : l'isolation est activée, mais aucun nœud ne peut être isolé",
    ),
    "stonith.config.other-provider": (
        "belongs to another provider than {provider}: remove it",
        "concerne un autre fournisseur que {provider} : la retirer",
    ),
    "stonith.config.token-id": ('must be "user@realm!name"', "doit être « utilisateur@domaine!nom »"),
    "stonith.config.two-secrets": ("is given twice: here and as {other}", "est donné deux fois : ici et par {other}"),
    "stonith.config.unreadable": ("{file} cannot be read: {reason}", "{file} est illisible : {reason}"),
    "stonith.config.braces": (
        "use single braces: {{node}}, {{action}}, {{vmid}}, {{type}}",
        "mettre des accolades simples : {{node}}, {{action}}, {{vmid}}, {{type}}",
    ),
    "stonith.config.one-line": ("must be a single line", "doit tenir sur une ligne"),
    "stonith.config.absolute": ("must be an absolute path, not {given!r}", "doit être un chemin absolu, pas {given!r}"),
    "stonith.config.url": (
        "must begin with http:// or https:// and a host",
        "doit commencer par http:// ou https:// et un hôte",
    ),
    "stonith.config.url-secret": (
        "must not hold a password; use a header or a token",
        "ne doit pas contenir de mot de passe ; utiliser un en-tête ou un jeton",
    ),
    "help.stonith": ("fencing: taking the power of lost nodes", "isolement : couper le courant des nœuds perdus"),
    "help.stonith.status": ("show what fencing is about", "montrer où en est l'isolement"),
    "more.stonith.status": (
        "Says for every node whether it is to be fenced, and why it must not be, and what exclusive\n"
        "services wait for.\n\n  sfha stonith status --json | jq .waits_for",
        "Dit pour chaque nœud s'il doit être isolé, ce qui l'interdit, et ce qu'attendent les services\n"
        "exclusifs.\n\n  sfha stonith status --json | jq .waits_for",
    ),
    "help.stonith.fence": ("take the power of a node", "couper le courant d'un nœud"),
    "more.stonith.fence": (
        "Waits until the node is off for certain. Needs quorum, and respects the limits of stonith.safety.\n\n"
        "  sfha stonith fence n3\n"
        "  sfha stonith fence n3 --force      the limits do not matter now (quorum does)\n"
        "  sfha stonith fence n3 --by-hand    you have pulled its plug yourself, and are certain",
        "Attend que le nœud soit éteint avec certitude. Exige le quorum et respecte les limites de stonith.safety.\n\n"
        "  sfha stonith fence n3\n"
        "  sfha stonith fence n3 --force      sans les limites (le quorum reste exigé)\n"
        "  sfha stonith fence n3 --by-hand    vous l'avez débranché vous-même, avec certitude",
    ),
    "help.stonith.force": ("override grace, minimum delay and storm limit", "passer outre les délais et limites"),
    "help.stonith.by-hand": (
        "nothing is switched: you certify that the node has no power",
        "rien n'est coupé : vous certifiez que le nœud est sans courant",
    ),
    "help.stonith.unfence": ("give a node its power again", "rendre le courant à un nœud"),
    "more.stonith.unfence": (
        "Earlier fencings of the node do not count as a loop any more.\n\n  sfha stonith unfence n3",
        "Les isolements passés du nœud ne comptent plus comme une boucle.\n\n  sfha stonith unfence n3",
    ),
    "help.stonith.history": ("show the last fencings", "montrer les derniers isolements"),
    "more.stonith.history": (
        "Up to 100, of all nodes.\n\n  sfha stonith history",
        "Jusqu'à 100, de tous les nœuds.\n\n  sfha stonith history",
    ),
    "help.stonith.setup": (
        "configure fencing, and try every switch",
        "configurer l'isolement et essayer chaque coupure",
    ),
    "more.stonith.setup": (
        "Without options it asks the configured provider for the power of every node; nothing is switched.\n\n"
        "  sfha stonith setup\n"
        "  sfha stonith setup --provider proxmox --url https://pve:8006 --token-id sfha@pve!fence \\\n"
        "      --token-secret-file /etc/sfha/pve.token --node n1=lxc:101 --node n2=lxc:102 --node n3=qemu:103",
        "Sans option, demande au fournisseur l'état de chaque nœud ; rien n'est coupé.\n\n"
        "  sfha stonith setup\n"
        "  sfha stonith setup --provider proxmox --url https://pve:8006 --token-id sfha@pve!fence \\\n"
        "      --token-secret-file /etc/sfha/pve.token --node n1=lxc:101 --node n2=lxc:102 --node n3=qemu:103",
    ),
    "help.stonith.provider": (
        "write a section stonith with this provider",
        "écrire une section stonith avec ce fournisseur",
    ),
    "help.stonith.url": ("where the provider is", "adresse du fournisseur"),
    "help.stonith.token-id": ("Proxmox API token, as user@realm!name", "jeton d'API Proxmox : utilisateur@domaine!nom"),
    "help.stonith.token-file": ("file that holds the token's secret", "fichier qui contient le secret du jeton"),
    "help.stonith.program": ("program of the provider command", "programme du fournisseur command"),
    "help.stonith.node": (
        "a node and its guest; may be given several times",
        "un nœud et son invité ; peut être répété",
    ),
    "stonith.word.node": ("NODE", "NOEUD"),
    "stonith.off": (
        "fencing is off: there is no stonith.enabled: true in config.yml",
        "l'isolement est inactif : pas de stonith.enabled: true dans config.yml",
    ),
    "stonith.unknown": ("there is no node {node}; nodes: {known}", "aucun nœud {node} ; nœuds : {known}"),
    "stonith.still-member": (
        "Corosync hears {node}: it has power",
        "Corosync entend {node} : il est sous tension",
    ),
    "stonith.refused.own": ("{node} is this node", "{node} est ce nœud-ci"),
    "stonith.refused.not-configured": (
        "{node} is not in stonith.nodes",
        "{node} n'est pas dans stonith.nodes",
    ),
    "stonith.refused.disabled": ("fencing is off", "l'isolement est inactif"),
    "stonith.refused.busy": ("another fencing is under way", "un autre isolement est en cours"),
    "stonith.refused.no-quorum": (
        "there is no quorum here; {node} must not be fenced",
        "pas de quorum ici ; {node} ne doit pas être isolé",
    ),
    "stonith.refused.startup-grace": (
        "the daemon has just started (startup_grace_period)",
        "le démon vient de démarrer (startup_grace_period)",
    ),
    "stonith.refused.min-delay": (
        "{node} was fenced a moment ago (min_delay_between_fence)",
        "{node} vient d'être isolé (min_delay_between_fence)",
    ),
    "stonith.refused.storm": (
        "too many fencings within 5 minutes (max_fences_per_5min)",
        "trop d'isolements en 5 minutes (max_fences_per_5min)",
    ),
    "stonith.refused.loop": (
        "{node} was fenced again and again and never stayed; look at it, then: sfha stonith unfence {node}",
        "{node} a été isolé plusieurs fois sans jamais rester ; l'examiner, puis : sfha stonith unfence {node}",
    ),
    "stonith.says.provider": ("fencing by {provider}", "isolement par {provider}"),
    "stonith.says.grace": ("nothing is fenced for {seconds} s more", "rien n'est isolé pendant encore {seconds} s"),
    "stonith.says.waits": (
        "exclusive services wait: {node} may still run them until it is fenced or releases them",
        "les services exclusifs attendent : {node} les exécute peut-être, jusqu'à son isolement ou sa libération",
    ),
    "stonith.says.permitted": ("exclusive services may run here", "les services exclusifs peuvent tourner ici"),
    "stonith.state.running": ("is being fenced", "isolement en cours"),
    "stonith.state.off": ("off", "éteint"),
    "stonith.state.refused": ("lost, but not fenced: {why}", "perdu, mais pas isolé : {why}"),
    "stonith.state.due": ("lost, will be fenced in {seconds} s", "perdu, sera isolé dans {seconds} s"),
    "stonith.state.quiet": ("can be fenced", "peut être isolé"),
    "stonith.state.unconfigured": ("not in stonith.nodes", "absent de stonith.nodes"),
    "stonith.begun": ("taking the power of {node}", "coupure du courant de {node}"),
    "stonith.fenced": ("{node} is off", "{node} est éteint"),
    "stonith.failed": ("{node} could not be fenced: {reason}", "{node} n'a pas pu être isolé : {reason}"),
    "stonith.endless": (
        "{node} is not off after {seconds:g} s; see sfha stonith history",
        "{node} n'est pas éteint après {seconds:g} s ; voir sfha stonith history",
    ),
    "stonith.certified": ("noted: {node} has no power", "noté : {node} est sans courant"),
    "stonith.unfenced": ("{node} has power again", "{node} est à nouveau sous tension"),
    "stonith.failed-on": ("{node} got no power: {reason}", "{node} n'a pas reçu de courant : {reason}"),
    "stonith.no-history": ("nothing was ever fenced", "aucun isolement à ce jour"),
    "stonith.by": ("by {node}", "par {node}"),
    "stonith.how.automatic": ("automatic", "automatique"),
    "stonith.how.asked": ("asked for", "demandé"),
    "stonith.ended.running": ("under way", "en cours"),
    "stonith.ended.true": ("off", "éteint"),
    "stonith.ended.false": ("FAILED", "ÉCHEC"),
    "stonith.power.on": ("on", "sous tension"),
    "stonith.power.off": ("off", "éteint"),
    "stonith.no-answer": ("{node}: {reason}", "{node} : {reason}"),
    "stonith.answers": ("every switch answers ({count})", "chaque coupure répond ({count})"),
    "stonith.enable": (
        "fencing is not enabled yet: set stonith.enabled: true, then sfha restart",
        "l'isolement n'est pas activé : mettre stonith.enabled: true, puis sfha restart",
    ),
    "stonith.restart": ("take it up on this node with: sfha restart", "prise en compte sur ce nœud par : sfha restart"),
    "stonith.setup-needs": ("this provider needs {options}", "ce fournisseur exige {options}"),
    "stonith.have-section": (
        "{path} has a section stonith already: change it there",
        "{path} a déjà une section stonith : la modifier là",
    ),
    "stonith.written": ("section stonith written to {path}", "section stonith écrite dans {path}"),
    "stonith.not-written": ("{path} cannot be written: {reason}", "{path} ne peut pas être écrit : {reason}"),
}
