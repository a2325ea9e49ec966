"""The arbiter wired into nodes, in virtual time: an exclusive service, a power switch, disks, all between."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.kit.messages import Message
from harness.stack.sfha.claim.arbiter import Arbiter
from harness.stack.sfha.claim.arbiter_messages import ArbiterMessage
from harness.stack.sfha.claim.messages import Ask, Ballot, Claim, Over, Stored, Tell
from harness.stack.sfha.claim.power_and_disk import PowerAndDisk, UnusableClaim
from harness.stack.sfha.config.load import Config, ConfigError, Mesh, MeshNode, Unsafe, Vip, load_config
from harness.stack.sfha.config.resources import Check, Resources, Service
from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.constraints.core import plan
from harness.stack.sfha.datagrams.core import arbiter_encoding, encoding
from harness.stack.sfha.fencing.messages import Note, Pardon
from harness.stack.sfha.fencing.settings import CommandAccess, Safety, Stonith, SwitchedNode
from harness.stack.sfha.fencing.signals import Fencing, Refusal
from harness.stack.sfha.node.node import Node
from harness.stack.sfha.node.ports import Ports
from harness.stack.sfha.services.core import Started, Stopped
from tests.stack.sfha.node.world import NAMES, VIP, ToyGateError
from tests.stack.sfha.node.world import Cluster as PlainCluster

STONITH = Stonith(
    enabled=True,
    provider="command",
    command=CommandAccess("/bin/power"),
    nodes={name: SwitchedNode() for name in NAMES.values()},
    safety=Safety(grace_s=0, delay_s=2),
)


@dataclass
class Power:
    """The port of one node's arbiter; disk and switch answer when time passes."""

    cluster: "Cluster"
    node: int
    disk: Stored = field(default_factory=Stored)
    told: list[Fencing] = field(default_factory=list)
    forgiven: dict[int, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def configure(self, stonith: Stonith) -> None:
        pass

    def claim(self) -> Stored:
        return self.disk

    def history(self) -> Sequence[Fencing]:
        return self.told

    def pardons(self) -> Mapping[int, float]:
        return self.forgiven

    def save_pardons(self, pardons: Mapping[int, float]) -> None:
        self.forgiven = dict(pardons)

    def save_claim(self, stored: Stored) -> None:
        def save() -> None:
            self.disk = stored
            self.cluster.arbiter(self.node).claim_saved(ok=True)

        self.cluster.later.append((self.node, save))

    def save_history(self, history: Sequence[Fencing]) -> None:
        self.told = list(history)

    def power_off(self, node: str) -> None:
        self.asked.append(f"off {node}")
        self.cluster.later.append((self.node, lambda: self._off(node)))

    def _off(self, node: str) -> None:
        if not self.cluster.switch_works:
            self.cluster.arbiter(self.node).switched(node, "no answer")
            return
        number = next(number for number, name in NAMES.items() if name == node)
        self.cluster.dead.add(number)
        self.cluster.powered.discard(number)
        self.cluster.running.discard(number)
        self.cluster.arbiter(self.node).switched(node, "")

    def look(self, node: str) -> None:
        number = next(number for number, name in NAMES.items() if name == node)
        off = number not in self.cluster.powered if self.cluster.switch_works else None
        self.cluster.later.append((self.node, lambda: self.cluster.arbiter(self.node).looked(node, off, "")))


@dataclass
class Services:
    """Runs the service at once."""

    cluster: "Cluster"
    node: int

    def configure(self, services: Sequence[Service]) -> None:
        pass

    def start(self, name: str) -> None:
        self.cluster.running.add(self.node)
        self.cluster.later.append((self.node, lambda: self.cluster.nodes[self.node].service_reported(Started(name))))

    def stop(self, name: str, *, kill: bool) -> None:
        def stop() -> None:
            self.cluster.running.discard(self.node)
            self.cluster.nodes[self.node].service_reported(Stopped(name))

        self.cluster.later.append((self.node, stop))

    def probe(self, name: str, round_: int, check: Check) -> None:
        raise AssertionError


class Cluster(PlainCluster):
    """The nodes of test_node, with an exclusive service and fencing."""

    vips: tuple[Vip, ...] = (VIP,)
    services: tuple[Service, ...] = (Service("db", "process", command=("db",), exclusive=True),)

    def __init__(self) -> None:
        self.later: list[tuple[int, Callable[[], None]]] = []
        self.running: set[int] = set()
        self.powered = set(NAMES)
        self.switch_works = True
        self.power = {number: Power(self, number) for number in NAMES}
        super().__init__()

    def _node(self, number: int, unsafe: Unsafe) -> Node:
        toys = self.toys[number]
        members = {other: MeshNode(other, name, f"10.90.0.{other}") for other, name in NAMES.items()}
        own = members.pop(number)
        names = [service.name for service in self.services]
        resources = Resources(self.services, plan=plan([item.name for item in self.vips], names, []))
        config = Config("demo", own.name, FAST, vips=self.vips, resources=resources, stonith=STONITH)
        ports = Ports(
            *(lambda: self.now_s, toys.log, toys, toys, ToyGateError, toys, toys.announce),
            services=Services(self, number),
            power=self.power[number],
        )
        node = Node(config, Mesh("key", own, 24, tuple(members.values())), ports, incarnation=number)
        node.start()
        return node

    def arbiter(self, number: int) -> Arbiter:
        arbiter = self.nodes[number].arbiter
        assert arbiter is not None
        return arbiter

    def restart(self, number: int) -> None:
        """The daemon begins anew with what its disk kept."""
        self.nodes[number] = self._node(number, Unsafe())

    def live(self, duration_s: float) -> None:
        """Time passes, and ports answer in between."""
        end_s = self.now_s + duration_s
        while self.now_s < end_s:
            for number, report in self.later[:]:
                self.later.remove((number, report))
                if number not in self.dead:
                    report()
                    self.nodes[number].arbiter_reported()
            self.pass_time(0.001)
            assert len(self.running) <= 1


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, the service on node 1."""
    cluster = Cluster()
    cluster.live(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.live(1.0)
    assert cluster.running == {1}
    assert cluster.power[2].disk.claim == Claim(Ballot(1, 1), over=False)
    return cluster


def test_a_frozen_leader_is_fenced_before_its_service_moves(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(1.9)
    assert cluster.holders() == [2]
    assert cluster.running == {1}
    assert cluster.nodes[2].status().stonith.waits_for == "n1"  # type: ignore[union-attr]
    cluster.live(0.2)
    assert cluster.power[2].asked == ["off n1"]
    assert cluster.running == {2}
    assert [(one.node, one.by, one.ok) for one in cluster.power[3].told] == [(1, 2, True)]


def test_a_leader_without_power_is_not_waited_for(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.powered.discard(1)
    cluster.running.discard(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(0.5)  # the lease that n1 had must run out
    assert cluster.running == {2}
    assert cluster.power[2].asked == []


def test_standby_moves_the_service_without_fencing(cluster: Cluster) -> None:
    cluster.nodes[1].set_standby(True)
    cluster.live(0.1)
    assert cluster.running == {2}
    cluster.live(5)
    assert cluster.power[2].asked == []


def test_a_switch_that_is_out_of_order_keeps_the_service_down_until_a_person_certifies(cluster: Cluster) -> None:
    cluster.switch_works = False
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(20)
    assert cluster.running == {1}
    assert cluster.power[2].asked == ["off n1"]
    assert cluster.arbiter(2).history()[0]["error"] == "no answer"
    cluster.running.discard(1)  # somebody pulls the plug
    assert cluster.arbiter(2).certify("n1") is None
    cluster.live(0.1)
    assert cluster.running == {2}


def test_what_a_person_asks_for_is_checked(cluster: Cluster) -> None:
    arbiter = cluster.arbiter(2)
    assert key_of(arbiter.fence("n9", force=False)) == "stonith.unknown"
    assert key_of(arbiter.fence("n2", force=True)) == "stonith.refused.own"
    assert key_of(arbiter.certify("n1")) == "stonith.still-member"
    assert key_of(arbiter.fence("n3", force=False)) == ""
    assert key_of(arbiter.fence("n3", force=True)) == "stonith.refused.busy"


def looping(cluster: Cluster, number: int) -> bool:
    """Whether this node would not fence n3 any more, because it was fenced again and again."""
    return cluster.arbiter(number)._fencing.refusal(3, cluster.now_s, automatic=True) is Refusal.LOOP


@pytest.mark.parametrize("told", ["at once", "when it is back"])
def test_a_node_that_a_person_forgave_is_forgiven_by_all(cluster: Cluster, told: str) -> None:
    for number, age_s in itertools.product((1, 2), (900, 800, 700)):
        cluster.arbiter(number).received(3, Note(3, 1, age_s, automatic=True, ok=True))
    assert looping(cluster, 1)
    assert looping(cluster, 2)
    if told != "at once":
        cluster.dead.add(2)
        cluster.view({1, 3}, ring=12)
    assert cluster.arbiter(1).forgive("n3") is None
    cluster.live(0.1)
    assert not looping(cluster, 1)
    assert looping(cluster, 2) == (told != "at once")
    cluster.dead.discard(2)
    cluster.view({1, 2, 3}, ring=16)
    cluster.live(0.5)
    assert not looping(cluster, 2)


def test_a_pardon_outlives_the_daemons(cluster: Cluster) -> None:
    """All of them: nobody is left who could tell it again; and what was done to the node since still counts."""
    for number, age_s in itertools.product((1, 2), (900, 800, 700)):
        cluster.arbiter(number).received(3, Note(3, 1, age_s, automatic=True, ok=True))
    assert cluster.arbiter(1).forgive("n3") is None
    cluster.live(0.1)
    for number in (1, 2):
        cluster.restart(number)
        assert len(cluster.arbiter(number).history()) == 3
        assert not cluster.arbiter(number)._fencing._loops(3)
    cluster.now_s += 100.0
    for age_s in (90, 80, 70):
        cluster.arbiter(2).received(1, Note(3, 1, age_s, automatic=True, ok=True))
    cluster.restart(2)
    assert cluster.arbiter(2)._fencing._loops(3)


def test_a_pardon_that_comes_late_does_not_undo_what_was_done_since(cluster: Cluster) -> None:
    arbiter = cluster.arbiter(2)
    for age_s in (90, 80, 70):
        arbiter.received(1, Note(3, 1, age_s, automatic=True, ok=True))
    arbiter.received(1, Pardon(3, 85.0))
    for age_s in (60, 50):
        arbiter.received(1, Note(3, 1, age_s, automatic=True, ok=True))
    arbiter.received(1, Pardon(3, 85.0))
    assert len([one for one in arbiter.history() if one["node"] == "n3"]) == 5
    assert arbiter._fencing._loops(3)


def key_of(message: Message | None) -> str:
    return message.key if message is not None else ""


# --- datagrams ----------------------------------------------------------------------------------------

ROUNDS = st.integers(0, 2**40)
BALLOTS = st.builds(Ballot, ROUNDS, st.integers(0, 2**31 - 1))
MESSAGES = st.one_of(
    st.builds(Ask, BALLOTS, st.booleans(), BALLOTS),
    st.builds(Tell, BALLOTS, st.booleans(), st.booleans(), st.builds(Stored, BALLOTS, st.builds(Claim, BALLOTS))),
    st.builds(Over, BALLOTS),
    st.builds(Pardon, st.integers(1, 99), st.integers(0, 10**6).map(float)),
    st.builds(
        Note,
        *(st.integers(1, 99), st.integers(1, 99), st.integers(0, 10**6).map(float), st.booleans()),
        st.none() | st.booleans(),
        st.text(max_size=200),
    ),
)


@given(MESSAGES)
def test_what_is_sent_is_what_is_read(message: ArbiterMessage) -> None:
    datagram = arbiter_encoding.encode(message)
    assert len(datagram) <= encoding.MAX_DATAGRAM_BYTES
    if isinstance(message, Note):
        message = dataclasses.replace(message, error=message.error[: arbiter_encoding.MAX_ERROR_CHARACTERS])
    assert encoding.decode(datagram) == message


@pytest.mark.parametrize("parts", [["ask"], ["tell", 1], ["over", "x", 2], ["note", 1, 2, -1.0, True, None, ""]])
def test_nonsense_is_refused(parts: list[object]) -> None:
    with pytest.raises(ValueError, match="not a message"):
        encoding.decode(json.dumps([1, *parts]).encode())


# --- what survives a restart --------------------------------------------------------------------------


def test_the_disk_keeps_claim_and_history(tmp_path: Path) -> None:
    board = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    assert board.claim() == Stored()
    assert board.history() == []
    board.connect(_Deaf(), lambda function: function())  # type: ignore[arg-type]
    stored = Stored(Ballot(7, 2), Claim(Ballot(6, 1), over=False))
    board.save_claim(stored)
    board.save_history([Fencing(1, 2, 100.0, automatic=True, ok=False, error="no route")])
    board.save_pardons({3: 90.0})
    board.close()
    again = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    assert again.claim() == stored
    (kept,) = again.history()
    assert (kept.node, kept.by, kept.ok, kept.error) == (1, 2, False, "no route")
    assert kept.at_s == pytest.approx(100.0, abs=1.0)
    assert again.pardons() == {3: pytest.approx(90.0, abs=1.0)}
    again.close()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"promised": [1]}', '{"promised": ["1", 2], "claim": [1, 1], "over": true}']
)
def test_a_claim_that_cannot_be_read_is_no_claim_to_vote_with(tmp_path: Path, text: str) -> None:
    (tmp_path / "claim.json").write_text(text)
    (tmp_path / "fencing.json").write_text(text)
    (tmp_path / "pardons.json").write_text(text)
    board = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    with pytest.raises(UnusableClaim, match="then remove this file"):
        board.claim()
    assert board.history() == []
    assert board.pardons() == {}
    board.close()


class _Deaf:
    def claim_saved(self, ok: bool) -> None:
        assert ok


# --- configuration ------------------------------------------------------------------------------------

GOOD = """\
cluster: {name: demo}
node: {name: n1}
stonith:
  enabled: true
  provider: proxmox
  proxmox:
    url: https://pve:8006
    token_id: sfha@pve!fence
    token_secret: geheim
  nodes:
    n1: {type: lxc, vmid: 101}
    n2: {type: qemu, vmid: 102}
  safety:
    max_fences_per_5min: 3
"""


def read(directory: Path, text: str) -> Stonith:
    path = directory / "config.yml"
    path.write_text(text)
    stonith = load_config(path).stonith
    assert stonith is not None
    return stonith


def test_the_section_is_read_with_the_documented_defaults(tmp_path: Path) -> None:
    stonith = read(tmp_path, GOOD)
    assert stonith.nodes == {"n1": SwitchedNode("lxc", 101), "n2": SwitchedNode("qemu", 102)}
    assert stonith.safety == Safety(require_quorum=True, min_delay_s=60, max_per_5min=3, grace_s=120, delay_s=10)
    assert "geheim" not in repr(stonith)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("provider: proxmox", "provider: ipmi", ":5: stonith.provider: must be one of proxmox, webhook, command"),
        ("  provider: proxmox\n", "", "stonith.provider: is missing"),
        ("url: https://pve:8006", "url: pve:8006", ":7: stonith.proxmox.url: must begin with http:// or https://"),
        ("https://pve:8006", "https://root:pw@pve:8006", "must not hold a password"),
        ("sfha@pve!fence", "root", ':8: stonith.proxmox.token_id: must be "user@realm!name"'),
        ("token_secret: geheim", "token_secret_file: /none", "stonith.proxmox.token_secret_file: /none cannot be read"),
        (
            "{type: lxc, vmid: 101}",
            "{type: vm, vmid: 101}",
            "stonith.nodes.n1.type: must be one of lxc, qemu, not 'vm'",
        ),
        ("vmid: 102", "vmid: 2", "stonith.nodes.n2.vmid: must be a whole number from 100"),
        ("max_fences_per_5min: 3", "max_fences: 3", ":14: stonith.safety.max_fences: unknown name"),
        ("  safety:", "  webhook: {url: http://x}\n  safety:", "stonith.webhook: belongs to another provider"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        read(tmp_path, GOOD.replace(right, wrong, 1))
    assert message in str(error.value)
    assert "geheim" not in str(error.value)
