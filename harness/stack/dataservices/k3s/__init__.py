"""K3s of three masters and any number of workers, with an ingress on every node; and the failover that proves it."""
