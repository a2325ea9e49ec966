"""keepalived, a peer that we did not write."""
