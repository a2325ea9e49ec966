"""The tunnels: a hub at the edge, and every machine of every site a spoke of it (WireGuard)."""
