"""``harness ...``: the command line."""
