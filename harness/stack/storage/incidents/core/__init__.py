"""What decides about incidents, and touches nothing."""
