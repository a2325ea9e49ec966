"""The multi-site platform: `multisite` and its Caddy on one node, backends with a log of their own on the others."""
