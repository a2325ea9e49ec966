"""Snapshots of volumes that nobody has to think of: by a schedule, and before something is mended by itself."""
