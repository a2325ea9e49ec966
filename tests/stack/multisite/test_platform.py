"""The whole path with real processes: what a visitor sees while things break."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.stack.multisite.places import backend, end, eventually, free_ports, postgresql
from tests.stack.multisite.platform import DOMAIN, Platform, platform

GETS_PER_S, POSTS_PER_S = 60, 15
NOTICED_S = 0.2
"""A connection that was kept is found to be dead within this time, on a busy machine."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all: each test says anew what there is, and leaves it as well as it was."""
    with platform(tmp_path_factory.mktemp("platform")) as one:
        yield one


@dataclass(frozen=True)
class Failed:
    """A visit that was not told 200."""

    which: str
    begun_s: float
    told: str


@dataclass
class Visits:
    """What visitors were told."""

    failed: list[Failed] = field(default_factory=list)
    served: int = 0

    async def visit(self, client: httpx.AsyncClient, method: str, number: int) -> None:
        begun_s = time.monotonic()
        try:
            answer = await client.request(method, "/", headers={"Host": DOMAIN, "X-Request": f"{number}"})
            told = str(answer.status_code)
        except httpx.HTTPError as error:
            told = type(error).__name__
        if told == "200":
            self.served += 1
        else:
            self.failed.append(Failed(f"{method} {number}", begun_s, told))


async def load(port: int, for_s: float) -> Visits:
    """Visitors who come whether others are served or not (an open loop)."""
    visits, number, begun_s = Visits(), 0, time.monotonic()
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=15, limits=limits, verify=False) as client,
        asyncio.TaskGroup() as group,
    ):
        while (passed_s := time.monotonic() - begun_s) < for_s:
            while number < passed_s * (GETS_PER_S + POSTS_PER_S):
                number += 1
                method = "POST" if number % ((GETS_PER_S + POSTS_PER_S) // POSTS_PER_S) == 0 else "GET"
                group.create_task(visits.visit(client, method, number))
            await asyncio.sleep(0.005)
    return visits


def noted(folder: Path, what: str) -> Counter[str]:
    """Requests that backends began, or were done with, by their own notes."""
    found: Counter[str] = Counter()
    for file in folder.glob("*.served"):
        lines = (line.split(" ", 1) for line in file.read_text().splitlines())
        found.update(which for word, which in lines if word == what)
    return found


def met(whole: Platform) -> str:
    """Who answers a visitor. While a configuration changes, a new connection may be refused (docs/multisite.md)."""
    try:
        return whole.get().text
    except httpx.TransportError:
        return ""


async def test_a_backend_that_is_killed_costs_what_it_was_doing_at_most(tmp_path: Path) -> None:
    """Health is looked at seldom here: until the verdict, the edge alone must find its way around the dead."""
    ports = free_ports(3)
    with platform(tmp_path, "health: {interval_ms: 3000, timeout_ms: 1000}") as whole, ExitStack() as stack:
        backends = [stack.enter_context(backend(tmp_path, f"b{port}", port)) for port in ports]
        whole.declare(*({"port": port} for port in ports))
        running = asyncio.create_task(load(whole.public, 4.0))
        await asyncio.sleep(1.5)
        backends[0].kill()
        backends[0].wait()
        gone_s = time.monotonic()
        visits = await running
    began, done = noted(tmp_path, "began"), noted(tmp_path, "done")
    in_flight = [which for which in began if began[which] > done[which]]
    lost = [one.which for one in visits.failed]
    assert visits.served > 3 * GETS_PER_S
    assert sum(which.startswith("GET") for which in lost) <= sum(which.startswith("GET") for which in in_flight)
    # What was on its way may be lost, and nothing else; what was done is not said to have failed.
    assert [one for one in visits.failed if one.begun_s > gone_s + NOTICED_S] == []
    assert [which for which in lost if which.startswith("POST") and done[which]] == []
    assert [which for which, times in began.items() if which.startswith("POST") and times > 1] == []
    assert sum(which.startswith("POST") for which in began) > POSTS_PER_S  # else nothing was shown


def test_nobody_left_is_said_at_once_and_forgotten_at_once(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(2)
    with ExitStack() as stack:
        backends = [stack.enter_context(backend(tmp_path, f"b{port}", port)) for port in ports]
        whole.declare(*({"port": port} for port in ports))
        assert {whole.get().text for _ in range(8)} == {f"b{port}" for port in ports}
        for one in backends:
            one.kill()
        assert eventually(lambda: whole.summary()["services_without_backends"] == ["api"])
        quickest_s = 9.0
        for _ in range(5):
            begun_s = time.monotonic()
            answer = whole.get()
            quickest_s = min(quickest_s, time.monotonic() - begun_s)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert quickest_s < 0.3  # retries alone would take 0.4 s
        loads = whole.summary()["edge"]["loads"]
        with backend(tmp_path, "again", ports[0]):
            assert eventually(lambda: whole.get().text == "again")
        assert whole.summary()["edge"]["loads"] == loads  # health is no matter of the configuration


def test_priority_drain_and_weights_reach_the_edge_without_a_reload(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(3)
    first, second, last = (f"b{port}" for port in ports)
    with ExitStack() as stack:
        one = stack.enter_context(backend(tmp_path, first, ports[0]))
        for port in ports[1:]:
            stack.enter_context(backend(tmp_path, f"b{port}", port))
        whole.declare(
            {"port": ports[0], "priority": 1, "weight": 3},
            {"port": ports[1], "priority": 1, "weight": 1},
            {"port": ports[2], "priority": 2},
        )
        assert eventually(lambda: whole.states()[f"127.0.0.1:{ports[2]}"] == "up")
        assert eventually(lambda: Counter(whole.get().text for _ in range(8)) == {first: 6, second: 2})
        id_ = whole.api("GET", "/backends").json()["items"][0]["id"]
        loads = whole.summary()["edge"]["loads"]
        assert whole.api("PATCH", f"/backends/{id_}", json={"draining": True}).status_code == 200
        assert eventually(lambda: {whole.get().text for _ in range(6)} == {second})
        assert whole.summary()["edge"]["loads"] == loads
        assert whole.api("PATCH", f"/backends/{id_}", json={"draining": False}).status_code == 200
        assert eventually(lambda: first in {whole.get().text for _ in range(4)})
        id_ = whole.api("GET", "/backends").json()["items"][1]["id"]
        assert whole.api("DELETE", f"/backends/{id_}").status_code == 204
        one.kill()
        assert eventually(lambda: {whole.get().text for _ in range(4)} == {last})


def test_an_edge_that_was_changed_or_starts_with_an_old_file_is_put_right(whole: Platform, tmp_path: Path) -> None:
    ports, file = free_ports(2), whole.folder / "state" / "edge.json"
    with backend(tmp_path, "one", ports[0]), backend(tmp_path, "other", ports[1]):
        whole.declare({"port": ports[0]})
        old = file.read_text()
        whole.declare({"port": ports[1]})
        assert whole.get().text == "other"
        wanted = whole.in_force()
        repairs = whole.summary()["edge"]["repairs"]
        whole.spoil("apps/http/servers/public/routes", [])
        begun_s = time.monotonic()
        assert eventually(lambda: whole.in_force() == wanted)
        took_s = time.monotonic() - begun_s
        assert took_s < 5.0, "a second on a machine that has one to spare"
        assert eventually(lambda: whole.summary()["edge"]["repairs"] == repairs + 1)
        whole.edge.kill()
        whole.edge.wait()
        assert eventually(lambda: not whole.summary()["edge"]["reachable"])
        file.write_text(old)
        whole.start_edge()
        assert eventually(lambda: whole.in_force() == wanted)
        assert whole.get().text == "other"
        assert eventually(lambda: file.read_text() != old)


def test_a_version_is_put_back_in_one_call(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(2)
    with backend(tmp_path, "one", ports[0]), backend(tmp_path, "other", ports[1]):
        whole.declare({"port": ports[0]})
        before = whole.api("GET", "/config/versions").json()[0]
        assert before["applied_at"]
        whole.declare({"port": ports[1]})
        assert whole.get().text == "other"
        assert whole.api("POST", f"/config/versions/{before['id']}/hold").json()["held"] is True
        assert eventually(lambda: met(whole) == "one")
        assert whole.summary()["edge"]["held"] is True
        assert whole.api("POST", "/config/release").status_code == 204
        assert eventually(lambda: met(whole) == "other")


def test_the_edge_goes_on_by_the_last_verdicts_when_the_daemon_is_gone(whole: Platform, tmp_path: Path) -> None:
    ports = free_ports(2)
    with backend(tmp_path, "one", ports[0]) as one, backend(tmp_path, "other", ports[1]):
        whole.declare({"port": ports[0]}, {"port": ports[1]})
        # Whose program has just begun may have been called down before: then there would be nobody to go on with.
        assert eventually(lambda: {whole.get().text for _ in range(4)} == {"one", "other"})
        one.kill()
        assert eventually(lambda: whole.states()[f"127.0.0.1:{ports[0]}"] == "down")
        whole.daemon.send_signal(signal.SIGSTOP)
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 3.0:  # frozen: its held questions have run out
            got = whole.get()
            assert (got.status_code, got.text) == (200, "other"), f"{time.monotonic() - begun_s:.3f} s after it froze"
        whole.daemon.kill()
        whole.daemon.wait()
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 2.0:
            assert whole.get().text == "other"
        with backend(tmp_path, "again", ports[0]):
            whole.start_daemon()
            assert eventually(lambda: {whole.get().text for _ in range(4)} == {"again", "other"})


def test_the_daemon_stops_in_order_and_says_in_one_line_why_it_cannot_start(whole: Platform) -> None:
    second = whole.call("serve", "--config", str(whole.config))
    assert second.returncode == 1
    assert second.stderr.startswith("multisite: api: cannot listen at 127.0.0.1:")
    assert second.stderr.count("\n") == 1
    end(whole.daemon)
    assert whole.daemon.returncode == 0, whole.said("serve")
    whole.start_daemon()


def test_without_its_database_traffic_goes_on_and_moves_and_nothing_is_lost(tmp_path: Path) -> None:
    ports = free_ports(2)
    with (
        postgresql() as server,
        platform(tmp_path, f"database: '{server.url}'\nhealth: {{interval_ms: 100, timeout_ms: 1000}}") as whole,
        backend(tmp_path, "one", ports[0]) as one,
        backend(tmp_path, "other", ports[1]),
    ):
        whole.declare({"port": ports[0]}, {"port": ports[1]})
        server.stop()
        assert eventually(lambda: "database-gone" in whole.said("serve"))
        assert whole.get().status_code == 200
        assert whole.api("POST", "/sites", json={"name": "new"}).status_code == 503
        assert whole.alive()
        one.kill()
        assert eventually(lambda: {whole.get().text for _ in range(4)} == {"other"})
        server.start()
        assert eventually(lambda: "database-back" in whole.said("serve"))
        assert whole.api("POST", "/sites", json={"name": "new"}).status_code == 201
        id_ = next(one["id"] for one in whole.api("GET", "/backends").json()["items"] if one["port"] == ports[0])

        def history() -> list[str]:
            return [event["status"] for event in whole.api("GET", f"/backends/{id_}/events").json()["items"]]

        # What was seen while it was gone is in the history.
        assert eventually(lambda: history() == ["down", "up"])
