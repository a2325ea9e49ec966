"""What has to be so on which server, in which order: as data, and as what a server's shell does for it."""
