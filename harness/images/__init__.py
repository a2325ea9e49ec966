"""The disks that nodes start from: built once, cached by content, never written to."""

from harness.images.store import ensure_image, image_called

__all__ = ["ensure_image", "image_called"]
