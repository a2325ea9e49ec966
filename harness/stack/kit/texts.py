"""What is said by the kit itself: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "config.at": ("{file}:{line}: {key}: {why}", "{file}:{line}: {key} : {why}"),
    "config.word.file": ("the file", "le fichier"),
    "config.not-mapping": (
        "{file}:{line}: {what} must be a mapping (key: value)",
        "{file}:{line}: {what} doit être un dictionnaire (clé: valeur)",
    ),
    "config.odd-name": (
        "{file}:{line}: a name must be a simple word",
        "{file}:{line}: un nom doit être un mot simple",
    ),
    "config.twice": ("{file}:{line}: {key} is given twice", "{file}:{line}: {key} est donné deux fois"),
    "config.must-be": ("must be {what}, not {given}", "doit être {what}, pas {given}"),
    "config.a-text": ("a text", "un texte"),
    "config.a-flag": ("true or false", "true ou false"),
    "config.a-number": ("a whole number from {lowest} to {highest}", "un nombre entier de {lowest} à {highest}"),
    "config.missing": ("is missing", "manque"),
    "config.not-list": ("must be a list", "doit être une liste"),
    "config.unknown": ("unknown name; allowed here: {allowed}", "nom inconnu ; permis ici : {allowed}"),
    "config.unreadable": ("{file}: cannot be read: {reason}", "{file} : illisible : {reason}"),
    "config.not-yaml": ("{file}:{line}: not valid YAML: {problem}", "{file}:{line}: YAML incorrect : {problem}"),
    "config.too-deep": ("{file}: is nested too deeply", "{file} : imbrication trop profonde"),
    "config.empty": ("{file}:1: the file is empty", "{file}:1 : le fichier est vide"),
}
