"""Seeing a run from outside: addresses and gates of nodes, the wire, clients, membership, written data."""
