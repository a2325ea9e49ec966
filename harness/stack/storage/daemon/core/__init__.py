"""What decides in the daemon, and touches nothing."""
