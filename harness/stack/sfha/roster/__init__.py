"""The roster: who belongs to the cluster. Changed one step at a time, by agreement of a majority."""
