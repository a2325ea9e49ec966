"""What these tests share."""

import os

import pytest


@pytest.fixture
def as_root() -> None:
    """Skips a test that sets owners where it could not."""
    if os.geteuid() != 0:
        pytest.skip("owners are set by root")
