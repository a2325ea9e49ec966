"""Redis, a store that acknowledges before it replicates."""
