"""Another master for MooseFS, of a metalogger that provably has the metadata. Not true HA: clients wait meanwhile."""
