"""The control socket: how commands on a node speak with its daemon."""
