"""What daemons tell each other many times a second: encoded, sealed, and sent over the mesh."""
