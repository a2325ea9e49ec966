"""What sfha(8) says besides the help of the commands: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "manual.name": ("NAME", "NOM"),
    "manual.summary": (
        "high availability for virtual addresses and services",
        "haute disponibilité d'adresses virtuelles et de services",
    ),
    "manual.synopsis": ("SYNOPSIS", "SYNOPSIS"),
    "manual.description": ("DESCRIPTION", "DESCRIPTION"),
    "manual.about": (
        "Corosync says who is there and whether there is a quorum, WireGuard carries all traffic between the nodes, "
        "and the sfha daemon elects a leader and has it hold the virtual addresses and services. A holder may answer "
        "only while a majority has lately promised not to help anybody else; its kernel, not its daemon, keeps that "
        "time, so a node that hangs or is cut off falls silent by itself. "
        "Corosync is never restarted while the cluster runs.",
        "Corosync dit qui est là et s'il y a un quorum, WireGuard porte tout le trafic entre les nœuds, et le démon "
        "sfha élit un chef qui porte les adresses virtuelles et les services. Un porteur ne répond que tant qu'une "
        "majorité a récemment promis de n'aider personne d'autre ; c'est son noyau, et non son démon, qui tient ce "
        "temps : un nœud bloqué ou coupé se tait de lui-même. Corosync n'est jamais redémarré quand la grappe tourne.",
    ),
    "manual.commands": ("COMMANDS", "COMMANDES"),
    "manual.signals": ("SIGNALS", "SIGNAUX"),
    "manual.signal.TERM": (
        "The daemon hands its addresses over and stops; Corosync goes on.",
        "Le démon cède ses adresses et s'arrête ; Corosync continue.",
    ),
    "manual.signal.HUP": (
        "The daemon reads config.yml again; what did not change is not touched.",
        "Le démon relit config.yml ; ce qui n'a pas changé n'est pas touché.",
    ),
    "manual.signal.USR1": ("Standby.", "Mise en veille."),
    "manual.signal.USR2": ("Out of standby.", "Sortie de veille."),
    "manual.exit": ("EXIT STATUS", "CODE DE RETOUR"),
    "manual.exit.0": ("Done.", "Fait."),
    "manual.exit.1": (
        "Failed; one line on stderr says why and what to do.",
        "Échec ; une ligne sur stderr dit pourquoi.",
    ),
    "manual.exit.2": ("Wrong usage.", "Mauvais usage."),
    "manual.exit.3": (
        "Done in part, for instance not confirmed by every node.",
        "Fait en partie, par exemple sans la confirmation de tous les nœuds.",
    ),
    "manual.files": ("FILES", "FICHIERS"),
    "manual.file.config": (
        "Cluster, node, VIPs, services, health checks, constraints, fencing. See `sfha config-example`.",
        "Grappe, nœud, VIP, services, contrôles de santé, contraintes, isolement. Voir « sfha config-example ».",
    ),
    "manual.file.mesh": (
        "This node's place in the mesh and its private key (mode 0600). Written by init, join and the mesh commands.",
        "La place de ce nœud dans le maillage et sa clé privée (mode 0600). Écrit par init, join et mesh.",
    ),
    "manual.file.authkey": (
        "Corosync's key, 128 random bytes, the same on every node (mode 0400).",
        "La clé de Corosync, 128 octets aléatoires, la même sur tous les nœuds (mode 0400).",
    ),
    "manual.file.corosync": ("Written by sfha; do not edit.", "Écrit par sfha ; ne pas modifier."),
    "manual.file.log": ("The log, one JSON object a line.", "Le journal, un objet JSON par ligne."),
    "manual.file.run": ("Control socket and process ids.", "Socket de contrôle et numéros de processus."),
    "manual.file.state": ("What the daemon remembers across restarts.", "Ce que le démon retient d'une vie à l'autre."),
    "manual.see": ("SEE ALSO", "VOIR AUSSI"),
}
