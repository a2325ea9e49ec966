"""The daemon's log: written line by line as JSON, and read again for people, from journald where there is."""
