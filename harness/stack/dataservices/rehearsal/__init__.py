"""What every failover test has: clients that write meanwhile, and note what they were promised."""
