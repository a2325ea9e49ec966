"""sfha, the HA stack that ships with the harness."""
