"""Rooms for the kernel's part."""

import os
from collections.abc import Iterator

import pytest

from tests.stack.sfha.kernel.kernel_rooms import Room, two_rooms


@pytest.fixture
def rooms() -> Iterator[tuple[Room, Room]]:
    """A node and a client, each in a network namespace of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    node, client = two_rooms()
    yield node, client
    node.close()
    client.close()
