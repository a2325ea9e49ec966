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
    "control.unknown": (
        "this daemon does not know the command {command!r}; it may be of an older version: restart it",
        "ce démon ne connaît pas la commande {command!r} ; il est peut-être d'une version antérieure : le redémarrer",
    ),
    "control.refused": ("the daemon refused: {why}", "le démon a refusé : {why}"),
    "control.not-json": (
        "what answers on {path} does not speak this version's language; restart the daemon",
        "ce qui répond sur {path} ne parle pas la langue de cette version ; redémarrer le démon",
    ),
    "standby.done": (
        "this node is in standby: it stays a member and holds nothing",
        "ce nœud est en veille : il reste membre et ne porte rien",
    ),
    "unstandby.done": ("this node is a candidate again", "ce nœud est de nouveau candidat"),
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
