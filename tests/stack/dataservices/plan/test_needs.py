"""What a module stands on is looked for before anything is changed."""

import pytest

from harness.stack.dataservices.plan.core import Plan, Undecided, told
from harness.stack.dataservices.plan.needs import present
from harness.stack.dataservices.programs.core import NotShownHere
from tests.stack.dataservices.installer.test_install import ShellHere, carry_out
from tests.stack.dataservices.servers import small

SERVERS = small().servers[1:3]


def test_who_has_it_not_is_named_and_so_is_how_one_gets_it() -> None:
    stage = present("k3s", "true", SERVERS, "put it there")
    assert stage.decide is not None
    assert stage.decide({"redis-01": ("there",), "redis-02": ("there",)}).stages == ()
    with pytest.raises(NotShownHere, match=r"^there is no k3s on redis-02: put it there$"):
        stage.decide({"redis-01": ("there",), "redis-02": ("absent",)})


def test_no_answer_is_not_the_same_as_not_there() -> None:
    stage = present("k3s", "true", SERVERS, "put it there")
    assert stage.decide is not None
    with pytest.raises(Undecided, match=r"^redis-02: no answer"):
        stage.decide({"redis-01": ("absent",), "redis-02": None})


def test_a_shell_is_asked() -> None:
    here, nowhere = (present("it", test, SERVERS, "how") for test in ("test -e /etc/passwd", "test -e /nowhere"))
    tally, said, _ = carry_out(Plan("test", (here,)), ShellHere())
    assert (tally.changed, said[1]) == (0, "  it is there")
    with pytest.raises(NotShownHere, match="redis-01, redis-02"):
        carry_out(Plan("test", (nowhere,)), ShellHere())


def test_people_are_told_what_is_needed_before_anything_else() -> None:
    plan = Plan("test", (), needs=(present("k3s", "true", SERVERS, "how"),))
    assert [*told(plan)] == ["test: not begun without k3s on redis-01, redis-02"]
