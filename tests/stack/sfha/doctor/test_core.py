"""Facts in, findings out."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from harness.stack.kit.messages import message
from harness.stack.sfha.config.load import Vip
from harness.stack.sfha.config.networks import Taken
from harness.stack.sfha.doctor.core import (
    Daemon,
    Facts,
    Finding,
    Kernel,
    Link,
    Place,
    Port,
    Tunnel,
    examine,
    is_well,
)
from harness.stack.sfha.membership.ownership import Described, Survey
from harness.stack.sfha.mesh.core import Condition

FILE = Path("/etc/corosync/corosync.conf")
OURS = Described("demo", ("n1", "n2"), ours=True, example=False)
THEIRS = Described("prod", ("a", "b"), ours=False, example=False)
RUNS = Survey(FILE, OURS, False, 7, FILE, OURS, ("demo", 2))
TUNNEL = Tunnel(
    "wg-sfha", "10.90.0.1", IPv4Network("10.90.0.0/24"), Condition(True, True, frozenset({"10.90.0.1"}), 1420), (), True
)
STATUS: dict[str, object] = {
    "node": "n1",
    "quorate": True,
    "nodes": [
        {"name": "n1", "online": True, "sfhaRunning": True},
        {"name": "n2", "online": True, "sfhaRunning": True},
    ],
    "vips": [{"name": "web", "error": None}],
}
WIREGUARD = Port(51820, message("doctor.port.wireguard"), frozenset({"WireGuard", "wireguard-go"}), "WireGuard")
SETTINGS = {"promote_secondaries": 1, "arp_ignore": 0, "rp_filter": 0, "default_route_elsewhere": 0, "bridge_nf": 0}
LINK = Link("eth0", there=True, up=True, carrier=True, settings=SETTINGS)
WELL = Facts(
    kernel=Kernel((6, 1), wireguard=True, tun=False),
    corosync=RUNS,
    member=True,
    tunnel=TUNNEL,
    daemon=Daemon(42, STATUS),
    ports=(WIREGUARD,),
    links=(LINK,),
    vips=(Vip("web", "192.0.2.100", 24, "eth0"),),
    taken=(Taken(IPv4Network("192.0.2.0/24"), "eth0"),),
    places=(Place("/var/log", 1 << 30),),
    year=2026,
)


def keys(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.severity, one.what.key) for one in findings]


def test_a_node_that_is_well() -> None:
    assert keys(examine(WELL)) == [("well", "doctor.well")]
    assert is_well(examine(WELL))


def test_a_mesh_that_can_be_entered_beside_its_tunnel_is_doubtful() -> None:
    for walled in (True, None):
        assert keys(examine(replace(WELL, tunnel=replace(TUNNEL, walled=walled)))) == [("well", "doctor.well")]
    bare = replace(WELL, tunnel=replace(TUNNEL, walled=False))
    assert keys(examine(bare)) == [("doubtful", "doctor.no-wall")]
    assert "no-wall" not in str(keys(examine(replace(bare, daemon=Daemon())))), "the daemon puts it up"


def test_a_machine_without_a_cluster_that_could_have_one() -> None:
    bare = Facts(kernel=WELL.kernel, corosync=Survey(FILE, None, foreign_key=False), year=2026)
    assert keys(examine(bare)) == [("well", "doctor.no-cluster")]


def status(**changed: object) -> Daemon:
    return Daemon(42, {**STATUS, **changed})


def settings(**changed: int) -> tuple[Link, ...]:
    return (replace(LINK, settings={**SETTINGS, **changed}),)


@pytest.mark.parametrize(
    ("facts", "severity", "key"),
    [
        (replace(WELL, mistakes=(message("doctor.no-config", path="/c"),)), "wrong", "doctor.no-config"),
        (replace(WELL, unread=("/etc/sfha/mesh.json",)), "unknown", "doctor.unread"),
        (replace(WELL, kernel=replace(WELL.kernel, missing=("wg",))), "wrong", "doctor.missing"),
        (replace(WELL, kernel=replace(WELL.kernel, release=(5, 10))), "doubtful", "doctor.no-egress"),
        (replace(WELL, kernel=replace(WELL.kernel, guards="")), "wrong", "doctor.no-gate"),
        (replace(WELL, kernel=replace(WELL.kernel, guards="bridge")), "wrong", "doctor.no-bridge"),
        (
            replace(WELL, kernel=replace(WELL.kernel, wireguard=False), tunnel=None),
            "wrong",
            "doctor.no-wireguard",
        ),
        (replace(WELL, corosync=replace(RUNS, read_described=THEIRS)), "wrong", "run.foreign-corosync"),
        (replace(WELL, corosync=replace(RUNS, read_file=Path("/x.conf"))), "wrong", "run.foreign-corosync"),
        (
            replace(WELL, corosync=Survey(FILE, OURS, False), corosync_said="parser error"),
            "wrong",
            "doctor.corosync-died",
        ),
        (replace(WELL, corosync=Survey(FILE, OURS, False)), "wrong", "doctor.corosync-off"),
        (
            Facts(kernel=WELL.kernel, corosync=Survey(FILE, THEIRS, False), year=2026),
            "wrong",
            "init.foreign-file",
        ),
        (replace(WELL, tunnel=replace(TUNNEL, condition=Condition())), "wrong", "doctor.tunnel-gone"),
        (replace(WELL, tunnel=replace(TUNNEL, condition=Condition(True))), "wrong", "mesh.lies-down"),
        (replace(WELL, tunnel=replace(TUNNEL, condition=Condition(True, True))), "wrong", "mesh.addressless"),
        (replace(WELL, tunnel=replace(TUNNEL, silent=("n2",))), "wrong", "doctor.no-handshake"),
        (
            replace(WELL, taken=(Taken(IPv4Network("10.90.0.0/16"), "eth1"),)),
            "wrong",
            "doctor.shared-network",
        ),
        (replace(WELL, vips=(Vip("odd", "10.90.0.9", 24, "eth0"),)), "wrong", "resources.vip-in-mesh"),
        (replace(WELL, ports=(replace(WIREGUARD, holder="nc", shown="nc (7)"),)), "wrong", "doctor.port-taken"),
        (replace(WELL, ports=(replace(WIREGUARD, holder="?"),)), "unknown", "doctor.port-taken"),
        (replace(WELL, unresolved=(("n2.example:51820", "no such name"),)), "wrong", "doctor.unresolved"),
        (replace(WELL, links=(Link("eth0"),)), "wrong", "doctor.link-gone"),
        (replace(WELL, links=(replace(LINK, up=False),)), "wrong", "doctor.link-down"),
        (replace(WELL, links=(replace(LINK, carrier=False),)), "wrong", "doctor.link-dead"),
        (replace(WELL, links=settings(promote_secondaries=0)), "doubtful", "doctor.promote"),
        (replace(WELL, links=settings(arp_ignore=8)), "wrong", "doctor.arp-ignore"),
        (replace(WELL, links=settings(rp_filter=1, default_route_elsewhere=1)), "doubtful", "doctor.rp-filter"),
        (
            replace(WELL, links=(replace(settings(bridge_nf=1)[0], bridge=True),)),
            "doubtful",
            "doctor.bridge-nf",
        ),
        (replace(WELL, places=(Place("/var/log", 1000),)), "wrong", "doctor.full"),
        (replace(WELL, places=(Place("/var/log", 1 << 30, "read-only"),)), "wrong", "doctor.unwritable"),
        (replace(WELL, year=1970), "wrong", "doctor.clock-wrong"),
        (replace(WELL, synchronised=False), "doubtful", "doctor.clock-free"),
        (replace(WELL, daemon=Daemon()), "wrong", "doctor.daemon-off"),
        (replace(WELL, daemon=Daemon(42)), "wrong", "doctor.daemon-hangs"),
        (replace(WELL, daemon=status(corosync_behind={"lacks": ["4"]})), "wrong", "corosync.behind"),
        (replace(WELL, daemon=status(corosync_behind={"helpless": True})), "wrong", "corosync.stays-behind"),
        (replace(WELL, daemon=status(corosync_behind={"refused": True})), "wrong", "corosync.refused"),
        (replace(WELL, daemon=status(quorate=False)), "wrong", "status.warn.no-quorum"),
        (replace(WELL, daemon=status(nodes=[{"name": "n2", "online": False}])), "wrong", "doctor.peer-offline"),
        (replace(WELL, daemon=status(nodes=[{"name": "n2", "online": True}])), "wrong", "status.warn.daemon-dead"),
        (replace(WELL, daemon=status(vips=[{"name": "web", "error": "no"}])), "wrong", "doctor.vip-error"),
    ],
)
def test_one_thing_is_found_and_said_in_both_languages(facts: Facts, severity: str, key: str) -> None:
    findings = examine(facts)
    assert (severity, key) in keys(findings)
    assert [one for one in findings if one.severity == "wrong" and one.what.key != key] == []
    assert is_well(findings) == (severity != "wrong")
    for one in findings:
        assert one.what.said("en") != one.what.said("fr")


def test_what_does_not_matter_here_is_not_found() -> None:
    for links in (settings(rp_filter=1), settings(bridge_nf=1), settings(arp_ignore=1)):
        assert keys(examine(replace(WELL, links=links))) == [("well", "doctor.well")]
    old_answers = replace(WELL, daemon=Daemon(42, {"nodes": "?", "vips": None, "quorate": True}))
    assert is_well(examine(old_answers))


def test_a_bridge_can_be_guarded_where_nothing_else_can() -> None:
    bridged = replace(WELL, kernel=replace(WELL.kernel, guards="bridge"), links=(replace(LINK, bridge=True),))
    assert keys(examine(bridged)) == [("well", "doctor.well")]
    old = replace(bridged, kernel=replace(bridged.kernel, release=(5, 10)))
    assert keys(examine(old)) == [("well", "doctor.well")], "bridges have always guarded what leaves"
    unknown = replace(WELL, kernel=replace(WELL.kernel, guards=None))
    assert keys(examine(unknown)) == [("well", "doctor.well")]
