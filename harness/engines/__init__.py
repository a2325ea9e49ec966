"""Engines run nodes. What differs between them is only how a node lives."""
