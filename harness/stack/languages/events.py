"""What is said about logged events: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {}
