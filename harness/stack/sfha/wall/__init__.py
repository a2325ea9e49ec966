"""The wall around the mesh: the packet filter lets in only what comes through the tunnel."""
