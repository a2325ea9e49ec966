"""What is said about the configuration files: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {}
