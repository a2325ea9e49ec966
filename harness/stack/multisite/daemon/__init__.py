"""`multisite serve`: everything together in one process."""
