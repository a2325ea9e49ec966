"""What tests of several packages share."""

import os
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says how busy the machine is, and nothing about what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
pytest.register_assert_rewrite("tests.contracts.engine", "tests.contracts.fault")


@pytest.fixture(scope="session")
def node_image() -> Path:
    """The root file system nodes are made of: $HARNESS_TEST_IMAGE, else the harness's own image (built once)."""
    if chosen := os.environ.get("HARNESS_TEST_IMAGE"):
        return Path(chosen)
    from harness.images.store import ensure_image

    return ensure_image()
