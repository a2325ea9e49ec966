"""What `--help` teaches. ``help.X`` is the line in lists, ``more.X`` follows the options: explanation and examples."""

TEXTS: dict[str, tuple[str, str]] = {
    "help.sfha": (
        "High availability for virtual addresses and services: one node holds them, and never two.",
        "Haute disponibilité d'adresses virtuelles et de services : un nœud les porte, jamais deux.",
    ),
    "more.sfha": (
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part.\n"
        "Colours: NO_COLOR=1 switches them off. Manual: sfha(8).\n\n"
        "A cluster in three commands:\n"
        "  n1# sfha init --name demo\n"
        "  n1# sfha token\n"
        "  n2# sfha join sfha-join://...",
        "Codes de sortie : 0 fait, 1 échec, 2 mauvais usage, 3 fait en partie.\n"
        "Couleurs : NO_COLOR=1 les supprime. Manuel : sfha(8).\n\n"
        "Une grappe en trois commandes :\n"
        "  n1# sfha init --name demo\n"
        "  n1# sfha token\n"
        "  n2# sfha join sfha-join://...",
    ),
    "help.option.json": ("one JSON document, for programs", "un document JSON, pour les programmes"),
    "help.option.lang": (
        "language: en or fr (default: what LANG says)",
        "langue : en ou fr (par défaut selon LANG)",
    ),
    "help.option.verbose": ("say more", "en dire plus"),
    "help.option.config": ("path of config.yml", "chemin de config.yml"),
    "help.option.mesh": ("path of mesh.json", "chemin de mesh.json"),
    "help.run": ("run the daemon in the foreground", "lancer le démon au premier plan"),
    "more.run": (
        "What the systemd unit runs. Signals: TERM stops and hands over, HUP reloads config.yml,\n"
        "USR1 goes into standby, USR2 out of it.",
        "Ce que lance l'unité systemd. Signaux : TERM arrête et cède la place, HUP relit config.yml,\n"
        "USR1 met en veille, USR2 en sort.",
    ),
    "help.status": (
        "show leader, quorum, members, VIPs, services, health and fencing",
        "montrer chef, quorum, membres, VIP, services, santé et isolement",
    ),
    "more.status": (
        "Asks the local daemon and changes nothing. No key and no token is in the answer.\n\n"
        "  sfha status\n"
        "  sfha status --json | jq '.nodes[] | {name, online, sfhaRunning}'",
        "Interroge le démon local et ne change rien. La réponse ne contient ni clé ni jeton.\n\n"
        "  sfha status\n"
        "  sfha status --json | jq '.nodes[] | {name, online, sfhaRunning}'",
    ),
    "help.standby": ("hold nothing from now on", "ne plus rien porter à partir de maintenant"),
    "more.standby": (
        "The node stays a member and votes. Corosync is not touched.\n\n  sfha standby     before maintenance",
        "Le nœud reste membre et vote. Corosync n'est pas touché.\n\n  sfha standby     avant une maintenance",
    ),
    "help.unstandby": ("be a candidate again", "redevenir candidat"),
    "help.restart": (
        "restart the daemon, and nothing but the daemon",
        "redémarrer le démon, et rien que le démon",
    ),
    "more.restart": (
        "Its addresses are handed over first; Corosync and the mesh go on. The package does this on an upgrade.",
        "Ses adresses sont cédées d'abord ; Corosync et le maillage restent. Le paquet le fait à chaque mise à jour.",
    ),
    "help.config-check": ("check config.yml and mesh.json", "vérifier config.yml et mesh.json"),
    "more.config-check": (
        "Every mistake is named with its line; nothing is changed. Exit code 1 when there is one.\n\n"
        "  sfha config-check\n"
        "  sfha config-check --config draft.yml --no-mesh",
        "Chaque erreur est donnée avec sa ligne ; rien n'est modifié. Code 1 s'il y en a une.\n\n"
        "  sfha config-check\n"
        "  sfha config-check --config brouillon.yml --no-mesh",
    ),
    "help.config-example": ("print a config.yml to start from", "afficher un config.yml de départ"),
    "more.config-example": (
        "Every setting with its default and a comment; it passes `sfha config-check`.\n\n"
        "  sfha config-example > /etc/sfha/config.yml",
        "Chaque réglage avec sa valeur par défaut et un commentaire ; il passe « sfha config-check ».\n\n"
        "  sfha config-example > /etc/sfha/config.yml",
    ),
    "help.logs": ("show what the daemon did", "montrer ce qu'a fait le démon"),
    "more.logs": (
        "Read from journald where it runs, else from /var/log/sfha.log.\n\n"
        "  sfha logs -f                  follow\n"
        "  sfha logs -n 200              the last 200 events\n"
        "  sfha logs --since 10min       also 2h, 3d, today, yesterday, 14:30, '2026-02-25 14:30'\n"
        "  sfha logs -o json | jq .event",
        "Lus dans journald s'il tourne, sinon dans /var/log/sfha.log.\n\n"
        "  sfha logs -f                  suivre\n"
        "  sfha logs -n 200              les 200 derniers événements\n"
        "  sfha logs --since 10min       aussi 2h, 3d, today, yesterday, 14:30, '2026-02-25 14:30'\n"
        "  sfha logs -o json | jq .event",
    ),
    "help.logs.follow": ("go on showing what comes", "continuer avec ce qui arrive"),
    "help.logs.lines": (
        "the last N events (default {number}, without --since)",
        "les N derniers événements ({number} par défaut, sans --since)",
    ),
    "help.logs.since": ("only events since then: 10min, 2h, today, 14:30 ...", "depuis : 10min, 2h, today, 14:30 ..."),
    "help.logs.output": (
        "text with times, cat: words only, json: as written",
        "text avec l'heure, cat : les mots seuls, json : tel quel",
    ),
    "help.logs.file": ("read this file (default journald, else {path})", "lire ce fichier (sinon journald ou {path})"),
    "help.completion": (
        "print the completion script of a shell",
        "afficher le script de complétion d'un shell",
    ),
    "more.completion": (
        "The Debian package installs both. By hand:\n\n"
        "  sfha completion bash > /etc/bash_completion.d/sfha\n"
        "  sfha completion zsh > /usr/local/share/zsh/site-functions/_sfha",
        "Le paquet Debian installe les deux. À la main :\n\n"
        "  sfha completion bash > /etc/bash_completion.d/sfha\n"
        "  sfha completion zsh > /usr/local/share/zsh/site-functions/_sfha",
    ),
    "help.completion.shell": ("which shell", "quel shell"),
    "help.mesh": ("the WireGuard mesh between the nodes", "le maillage WireGuard entre les nœuds"),
    "help.mesh.up.wait": (
        "wait that many seconds for a handshake with a peer",
        "attendre ce nombre de secondes une poignée de main avec un pair",
    ),
    "help.mesh.status": (
        "show the tunnel: peers, handshakes, traffic",
        "montrer le tunnel : pairs, poignées de main, trafic",
    ),
    "more.mesh.status": (
        "Private keys are never shown. A handshake older than three minutes means that the peer is not reached:\n"
        "check that its UDP port is open both ways.\n\n  sfha mesh status",
        "Les clés privées ne sont jamais montrées. Une poignée de main de plus de trois minutes signifie que le pair\n"
        "n'est pas joint : vérifier que son port UDP est ouvert dans les deux sens.\n\n  sfha mesh status",
    ),
    "help.version": ("show the version and exit", "afficher la version et quitter"),
    "help.config-check.no-mesh": ("check config.yml alone", "ne vérifier que config.yml"),
    # founding, joining, leaving, removing
    "help.init": ("found a cluster, with this node as its first", "fonder une grappe, avec ce nœud comme premier"),
    "more.init": (
        "Makes the keys, brings WireGuard up, starts Corosync and the daemon. An existing config.yml is kept.\n\n"
        "  sfha init --name demo\n  sfha init --name demo --mesh 10.90.0.0/24 --endpoint 192.0.2.10:51820\n"
        "  sfha init --name demo --stonith command --program /usr/local/sbin/power --node n1 --node n2 --node n3",
        "Crée les clés, active WireGuard, lance Corosync et le démon. Un config.yml présent est gardé.\n\n"
        "  sfha init --name demo\n  sfha init --name demo --mesh 10.90.0.0/24 --endpoint 192.0.2.10:51820\n"
        "  sfha init --name demo --stonith command --program /usr/local/sbin/power --node n1 --node n2 --node n3",
    ),
    "help.init.name": ("the cluster's name", "le nom de la grappe"),
    "help.init.node-name": (
        "this node's name in the cluster, kept in config.yml (the host name)",
        "nom de ce nœud dans la grappe, gardé dans config.yml (le nom d'hôte)",
    ),
    "help.init.mesh": ("network of the mesh (10.90.0.0/24)", "réseau du maillage (10.90.0.0/24)"),
    "help.init.ip": ("this node's address in the mesh", "adresse de ce nœud dans le maillage"),
    "help.init.port": ("UDP port of WireGuard (51820)", "port UDP de WireGuard (51820)"),
    "help.init.endpoint": (
        "where others reach this node's WireGuard (found out by itself)",
        "où les autres joignent le WireGuard de ce nœud (trouvé tout seul)",
    ),
    "help.token": ("print a join token for one node", "afficher un jeton d'adhésion pour un nœud"),
    "more.token": (
        "A token is good for one node, and for an hour. Treat it as a password until then.\n\n"
        "  sfha token\n  sfha token --ttl 10min --ip 10.90.0.7",
        "Un jeton sert à un nœud, pendant une heure. Le traiter comme un mot de passe jusque-là.\n\n"
        "  sfha token\n  sfha token --ttl 10min --ip 10.90.0.7",
    ),
    "help.token.ip": ("the address it gives (the next free one)", "l'adresse qu'il donne (la prochaine libre)"),
    "help.token.ttl": ("how long it is good: 90s, 10min, 1h, 2d (1h)", "sa durée : 90s, 10min, 1h, 2d (1h)"),
    "help.join": ("join the cluster that a token is of", "rejoindre la grappe d'un jeton"),
    "more.join": (
        "Run as root on the new node. An interrupted join is taken up by the same command.\n"
        "@FILE reads the token from a file. Where registering over the tunnel is not possible, --reply prints a reply\n"
        "token, to be given to `sfha mesh add-peer` on the node that made the token.\n\n"
        "  sfha join sfha-join://...\n  sfha join @token.txt --endpoint 192.0.2.12:51820",
        "À lancer en root sur le nouveau nœud. Une adhésion interrompue reprend avec la même commande.\n"
        "@FICHIER lit le jeton dans un fichier. Si l'inscription par le tunnel est "
        "impossible, --reply affiche un jeton\n"
        "de réponse, à donner à « sfha mesh add-peer » sur le nœud qui a fait le jeton.\n\n"
        "  sfha join sfha-join://...\n  sfha join @jeton.txt --endpoint 192.0.2.12:51820",
    ),
    "help.join.token": ("the token, or @FILE", "le jeton, ou @FICHIER"),
    "help.join.reply": ("register by hand, with a reply token", "s'inscrire à la main, par un jeton de réponse"),
    "help.leave": ("take this node out of the cluster", "retirer ce nœud de la grappe"),
    "more.leave": (
        "Hands everything over, tells the others, stops Corosync and the daemon, deletes the keys.\n"
        "config.yml is kept as config.yml.left.\n\n  sfha leave\n  sfha leave --force    "
        " although the others cannot agree",
        "Cède tout, prévient les autres, arrête Corosync et le démon, supprime les clés.\n"
        "config.yml est gardé sous config.yml.left.\n\n  sfha leave\n  sfha leave "
        "--force     même sans l'accord des autres",
    ),
    "help.leave.force": ("even where the others cannot agree", "même si les autres ne peuvent s'accorder"),
    "help.propagate": (
        "give all nodes this node's configuration",
        "donner à tous les nœuds la configuration de celui-ci",
    ),
    "more.propagate": (
        "All sections of config.yml but `node`, and the list of nodes. Corosync is "
        "started where it is stopped, and reads\n"
        "its file again where it runs; it is never restarted. Exit code 3 when some node was not reached.\n\n"
        "  sfha propagate --timeout 5",
        "Toutes les sections de config.yml sauf « node », et la liste des nœuds. Corosync est lancé où il est arrêté,\n"
        "relit son fichier où il tourne ; il n'est jamais relancé. Code 3 si un nœud n'a pas été atteint.\n\n"
        "  sfha propagate --timeout 5",
    ),
    "help.propagate.timeout": ("seconds for each node (10)", "secondes par nœud (10)"),
    "help.node": ("the nodes of the cluster", "les nœuds de la grappe"),
    "help.node.remove": ("take another node out of the cluster", "retirer un autre nœud de la grappe"),
    "more.node.remove": (
        "From any node. The target has to be offline or in standby; the others must have quorum without it.\n"
        "Run it again when it was interrupted: it goes on where it was.\n\n"
        "  sfha node remove n3 --dry-run\n  sfha node remove n3",
        "Depuis n'importe quel nœud. La cible doit être hors ligne ou en veille ; les "
        "autres doivent garder le quorum.\n"
        "Relancer après une interruption : l'opération reprend où elle en était.\n\n"
        "  sfha node remove n3 --dry-run\n  sfha node remove n3",
    ),
    "help.node.remove.host": ("name of the node", "nom du nœud"),
    "help.node.remove.force": ("although it is online", "bien qu'il soit en ligne"),
    "help.node.remove.dry-run": ("say what would be done, and do nothing", "dire ce qui serait fait, sans rien faire"),
    "help.mesh.up": ("bring the tunnel up as mesh.json says", "activer le tunnel selon mesh.json"),
    "help.mesh.down": ("take the tunnel down", "arrêter le tunnel"),
    "help.mesh.add-peer": ("register a node from its reply token", "inscrire un nœud par son jeton de réponse"),
    "help.mesh.add-peer.reply": ("what `sfha join --reply` printed", "ce qu'a affiché « sfha join --reply »"),
    "help.mesh.remove-peer": ("take a leftover key out of the tunnel", "retirer du tunnel une clé oubliée"),
    "help.mesh.remove-peer.name": ("the peer's public key", "la clé publique du pair"),
}
