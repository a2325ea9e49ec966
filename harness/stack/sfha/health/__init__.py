"""Health: whether what runs here also works."""
