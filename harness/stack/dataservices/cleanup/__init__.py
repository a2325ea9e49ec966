"""Making servers as they were before anything was installed, and nothing more than that."""
