"""Histories that others recorded: read line by line into operations. Errors name file and line."""
