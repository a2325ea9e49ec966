"""Work done in another namespace leaves the process where it was."""

import os
from pathlib import Path

import pytest

from harness.errors import FabricError
from harness.fabric.namespaces import NamespaceThread, call_in
from tests.fabric.conftest import KeptNamespaces


def current() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def test_a_call_happens_inside_and_its_caller_stays_outside(namespaces: KeptNamespaces) -> None:
    outside, namespace = current(), namespaces()
    assert call_in(namespace.path, current) == namespace.path.stat().st_ino
    descriptor = os.open(namespace.path, os.O_RDONLY)
    assert call_in(descriptor, current) == namespace.path.stat().st_ino
    os.close(descriptor)
    assert current() == outside


def test_what_is_raised_inside_comes_out(namespaces: KeptNamespaces) -> None:
    with pytest.raises(ZeroDivisionError):
        call_in(namespaces().path, lambda: 1 // 0)


def test_a_namespace_that_is_gone_or_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="is gone"):
        call_in(tmp_path / "none", current)
    with pytest.raises(FabricError, match="cannot enter network namespace"):
        call_in(Path("/proc/self/ns/uts"), current)
    with pytest.raises(FabricError, match="is gone"):
        NamespaceThread(tmp_path / "none")


def test_a_thread_stays_inside_until_it_is_closed(namespaces: KeptNamespaces) -> None:
    namespace = namespaces()
    thread = NamespaceThread(namespace.path)
    assert {thread.run(current) for _ in range(3)} == {namespace.path.stat().st_ino}
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 // 0)
    thread.close()
    thread.close()
    with pytest.raises(FabricError, match="closed"):
        thread.run(current)
