"""A file for whoever helps: what this host knows of itself, without secrets and without the content of volumes."""
