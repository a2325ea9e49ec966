"""`mfs-autonomy`, a command a module."""
