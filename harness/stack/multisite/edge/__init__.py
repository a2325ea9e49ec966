"""The edge: Caddy, told what to do over its admin API, and kept to it."""
