"""What carries the way to the storage."""

from collections.abc import Callable

from ..core import Seen, Weight
from ..sight import Link, Sight
from .judged import Judged, Part, share

FEW, MOST, LEAST_MTU, FLAPS_PER_H, MANY = 0.05, 0.9, 1280, 10.0, 1000
LOCAL = Seen(None, "both file systems are local")


def _if_remote(judge: Callable[[Sight], Seen]) -> Callable[[Sight], Seen]:
    return lambda sight: judge(sight) if sight.source.remote or sight.target.remote else LOCAL


def _links(good: Callable[[Link], bool], said: Callable[[Link], str]) -> Callable[[Sight], Seen]:
    def judge(sight: Sight) -> Seen:
        bad = [f"{name}: {said(one)}" for name, one in sight.network.links.items() if not good(one)]
        return Seen(not bad, ", ".join(bad) or "none")

    return _if_remote(judge)


def _tracked(sight: Sight) -> Seen:
    network = sight.network
    if network.tracked is None or not network.tracked_most:
        return Seen(None, "connections are not tracked here")
    return Seen(network.tracked < MOST * network.tracked_most, share(network.tracked, network.tracked_most))


def _sent_again(sight: Sight) -> Seen:
    again = sight.network.sent_again / sight.network.sent if sight.network.sent > MANY else 0.0
    return Seen(again < FEW, f"{100 * again:.1f} %")


PARTS: tuple[Part, ...] = ("network", "source", "target")
JUDGED = (
    Judged(
        "there-is-a-route",
        "network",
        Weight.SERIOUS,
        "a route leads out of the host",
        "ip route",
        PARTS,
        _if_remote(lambda sight: Seen(sight.network.routes > 0, f"{sight.network.routes} routes")),
    ),
    Judged(
        "neighbours-answer",
        "network",
        Weight.SERIOUS,
        "the master's host answers on the link",
        "look at cable and switch",
        PARTS,
        _if_remote(
            lambda sight: Seen(not sight.network.silent_masters, ", ".join(sight.network.silent_masters) or "it does")
        ),
    ),
    Judged(
        "little-is-sent-again",
        "network",
        Weight.WARNING,
        "less than 5 % is sent again",
        "look for loss on the way",
        PARTS,
        _if_remote(_sent_again),
    ),
    Judged(
        "little-is-dropped",
        "network",
        Weight.WARNING,
        "less than 5 % of what arrives is dropped",
        "look at the driver",
        PARTS,
        _links(lambda one: one.packets < MANY or one.dropped < FEW * one.packets, lambda one: f"{one.dropped}"),
    ),
    Judged(
        "connections-can-be-tracked",
        "network",
        Weight.SERIOUS,
        "the table of connections has room",
        "sysctl net.netfilter.nf_conntrack_max",
        PARTS,
        _if_remote(_tracked),
    ),
    Judged(
        "ports-are-left",
        "network",
        Weight.WARNING,
        "a tenth of the local ports is free",
        "end who opens so many",
        PARTS,
        _if_remote(
            lambda sight: Seen(
                sight.network.sockets < MOST * sight.network.ports, share(sight.network.sockets, sight.network.ports)
            )
        ),
    ),
    Judged(
        "packets-are-large-enough",
        "network",
        Weight.WARNING,
        "every link takes 1280 bytes",
        "ip link set mtu",
        PARTS,
        _links(lambda one: one.mtu >= LEAST_MTU, lambda one: f"{one.mtu}"),
    ),
    Judged(
        "links-do-not-flap",
        "network",
        Weight.WARNING,
        "no link went up and down ten times an hour",
        "look at the cable",
        PARTS,
        _links(lambda one: one.flaps_per_h < FLAPS_PER_H, lambda one: f"{one.flaps_per_h:.0f} an hour"),
    ),
    Judged(
        "links-go-both-ways",
        "network",
        Weight.WARNING,
        "no link is half duplex",
        "look at the switch's port",
        PARTS,
        _links(lambda one: one.duplex != "half", lambda one: one.duplex),
    ),
    Judged(
        "sockets-have-memory",
        "network",
        Weight.WARNING,
        "TCP has memory left",
        "sysctl net.ipv4.tcp_mem",
        PARTS,
        _if_remote(
            lambda sight: Seen(
                sight.network.socket_pages < sight.network.socket_pages_most,
                f"{share(sight.network.socket_pages, sight.network.socket_pages_most)} pages",
            )
        ),
    ),
    Judged(
        "the-host-has-a-name",
        "network",
        Weight.WARNING,
        "the host has a name of its own",
        "hostnamectl set-hostname",
        ("kernel",),
        lambda sight: Seen(sight.kernel.name not in ("", "(none)", "localhost"), sight.kernel.name or "none"),
    ),
)
