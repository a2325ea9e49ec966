"""What the program may do by itself, by the level that its owner gave it."""
