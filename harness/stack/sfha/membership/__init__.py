"""Who is a member and whether the members are quorate: Corosync's answer, never our own."""
