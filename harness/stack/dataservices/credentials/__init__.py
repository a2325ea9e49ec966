"""Passwords and cookies: made once, kept where they are needed, and nowhere else."""
