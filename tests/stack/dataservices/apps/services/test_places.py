"""Of several ways the one that worked last is taken first."""

import pytest

from harness.stack.dataservices.apps.services.places import Nowhere, Places


def test_a_way_that_is_dead_is_tried_once() -> None:
    tried: list[tuple[str, int]] = []
    dead = {"10.0.0.1"}

    def attempt(host: str, port: int) -> str:
        tried.append((host, port))
        if host in dead:
            raise ConnectionError("no")
        return host

    places = Places(["10.0.0.1:80", "[fd00::2]:81", "10.0.0.3:82"])
    assert [places.first_of(attempt, (OSError,)) for _ in range(2)] == ["fd00::2", "fd00::2"]
    assert tried == [("10.0.0.1", 80), ("fd00::2", 81), ("fd00::2", 81)]
    dead.add("fd00::2")
    dead.remove("10.0.0.1")
    assert places.first_of(attempt, (OSError,)) == "10.0.0.1"


def test_where_none_leads_anywhere_the_last_reason_is_said() -> None:
    def attempt(host: str, port: int) -> str:
        raise TimeoutError if host == "b" else ConnectionError("no")

    with pytest.raises(Nowhere, match=r"^b:1: TimeoutError$"):
        Places(["a:1", "b:1"]).first_of(attempt, (OSError,))
    with pytest.raises(Nowhere, match="there is no place to ask"):
        Places([]).first_of(attempt, (OSError,))
