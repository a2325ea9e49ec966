"""Common incidents: how each is known, what helps, how often it may be tried, and what proves that it helped."""
