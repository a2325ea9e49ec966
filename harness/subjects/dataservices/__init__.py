"""Data services: `keyservices` on every node, and SSH from the first to the others."""
