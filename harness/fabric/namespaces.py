"""Doing something inside another network namespace.

A thread, not the process, enters the namespace: sockets opened there stay in it for
life and may then be used from anywhere, while the rest of the process never leaves.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from harness.errors import FabricError

CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")

_libc = ctypes.CDLL(None, use_errno=True)


def call_in(namespace: Path | int, function: Callable[[], Result]) -> Result:
    """Run ``function`` in a network namespace (a path such as /proc/PID/ns/net, or an open descriptor).

    Raises FabricError when the namespace cannot be entered; what ``function`` raises passes through.
    """
    return in_thread("in-namespace", lambda: enter(namespace), function)


def in_thread(name: str, go: Callable[[], object], function: Callable[[], Result]) -> Result:
    """Run ``function`` in a new thread once that has gone elsewhere by ``go``; what either raises passes through."""
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            go()
            outcome.append(function())
        except BaseException as error:  # carried over to the calling thread below
            failure.append(error)

    thread = threading.Thread(target=run, name=name)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def enter(namespace: Path | int) -> None:
    """Move the calling thread, for good, into a network namespace (FabricError when that is impossible)."""
    try:
        descriptor = namespace if isinstance(namespace, int) else os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FabricError(f"network namespace {namespace} is gone: {error.strerror}") from error
    try:
        if _libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise FabricError(f"cannot enter network namespace {namespace}: {os.strerror(ctypes.get_errno())}")
    finally:
        if not isinstance(namespace, int):
            os.close(descriptor)


class NamespaceThread:
    """One thread that lives in a namespace and does there, in order, what it is asked to.

    For libraries whose handles belong to one thread, or that reopen their sockets by themselves:
    in any other thread the new socket would be one of another namespace.
    """

    def __init__(self, namespace: Path | int) -> None:
        """Raises FabricError when the namespace cannot be entered."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fabric")
        try:
            self.run(lambda: enter(namespace))
        except BaseException:
            self._executor.shutdown()
            raise

    def run(self, function: Callable[[], Result]) -> Result:
        """Call ``function`` in the thread and wait for it; what it raises passes through."""
        try:
            future = self._executor.submit(function)
        except RuntimeError as error:
            raise FabricError("the fabric is closed") from error
        return future.result()

    def close(self) -> None:
        """End the thread, which leaves the namespace. May be called again."""
        self._executor.shutdown()
