"""How a volume is reached is chosen once; what is down today does not choose for it."""

from pathlib import Path

import pytest

from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.mapping.routes import FILE, Routes, chosen

ORDER = ("mfsbdev", "nbd-client")
NONE = {"mfsbdev": "not installed", "nbd-client": "no NBD", "userspace": None}
ALL = dict.fromkeys(NONE)


@pytest.mark.promise("S5-57")
def test_the_first_that_can_be_used_else_the_file() -> None:
    assert chosen(None, None, ALL, ORDER) == "mfsbdev"
    assert chosen(None, None, {**ALL, "mfsbdev": "down"}, ORDER) == "nbd-client"
    assert chosen(None, None, NONE, ORDER) == FILE, "the one for hosts without NBD is never taken by itself"


def test_what_was_chosen_stays() -> None:
    assert chosen(None, "nbd-client", ALL, ORDER) == "nbd-client"
    assert chosen(None, FILE, ALL, ORDER) == FILE
    with pytest.raises(PortFailed, match=r"reached by mfsbdev, .*not installed.*--driver NAME"):
        chosen(None, "mfsbdev", NONE, ORDER)


def test_who_asks_gets_it_or_is_told_why_not() -> None:
    assert chosen("userspace", "mfsbdev", NONE, ORDER) == "userspace"
    assert chosen(FILE, "mfsbdev", NONE, ORDER) == FILE
    with pytest.raises(PortFailed, match="nbd-client cannot be used: no NBD"):
        chosen("nbd-client", None, NONE, ORDER)


def test_it_is_remembered_on_the_disk(tmp_path: Path) -> None:
    routes = Routes(tmp_path)
    assert routes.remembered("/mnt/a") is None
    routes.remember("/mnt/a", "nbd-client")
    assert Routes(tmp_path).remembered("/mnt/a") == "nbd-client"
    next(tmp_path.iterdir()).write_text("{")
    with pytest.raises(PortFailed):
        routes.remembered("/mnt/a")
