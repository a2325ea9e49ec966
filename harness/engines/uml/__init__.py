"""Nodes with a kernel of their own: User-Mode Linux."""
