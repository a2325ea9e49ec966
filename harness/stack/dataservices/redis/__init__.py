"""Redis with Sentinel, behind HAProxy that an authenticated watcher points at the master (module 4)."""
