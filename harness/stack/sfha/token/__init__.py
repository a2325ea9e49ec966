"""Join tokens: what a new node needs to know to knock."""
