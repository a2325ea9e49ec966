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
}
