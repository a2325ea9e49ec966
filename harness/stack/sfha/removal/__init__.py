"""Removing a node: the order of the steps, what may stop it, and how an interrupted removal goes on."""
