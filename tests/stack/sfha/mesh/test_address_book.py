"""Names of endpoints: looked up in time, remembered, and of no harm to anybody when they are away."""

import threading
from pathlib import Path

import pytest

from harness.stack.sfha.mesh.address_book import EndpointBook, is_address, look_up, with_addresses
from harness.stack.sfha.mesh.core import TunnelPeer

SOON_S = 0.05
LATE_S = 10.0
NAME = "n2.ha.test:51820"
FOUND = "192.0.2.2:51820"


class Resolver:
    """Answers when it is let, with what it was given."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> str:
        self.asked.append(host)
        assert self.may_answer.wait(LATE_S)
        if host not in self.answers:
            raise OSError("no such name")
        return f"{self.answers[host]}:{port}"


def test_what_was_found_is_remembered_by_the_next_life(tmp_path: Path) -> None:
    path, resolver = tmp_path / "endpoints.json", Resolver(**{"n2.ha.test": "192.0.2.2"})
    book = EndpointBook(path, resolver)
    assert book.known(NAME) == ""
    book.refresh([NAME, FOUND, ""])
    assert book.known(NAME) == FOUND
    assert resolver.asked == ["n2.ha.test"]
    away = EndpointBook(path, Resolver())
    away.refresh([NAME])
    assert away.known(NAME) == FOUND


def test_a_name_that_moves_is_followed(tmp_path: Path) -> None:
    resolver = Resolver(**{"n2.ha.test": "192.0.2.2"})
    book = EndpointBook(tmp_path / "endpoints.json", resolver)
    book.refresh([NAME])
    resolver.answers["n2.ha.test"] = "192.0.2.22"
    book.refresh([NAME])
    assert book.known(NAME) == "192.0.2.22:51820"


def test_a_resolver_that_hangs_costs_the_deadline_and_answers_later(tmp_path: Path) -> None:
    resolver = Resolver(**{"n2.ha.test": "192.0.2.2"})
    resolver.may_answer.clear()
    book = EndpointBook(tmp_path / "endpoints.json", resolver)
    book.refresh([NAME], SOON_S)
    book.refresh([NAME], SOON_S)
    assert book.known(NAME) == ""
    assert resolver.asked == ["n2.ha.test"], "one look-up of a name at a time"
    resolver.may_answer.set()
    book.refresh([NAME], LATE_S)
    assert book.known(NAME) == FOUND


def test_one_name_that_cannot_be_found_costs_no_other(tmp_path: Path) -> None:
    book = EndpointBook(tmp_path / "endpoints.json", Resolver(**{"n2.ha.test": "192.0.2.2"}))
    book.refresh([NAME, "n3.ha.test:51820"])
    peers = [TunnelPeer("b=", NAME, "10.90.0.2"), TunnelPeer("c=", "n3.ha.test:51820", "10.90.0.3")]
    assert [peer.endpoint for peer in with_addresses(peers, book)] == [FOUND, ""]


def test_addresses_are_never_looked_up(tmp_path: Path) -> None:
    resolver = Resolver()
    book = EndpointBook(tmp_path / "endpoints.json", resolver)
    book.refresh(["192.0.2.2:51820", "[fd00::1]:51820", ""])
    assert resolver.asked == []
    assert book.known("[fd00::1]:51820") == "[fd00::1]:51820"
    assert book.known("") == ""


def test_what_a_person_gave_lasts_until_the_roster_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    EndpointBook(path).give("n2", FOUND)
    EndpointBook(path).give("n3", "192.0.2.3:51820")
    book = EndpointBook(path)
    assert book.given() == {"n2": FOUND, "n3": "192.0.2.3:51820"}
    book.settle({"n1": "192.0.2.1:51820", "n2": FOUND, "n3": "10.0.0.3:51820"})
    assert book.given() == {"n3": "192.0.2.3:51820"}
    book.settle({"n1": "192.0.2.1:51820"})  # n3 is no member any more
    assert EndpointBook(path).given() == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"found": 3, "given": {"n2": 1}}'])
def test_a_spoilt_memory_is_no_memory(tmp_path: Path, text: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(text)
    book = EndpointBook(path, Resolver())
    assert (book.known(NAME), book.given()) == ("", {})


def test_why_a_name_is_unknown_is_in_the_resolvers_words(tmp_path: Path) -> None:
    resolver = Resolver()
    resolver.may_answer.clear()
    book = EndpointBook(tmp_path / "endpoints.json", resolver)
    book.refresh([NAME], SOON_S)
    assert book.why_not(NAME) == "Connection timed out"
    resolver.may_answer.set()
    book.refresh([NAME], LATE_S)
    assert book.why_not(NAME) == "no such name"
    resolver.answers["n2.ha.test"] = "192.0.2.2"
    book.refresh([NAME], LATE_S)
    assert book.why_not(NAME) == ""


def test_addresses_are_told_from_names() -> None:
    assert [is_address(one) for one in (FOUND, "[fe80::1%eth0]:7", NAME, "x", "n2:port")] == [True, True, *[False] * 3]
    assert look_up("127.0.0.1", 7) == "127.0.0.1:7"
