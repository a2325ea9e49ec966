"""What is said about VIPs, services, health checks and constraints: key -> (English, French)."""

TEXTS: dict[str, tuple[str, str]] = {}
