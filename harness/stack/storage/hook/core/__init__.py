"""What a look after a migration means, and what is to be done. Pure."""
