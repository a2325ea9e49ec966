"""Carrying plans out: over SSH, with a log a module, so that being killed anywhere costs nothing but time."""
