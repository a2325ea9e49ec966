"""What tests of several packages share."""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says how busy the machine is, and nothing about what is tested. Where a change is let in or
# not, the same code gets the same examples ($HARNESS_SAME_EXAMPLES); everywhere else they are new ones each time.
hypothesis.settings.register_profile(
    "patient", deadline=None, derandomize=bool(os.environ.get("HARNESS_SAME_EXAMPLES"))
)
hypothesis.settings.load_profile("patient")
pytest.register_assert_rewrite(
    "tests.cli.clusters", "tests.contracts.engine", "tests.contracts.fault", "tests.contracts.nodes"
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long runs only where it is asked for: ``pytest -m thorough``."""
    if "thorough" in str(config.getoption("markexpr")):
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="run with -m thorough"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test that is marked as alone while no other worker's test runs, its fixtures included."""
    alone = item.get_closest_marker("alone") is not None
    here = Path(__file__)
    # Who waits to be alone stands in the door, or the others would never all be out at once.
    with _locked(here, fcntl.LOCK_EX) as door, _locked(here.parent, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


@contextmanager
def _locked(path: Path, how: int) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # not by closing it: a child that forked would go on holding it
        os.close(descriptor)


@pytest.fixture(scope="session")
def node_image() -> Path:
    """The root file system nodes are made of: $HARNESS_TEST_IMAGE, else the harness's own image (built once)."""
    if chosen := os.environ.get("HARNESS_TEST_IMAGE"):
        return Path(chosen)
    from harness.images.store import ensure_image

    return ensure_image()
