"""What all nodes share (VIPs, services, checks): changed by the leader, told to the others."""
