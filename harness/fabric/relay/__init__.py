"""The relay: packets that take a detour through a process of ours, which does to them what a link would.

Standard modules only, below the fabric: the keeper starts it, and it is quick to start.
"""
