"""What Corosync's reports mean for this node, and the corosync.conf that asks for them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """One notification of libquorum: ring sequence, whether the partition is quorate, who is in it."""

    quorate: bool
    ring: int
    members: frozenset[int]


DISCONNECTED = Report(quorate=False, ring=0, members=frozenset())
"""No connection to Corosync is no quorum, at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is different between two reports."""

    joined: frozenset[int]
    left: frozenset[int]
    quorum_gained: bool
    quorum_lost: bool


class MembershipCore:
    """Keeps the newest report; before the first one there is no membership."""

    def __init__(self) -> None:
        self.report = DISCONNECTED

    def take(self, report: Report) -> Change | None:
        """Take a report; None when it says nothing new."""
        before, self.report = self.report, report
        if before == report:
            return None
        return Change(
            joined=report.members - before.members,
            left=before.members - report.members,
            quorum_gained=report.quorate and not before.quorate,
            quorum_lost=before.quorate and not report.quorate,
        )


@dataclass(frozen=True, slots=True)
class RingNode:
    """A node of corosync.conf."""

    node_id: int
    name: str
    address: str
    votes: int


COROSYNC_PORT = 5405


@dataclass(frozen=True, slots=True)
class Totem:
    """Totem's timing (corosync.conf(5)); a zero leaves the value to Corosync."""

    transport: str
    token_ms: int
    consensus_ms: int
    ping_interval_ms: int = 0
    ping_timeout_ms: int = 0
    pong_count: int = 0
    join_ms: int = 0
    port: int = COROSYNC_PORT


HEADER = "# Written by sfha, which writes it anew when the cluster changes.\n"
"""The mark by which sfha knows its own corosync.conf from those of others, which it never touches."""


def render_corosync_conf(cluster: str, nodes: Sequence[RingNode], totem: Totem, log_file: str) -> str:
    """The text of corosync.conf: one key per line, the same on every node that can write ``log_file`` (else empty).

    knet encrypts by itself; udpu cannot, and is only ever used inside the tunnel.
    """
    encrypts = totem.transport == "knet"
    totem_keys: list[tuple[str, str | int]] = [
        ("version", 2),
        ("cluster_name", cluster),
        ("transport", totem.transport),
        ("token", totem.token_ms),
        ("token_coefficient", 0),
        ("consensus", totem.consensus_ms),
        *([("join", totem.join_ms)] if totem.join_ms else []),
    ]
    interface: list[tuple[str, str | int]] = [("linknumber" if encrypts else "ringnumber", 0)]
    if encrypts:
        totem_keys += [("secauth", "on"), ("crypto_cipher", "aes256"), ("crypto_hash", "sha256")]
        pings = [
            ("knet_ping_interval", totem.ping_interval_ms),
            ("knet_ping_timeout", totem.ping_timeout_ms),
            ("knet_pong_count", totem.pong_count),
        ]
        interface += [("mcastport", totem.port), *((key, value) for key, value in pings if value)]
    else:
        totem_keys += [("secauth", "off")]
        interface += [("bindnetaddr", nodes[0].address), ("mcastport", totem.port)]
    quorum: list[tuple[str, str | int]] = [("provider", "corosync_votequorum")]
    if len([node for node in nodes if node.votes]) == 2:
        quorum.append(("two_node", 1))
    logging: list[tuple[str, str | int]] = [
        ("to_stderr", "no" if log_file else "yes"),
        ("to_syslog", "no"),
        ("to_logfile", "yes" if log_file else "no"),
        *([("logfile", log_file)] if log_file else []),
        ("timestamp", "hires"),
    ]
    sections = [
        _section("totem", totem_keys, [_section("interface", interface)]),
        _section("nodelist", [], [_section("node", _node_keys(node)) for node in nodes]),
        _section("quorum", quorum),
        _section("system", [("sched_rr", "no")]),
        _section("logging", logging),
    ]
    return HEADER + "\n".join(sections)


def _node_keys(node: RingNode) -> list[tuple[str, str | int]]:
    return [
        ("name", node.name),
        ("nodeid", node.node_id),
        ("ring0_addr", node.address),
        ("quorum_votes", node.votes),
    ]


def _section(name: str, keys: Sequence[tuple[str, str | int]], inner: Sequence[str] = ()) -> str:
    lines = [f"    {key}: {value}" for key, value in keys]
    lines += ["    " + line for section in inner for line in section.splitlines()]
    return "\n".join([f"{name} {{", *lines, "}", ""])
