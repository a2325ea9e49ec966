"""The way from MooseFS Community to Pro, as a plan for a person."""
