"""n8n in queue mode, in K3s; and the failover that proves it."""
