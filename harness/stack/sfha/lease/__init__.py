"""The lease: who may answer for the virtual addresses, and the kernel gate that enforces it (docs/lease.md)."""
