"""Reports of hosts, which of two counts, who is silent, and what that means for a map. Pure."""
