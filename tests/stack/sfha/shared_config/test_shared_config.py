"""Changes to the shared configuration on three nodes: real files and real nodes, their network in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.stack.kit.messages import Message, from_json
from harness.stack.sfha.config.load import load_config
from harness.stack.sfha.shared_config.commands import Handler, SharedConfigCommands
from harness.stack.sfha.shared_config.shared_config import Change, ChangeRefused, SharedConfig
from tests.stack.sfha.node.world import NAMES, Cluster

TEXT = """\
# kept
cluster: {name: demo}
node: {name: NODE}
vips:
- name: web
  ip: 10.0.0.100/24
health_checks:
- name: outside
  type: tcp
  target: 192.0.2.1:80
"""
SECOND = Change("vips", "second", {"name": "second", "ip": "10.0.0.10/24"})


@dataclass(frozen=True)
class Answer:
    """What a peer said."""

    status: int
    body: dict[str, object]
    error: Message | str | None = None


@dataclass
class Net:
    """Calls the handlers of the others; who is cut off cannot be reached."""

    own: str
    others: dict[str, dict[tuple[str, str], Handler]]
    cut_off: set[str]

    async def call(
        self, name: str, path: str, body: Mapping[str, object] | None = None, *, timeout_s: float = 1.0
    ) -> Answer:
        if {name, self.own} & self.cut_off:
            return Answer(0, {}, "not reachable (No route to host)")
        if path == "/ping":
            return Answer(200, {})
        method = "GET" if body is None else "POST"
        status, answer = await self.others[name][method, path](self.own, json.loads(json.dumps(body or {})))
        return Answer(status, answer, None if status < 300 else from_json(answer["error"]))

    async def broadcast(
        self, path: str, body: Mapping[str, object] | None = None, *, timeout_s: float = 1.0
    ) -> Mapping[str, Answer]:
        return {name: await self.call(name, path, body) for name in self.others if name != self.own}


@dataclass
class Three:
    """Three nodes with files of their own; n1 leads."""

    directory: Path
    cluster: Cluster = field(default_factory=Cluster)
    cut_off: set[str] = field(default_factory=set)
    sharing: dict[str, SharedConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster.pass_time(0.4)
        self.cluster.view({1, 2, 3}, ring=8)
        self.cluster.pass_time(1.0)
        routes: dict[str, dict[tuple[str, str], Handler]] = {}
        for number, name in NAMES.items():
            path = self.path(name)
            path.parent.mkdir()
            path.write_text(TEXT.replace("NODE", name))
            node = self.cluster.nodes[number]
            revision = path.parent / "revision.json"
            net = Net(name, routes, self.cut_off)
            log = self.cluster.toys[number].log
            self.sharing[name] = SharedConfig(node, net, log, path=path, revision_path=revision)
            routes[name] = SharedConfigCommands(node, self.sharing[name]).routes()
            node.reconfigure(load_config(path))

    def path(self, name: str) -> Path:
        return self.directory / name / "config.yml"

    def vips(self, name: str) -> list[str]:
        return [vip.name for vip in load_config(self.path(name)).vips]


@pytest.fixture
def three(tmp_path: Path) -> Three:
    return Three(tmp_path)


@pytest.mark.parametrize("asked", ["n1", "n3"])
async def test_a_change_is_made_by_the_leader_and_known_everywhere(three: Three, asked: str) -> None:
    answer = await three.sharing[asked].change(SECOND)
    assert answer["revision"] == 1001, "the first one, made by n1"
    assert answer["nodes"] == {"n2": None, "n3": None}
    for name in NAMES.values():
        assert three.vips(name) == ["web", "second"]
        text = three.path(name).read_text()
        assert text.startswith("# kept\n")
        assert load_config(three.path(name)).resources.health_checks[0].name == "outside"
        assert load_config(three.path(name)).node == name
    three.cluster.pass_time(0.2)
    assert {vip.name: vip.held for vip in three.cluster.nodes[1].status().vips} == {"web": True, "second": True}


async def test_a_follower_that_cannot_reach_the_leader_changes_nothing(three: Three) -> None:
    three.cut_off.add("n3")
    with pytest.raises(ChangeRefused, match="nothing was changed"):
        await three.sharing["n3"].change(SECOND)
    assert three.vips("n3") == ["web"]


async def test_who_could_not_be_told_is_named_and_fetches_it_later(three: Three) -> None:
    three.cut_off.add("n3")
    answer = await three.sharing["n1"].change(SECOND)
    assert answer["nodes"] == {"n2": None, "n3": "not reachable (No route to host)"}
    assert three.vips("n3") == ["web"]
    three.cut_off.clear()
    three.cluster.pass_time(0.5)
    assert three.cluster.nodes[3].hearing.is_behind
    await three.sharing["n3"].catch_up()
    assert three.vips("n3") == ["web", "second"]
    assert three.cluster.nodes[3].revision == 1001


def announced_every_s(three: Three) -> list[int]:
    return [load_config(three.path(name)).vips[0].settings.announce_every_s for name in NAMES.values()]


async def test_a_leader_that_was_cut_off_and_the_next_one_do_not_both_stay_with_their_own(three: Three) -> None:
    """Each makes the next change, and neither hears of the other's: numbered alike, nobody would fetch anything."""
    three.cut_off.add("n1")
    three.cluster.dead.add(1)
    await three.sharing["n1"].change(Change("vips", "web", {"announce_every_s": 60}, sets=True))
    three.cluster.view({2, 3}, ring=9)
    three.cluster.pass_time(2.0)
    await three.sharing["n2"].change(Change("vips", "web", {"announce_every_s": 70}, sets=True))
    assert announced_every_s(three) == [60, 70, 70]
    three.cut_off.clear()
    three.cluster.dead.clear()
    three.cluster.view({1, 2, 3}, ring=10)
    three.cluster.pass_time(0.5)
    assert three.cluster.nodes[1].hearing.is_behind
    await three.sharing["n1"].catch_up()
    assert announced_every_s(three) == [70, 70, 70]
    assert {node.revision for node in three.cluster.nodes.values()} == {1002}


async def test_what_was_written_by_hand_and_propagated_is_fetched_by_who_was_away(three: Three) -> None:
    path = three.path("n1")
    path.write_text(path.read_text().replace("health_checks:", "- name: second\n  ip: 10.0.0.10/24\nhealth_checks:"))
    node = three.cluster.nodes[1]
    await three.sharing["n1"].reload(node.candidates.next_revision(node.revision))
    assert json.loads((path.parent / "revision.json").read_text()) == {"revision": 1001}
    three.cluster.pass_time(0.5)
    assert three.cluster.nodes[3].hearing.is_behind
    await three.sharing["n3"].catch_up()
    assert three.vips("n3") == ["web", "second"]


async def test_what_takes_a_restart_is_this_revision_all_the_same(three: Three) -> None:
    """The file has it; else the node would fetch it again and again until somebody restarts the daemon."""
    path = three.path("n1")
    path.write_text(path.read_text().replace("{name: demo}", "{name: demo, profile: lan}"))
    with pytest.raises(ChangeRefused):
        await three.sharing["n1"].reload(1001)
    assert three.cluster.nodes[1].revision == 1001


async def test_without_a_leader_nothing_is_changed(three: Three) -> None:
    three.cluster.view({1}, ring=12)
    with pytest.raises(ChangeRefused, match="nobody leads"):
        await three.sharing["n1"].change(SECOND)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change("vips", "web", {"name": "web", "ip": "10.0.0.7/24"}), "VIP web exists already"),
        (Change("vips", "other", {"name": "other", "ip": "10.0.0.100/24"}), "10.0.0.100 is already taken"),
        (Change("vips", "bad", {"name": "bad", "ip": "10.0.0.256/24"}), "must be an IPv4 address"),
        (Change("vips", "10.0.0.10", None), "there is no VIP 10.0.0.10; there are: web"),
        (Change("services", "app", {"name": "app", "unit": "a", "colour": "red"}), "unknown name"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_changes(three: Three, change: Change, why: str) -> None:
    before = three.path("n1").read_text()
    with pytest.raises(ChangeRefused) as error:
        await three.sharing["n2"].change(change)
    assert why in str(error.value.why)
    assert three.path("n1").read_text() == before
    assert three.cluster.nodes[1].revision == 0


async def test_an_address_that_a_node_has_from_elsewhere_is_refused_wherever_it_is(three: Three) -> None:
    three.cluster.toys[3].links.own.add("10.0.0.10")
    with pytest.raises(ChangeRefused, match="not one of sfha's"):
        await three.sharing["n1"].change(SECOND)
    assert three.vips("n1") == three.vips("n3") == ["web"]


async def test_what_the_kernel_refuses_is_undone(three: Three) -> None:
    three.cluster.toys[1].gate_broken = "No such device: eth7"
    before = three.path("n1").read_text()
    with pytest.raises(ChangeRefused, match="No such device: eth7"):
        await three.sharing["n1"].change(SECOND)
    assert three.path("n1").read_text() == before
    assert three.vips("n2") == ["web"]


async def test_removing_by_the_exact_address(three: Three) -> None:
    await three.sharing["n1"].change(SECOND)
    await three.sharing["n2"].change(Change("vips", "10.0.0.10", None))
    assert three.vips("n3") == ["web"]
    three.cluster.pass_time(0.2)
    assert three.cluster.holders() == [1]
    assert ("10.0.0.10", 24) not in three.cluster.toys[1].present


async def test_an_older_revision_is_not_taken(three: Three) -> None:
    old = await three.sharing["n2"].shared()
    await three.sharing["n1"].change(SECOND)
    assert not await three.sharing["n1"].take(old)
    assert three.vips("n1") == ["web", "second"]


@pytest.mark.parametrize("asked", ["n1", "n3"])
async def test_what_is_set_of_an_address_is_known_everywhere_and_the_address_stays(three: Three, asked: str) -> None:
    toys = three.cluster.toys[1]
    added = toys.names().count("vip-added")
    answer = await three.sharing[asked].change(Change("vips", "web", {"announce_every_s": 60}, sets=True))
    assert answer["nodes"] == {"n2": None, "n3": None}
    assert answer["inactive"] is None
    three.cluster.pass_time(0.5)
    for number, name in NAMES.items():
        assert load_config(three.path(name)).vips[0].settings.announce_every_s == 60
        assert three.cluster.nodes[number].status().vips[0].settings.announce_every_s == 60
    assert three.cluster.holders() == [1]
    assert toys.names().count("vip-added") == added
    assert "vip-released" not in toys.names()
    before = len(toys.announced)
    three.cluster.pass_time(10.0)
    assert len(toys.announced) - before <= 2, "the last ones of its first seconds"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("vips", "nothing", {"announce_every_s": 60}, sets=True), "there is no VIP nothing; there are: web"),
        (Change("vips", "web", {"interface": "eth1"}, sets=True), "no setting interface of a VIP; there are: announce"),
        (Change("vips", "web", {"announce_every_s": 0}, sets=True), "announce_every_s: must be a whole number from 1"),
        (Change("vips", "web", {"announce_every_s": "x"}, sets=True), "must be a whole number from 1 to 3600, not 'x'"),
    ],
)
async def test_what_cannot_be_set_is_refused_and_nothing_changes(three: Three, change: Change, words: str) -> None:
    with pytest.raises(ChangeRefused, match=words):
        await three.sharing["n1"].change(change)
    assert three.path("n1").read_text() == TEXT.replace("NODE", "n1")


def test_a_setting_travels_as_what_an_earlier_daemon_refuses() -> None:
    change = Change("vips", "web", {"announce_every_s": 60}, sets=True)
    assert Change.from_json(change.to_json()) == change
    as_before = Change.from_json({key: value for key, value in change.to_json().items() if key != "sets"})
    with pytest.raises(ChangeRefused, match="exists already"):
        as_before.of({"vips": [{"name": "web", "ip": "10.0.0.100/24"}]})


@pytest.mark.parametrize("wrong", [{"key": "services"}, {"item": None}, {"item": 7}, {"name": 7}])
def test_what_is_no_setting_is_never_taken_for_another_change(wrong: dict[str, object]) -> None:
    body = Change("vips", "web", {"announce_every_s": 60}, sets=True).to_json()
    with pytest.raises(ValueError, match="not a change"):
        Change.from_json(body | wrong)
