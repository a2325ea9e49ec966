"""Moving a volume between storages in two phases: until the commit everything can be undone, after it nothing is."""
