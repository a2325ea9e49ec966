"""Virtual addresses: held under a lease that the kernel enforces (docs/lease.md)."""
