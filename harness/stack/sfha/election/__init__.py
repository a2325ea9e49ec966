"""Who leads: the lowest node id that is a member, alive, ready and not in standby."""
