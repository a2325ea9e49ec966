"""Programs that the distribution does not have: which they are, and where the installer finds them."""
