"""What is said about fencing: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {}
