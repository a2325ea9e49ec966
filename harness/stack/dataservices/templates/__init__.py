"""Configuration files of what is installed, with places for what is particular to a server."""
