"""What is said about fencing: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {
    "stonith.config.no-nodes": (
        "is missing: fencing is enabled, but no node can be fenced",
        "manque : l'isolation est activée, mais aucun nœud ne peut être isolé",
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
}
