"""Consistency of concurrent operations: from what clients did and saw to a verdict with its proof. Pure."""
