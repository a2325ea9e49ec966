"""What is said about the program that is told of dead nodes: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "help.stonith.notify": (
        "show or choose the program that is told of nodes without power",
        "montrer ou choisir le programme averti des nœuds sans courant",
    ),
    "more.stonith.notify": (
        "On every node that is up, PROGRAM fenced NODE is called once NODE is proven to have no power, and\n"
        "PROGRAM returned NODE once it is a member again. Both may be called again, and have to bear that.\n\n"
        "  sfha stonith notify                              which program it is\n"
        "  sfha stonith notify /usr/local/sbin/dead-node    this one, on this node\n"
        "  sfha stonith notify --none                       none any more",
        "Sur chaque nœud en marche, PROGRAMME fenced NOEUD est appelé dès que NOEUD est prouvé sans courant, et\n"
        "PROGRAMME returned NOEUD quand il est de nouveau membre. L'un et l'autre peuvent être répétés.\n\n"
        "  sfha stonith notify                              quel programme c'est\n"
        "  sfha stonith notify /usr/local/sbin/dead-node    celui-ci, sur ce nœud\n"
        "  sfha stonith notify --none                       plus aucun",
    ),
    "stonith.word.program": ("PROGRAM", "PROGRAMME"),
    "help.notify.program": ("an absolute path; it counts on this node", "un chemin absolu ; vaut sur ce nœud"),
    "help.notify.none": ("tell no program any more", "ne plus avertir de programme"),
    "notify.both": ("give a program or --none, not both", "donner un programme ou --none, pas les deux"),
    "notify.is": ("{program} is told of nodes without power", "{program} est averti des nœuds sans courant"),
    "notify.nobody": (
        "no program is told of nodes without power",
        "aucun programme n'est averti des nœuds sans courant",
    ),
    "notify.reload": ("take it up on this node with: sfha reload", "prise en compte sur ce nœud par : sfha reload"),
    "notify.no-fencing": (
        "{path} has no section stonith: configure fencing first, with sfha stonith setup",
        "{path} n'a pas de section stonith : configurer d'abord l'isolement, par sfha stonith setup",
    ),
    "notify.not-executable": (
        "stonith.notify.program: {program} cannot be executed here, so nothing will be told of dead nodes",
        "stonith.notify.program : {program} n'est pas exécutable ici, rien ne sera averti des nœuds sans courant",
    ),
    "notify.disabled": (
        "stonith.enabled is false, so {program} will be told of nothing",
        "stonith.enabled est à false, {program} ne sera donc averti de rien",
    ),
    "notify.told.running": ("telling the program ({word})", "programme en cours d'avertissement ({word})"),
    "notify.told.done": ("the program was told ({word})", "programme averti ({word})"),
    "notify.told.failed": (
        "the program was told in vain ({word}, {tries} tries): {reason}",
        "programme averti en vain ({word}, {tries} essais) : {reason}",
    ),
    "event.notice-begun": ("telling the program: {word} {target}", "avertissement du programme : {word} {target}"),
    "event.notice-given": (
        "the program was told: {word} {target}; it said: {said}",
        "programme averti : {word} {target} ; réponse : {said}",
    ),
    "event.notice-failed": (
        "the program could not be told: {word} {target}: {error}",
        "programme averti en vain : {word} {target} : {error}",
    ),
}
