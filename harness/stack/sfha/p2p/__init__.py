"""How the daemons talk: signed HTTP on the mesh address alone."""
