"""What is said about the mesh, joining, leaving and removing: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {}
