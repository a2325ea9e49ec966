"""Whose a corosync.conf is, and what may be done beside another Corosync."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.sfha.membership.core import HEADER, RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.ownership import Described, Survey, describe, objection

NODES = [RingNode(n, f"n{n}", f"10.90.0.{n}", 1) for n in (1, 2, 3)]
TEXT = render_corosync_conf("demo", NODES, Totem("knet", 300, 360), "/var/log/corosync/corosync.log")
FILE = Path("/etc/corosync/corosync.conf")
EXAMPLE = Described("debian", ("node1",), ours=False, example=True)
OURS = Described("demo", ("n1",), ours=True, example=False)
THEIRS = Described("prod", ("a",), ours=False, example=False)
NOTHING = Survey(FILE, None, foreign_key=False)


def running(described: Described | None, *, file: Path | None = FILE, live: tuple[str, int] | None = None) -> Survey:
    return Survey(FILE, described, False, 7, file, described, live)


def test_ours_is_known_with_its_mark_and_as_earlier_versions_wrote_it() -> None:
    assert describe(TEXT) == Described("demo", ("n1", "n2", "n3"), ours=True, example=False)
    assert describe(TEXT.removeprefix(HEADER)).ours
    assert not describe(TEXT.removeprefix(HEADER).replace("token_coefficient: 0", "token_coefficient: 650")).ours
    assert not describe("# by hand\n" + TEXT.removeprefix(HEADER)).ours


def test_what_cannot_be_understood_is_somebodys() -> None:
    for text in ("", "}}}}", "{", "totem {", "nodelist {\nnode {\n", "\x00\xff"):
        assert describe(text).foreign


@pytest.mark.parametrize(
    "found",
    [
        NOTHING,
        replace(NOTHING, described=EXAMPLE),
        replace(NOTHING, described=OURS),
        replace(NOTHING, described=describe(TEXT)),
        running(EXAMPLE),
        running(EXAMPLE, live=("debian", 1)),
        running(OURS),
    ],
)
def test_nothing_of_others_is_in_the_way(found: Survey) -> None:
    assert objection(found) is None


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (replace(NOTHING, described=THEIRS), "init.foreign-file"),
        (replace(NOTHING, foreign_key=True), "init.foreign-key"),
        (running(THEIRS), "init.other-corosync"),
        (running(None), "init.other-corosync"),
        (running(None, file=None), "init.other-corosync"),
        (running(EXAMPLE, file=Path("/etc/corosync/theirs.conf")), "init.other-corosync"),
        (running(EXAMPLE, live=("prod", 3)), "init.other-corosync"),
        (running(EXAMPLE, live=("debian", 2)), "init.other-corosync"),
        (running(describe(TEXT)), "init.other-corosync"),
    ],
)
def test_what_is_of_others_is_named(found: Survey, key: str) -> None:
    why = objection(found)
    assert why is not None
    assert why.key == key


def test_the_running_one_is_asked_who_it_is() -> None:
    """Its file may have been put in place after it was started."""
    assert "prod with 3 nodes" in str(objection(running(EXAMPLE, live=("prod", 3))))
