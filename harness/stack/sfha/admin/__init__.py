"""What is done to the cluster as a whole: found it, join it, change who belongs to it, leave it."""
