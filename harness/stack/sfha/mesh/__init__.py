"""The tunnel between the nodes: WireGuard, and nothing but WireGuard, carries cluster traffic."""
