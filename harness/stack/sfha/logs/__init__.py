"""The daemon's log, read again for people: from journald where there is, else from the JSON lines of the log file."""
