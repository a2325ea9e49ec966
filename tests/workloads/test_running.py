"""A load whose client fails by itself: that is told, and is not what became of the store."""

import itertools

import pytest

from harness.errors import HarnessError
from harness.events import Completed, Event, Json
from harness.wait import until
from harness.workloads.client import Client
from harness.workloads.generators import Request
from harness.workloads.load import Load, Route
from harness.workloads.running import RunningLoad

ROUTE = Route(address="192.0.2.1", port=1, node="n1")
LOAD = Load(model="ledger", key="k", store="shelf", routes=(ROUTE,), rate_per_s=1000, timeout_s=1)


class Shelf:
    """Answers as it is told to; sends first, as a client does that has something at stake."""

    def __init__(self, answer: Json | Exception) -> None:
        self.answer = answer
        self.at_stake = False

    async def open(self) -> None:
        """Nothing to do."""

    async def invoke(self, _request: Request) -> Json:
        self.at_stake = True
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Nothing to do."""


def load_with(answer: Json | Exception, events: list[Event]) -> RunningLoad:
    def connect(_route: Route) -> Client:
        return Shelf(answer)

    return RunningLoad(LOAD, connect, events.append, itertools.count(1), itertools.count(1))


@pytest.mark.parametrize(
    ("answer", "outcome", "mistake"),
    [
        (None, "ok", ""),
        (ConnectionError("reset"), "unknown", ""),
        (AttributeError("no reader"), "unknown", "the client of shelf failed at write: AttributeError: no reader ("),
    ],
)
async def test_what_a_client_did_wrong_is_told_from_what_the_store_did(
    answer: Json | Exception, outcome: str, mistake: str
) -> None:
    events: list[Event] = []
    load = load_with(answer, events)
    load.begin()
    await until(lambda: any(isinstance(one, Completed) for one in events), within_s=10, what="an operation ended")
    await load.pause()
    assert {one.outcome for one in events if isinstance(one, Completed)} == {outcome}
    assert load.mistake.startswith(mistake)
    assert bool(load.mistake) == bool(mistake)


async def test_a_read_back_is_a_list_or_the_client_is_named() -> None:
    assert await load_with([1, "2"], []).read_member(ROUTE, 1.0) == (1, 2)
    with pytest.raises(HarnessError, match="the client of shelf failed at read: TypeError: gave None, not a list"):
        await load_with(None, []).read_member(ROUTE, 1.0)
