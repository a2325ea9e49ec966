"""From a volume to its one device and back: no second device, no second data path, nothing that is not proven."""
