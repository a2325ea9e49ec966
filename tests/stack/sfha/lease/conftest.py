"""Rooms for the gate, in each form that it has: by interface, and by bridge."""

import os
from collections.abc import Iterator

import pytest

from harness.stack.sfha.lease import gate_form
from harness.stack.sfha.lease.gate_form import BRIDGE, NETDEV, Form
from tests.stack.sfha.kernel.kernel_rooms import Room, two_rooms


@pytest.fixture(params=[NETDEV, BRIDGE], ids=["netdev", "bridge"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Form:
    """The one form that the kernel offers."""
    chosen: Form = request.param
    monkeypatch.setattr(gate_form, "FORMS", (chosen,))
    return chosen


@pytest.fixture
def rooms(form: Form) -> Iterator[tuple[Room, Room]]:
    """A node and a client; the node's eth0 is of a kind that can be guarded."""
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    node, client = two_rooms(on_bridge=not form.by_device)
    yield node, client
    node.close()
    client.close()
