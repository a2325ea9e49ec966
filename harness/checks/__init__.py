"""Checks: each reads a history, and nothing else, and gives a verdict with its evidence."""
