"""Constraints: what has to be up before, and along with, what."""
