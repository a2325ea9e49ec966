"""The configuration of the edge, made from the inventory."""
