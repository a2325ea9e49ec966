"""The planted defects, as a table: what has to happen to a node, in which order, and what is then done to it.

No single fault brings one out. So they tell whether plans that are drawn find what needs several, and whether
shrinking leaves just these. Read by the harness, and by the program on the nodes: of standard modules only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mark = Literal[
    "booted", "froze", "moved asleep", "unplugged", "plugged", "nameless", "named", "full", "roomy",
    "alone", "reached", "lossy", "clear", "silent", "heard", "died", "took over", "gave up",
    "set back", "left", "joined",
]  # fmt: skip
"""What a node's program sees happen (see :mod:`.watch`, which says when)."""

Level = Literal["unplugged", "nameless", "full", "alone", "lossy", "left"]
"""What lasts between two marks."""


@dataclass(frozen=True)
class Step:
    """One thing that has to happen, after the steps before it."""

    mark: Mark
    during: Level | None = None
    """This has to last meanwhile."""
    apart_s: tuple[float, float] | None = None
    """At least and at most so long after the step before, which has to be about another node."""


@dataclass(frozen=True)
class Damage:
    """What is done to the node. In the script, {address} stands for the virtual address."""

    script: str
    caught_by: tuple[str, ...]
    """Checks, each of which may be the one that catches it; the first always does in the smallest plan."""
    every_s: float | None = None
    """How often it is done; None: once, and it lasts."""
    for_s: float | None = None
    """For how long; None: until the node loses its power."""


@dataclass(frozen=True)
class Defect:
    """One of them: ``about`` says what brings it out, and what it then does."""

    about: str
    steps: tuple[Step, ...]
    damage: Damage
    faults: int = 2
    """How many the smallest plan has that is known."""
    ahead: int = 0
    """So many of the last steps show what was done before them: when they happen it would be too late."""
    drawn: bool = True
    """Whether chance alone can draw the faults that it takes, for nodes with the host's kernel; else a person does."""


_OPENS = "nft add element netdev sfha lease '{ {address} timeout 1s }'; ip address add {address}/24 dev eth0"
_OUTWARD = "add chain netdev planted c { type filter hook egress device eth0 priority -450; }"
_INWARD = "add chain netdev planted c { type filter hook ingress device eth0 priority -450; }"

ANSWERS = Damage(_OPENS, ("one_holder", "one_answerer", "never_without_quorum"), every_s=0.2, for_s=5.0)
"""It holds the address, whoever else does."""
HOLDS_ALONE = Damage(_OPENS, ("never_without_quorum", "one_holder", "one_answerer"), every_s=0.2, for_s=5.0)
"""The same, where it has no quorum."""
UNANNOUNCED = Damage(
    f"nft 'add table netdev planted; {_OUTWARD};"
    " add rule netdev planted c ether daddr ff:ff:ff:ff:ff:ff arp saddr ip {address} drop'",
    ("clients_not_stranded",),
)
"""It takes over, and tells nobody."""
DEAF = Damage(
    f"nft 'add table netdev planted; {_INWARD}; add rule netdev planted c ip daddr {{address}} drop'",
    ("body_passed", "clients_not_stranded"),
)
"""It holds the address, and lets no client in."""
STAYS_OUT = Damage(
    "nft 'add table inet planted; add chain inet planted c { type filter hook input priority -450; };"
    " add rule inet planted c iifname wg-sfha drop'",
    ("body_passed", "agree_afterwards"),
)
"""It takes nothing from the mesh: it never finds its way back."""
DIFFERS = Damage(
    "grep -q '^# of before' /etc/corosync/corosync.conf || echo '# of before' >> /etc/corosync/corosync.conf",
    ("agree_afterwards",),
    every_s=0.5,
)
"""Its configuration is another one than that of the others."""
LOSES = Damage(
    "curl -s --max-time 2 http://127.0.0.1:2379/v3/kv/deleterange"
    """ -d '{"key": "bGVkZ2VyLw==", "range_end": "bGVkZ2VyMA=="}'""",  # from ledger/ to what comes after it, in Base64
    ("nothing_lost",),
    every_s=0.3,
    for_s=20.0,
)
"""Writes that the store beside sfha has acknowledged are gone."""

PLANTED: Mapping[str, Defect] = {
    "rebooted-unplugged": Defect(
        "a node that has lost power loses its cable as well, and takes the address where nobody hears it",
        (Step("booted"), Step("unplugged")),
        ANSWERS,
    ),
    "frozen-nameless": Defect(
        "a node that has stood still finds no names any more, and takes the address beside its holder",
        (Step("froze"), Step("nameless")),
        ANSWERS,
    ),
    "rebooted-twice-frozen": Defect(
        "a node that has lost power twice stands still, and takes the address beside its holder",
        (Step("booted"), Step("booted"), Step("froze")),
        ANSWERS,
        faults=3,
    ),
    "frozen-twice": Defect(
        "a node stands still a second time, and goes on as the holder of before",
        (Step("froze"), Step("froze")),
        ANSWERS,
    ),
    "plugged-asleep": Defect(
        "an interface comes back while its node stands still, which keeps the address and does not notice",
        (Step("moved asleep"),),
        ANSWERS,
    ),
    "full-silent": Defect(
        "a node whose disk is full loses sight of another, and cannot keep the promise that it writes down",
        (Step("silent", during="full"),),
        ANSWERS,
        drawn=False,
    ),
    "rebooted-alone": Defect(
        "a node that has lost power is cut off, and has forgotten what it had promised",
        (Step("booted"), Step("alone")),
        HOLDS_ALONE,
    ),
    "reached-unplugged": Defect(
        "a cut that heals leaves a peer forgotten: when the cable is lost, the address is not given up",
        (Step("reached"), Step("unplugged")),
        HOLDS_ALONE,
    ),
    "rejoined-unplugged": Defect(
        "a node that was removed and has joined again loses its cable, and counts the votes of before",
        (Step("joined"), Step("unplugged")),
        HOLDS_ALONE,
        drawn=False,
    ),
    "announced-once": Defect(
        "a node that takes over for the second time, since the first holder died, does not announce it",
        (Step("took over"), Step("died"), Step("took over")),
        UNANNOUNCED,
        ahead=1,
    ),
    "frozen-alone": Defect(
        "a node that has stood still is cut off, and answers nobody when it leads again",
        (Step("froze"), Step("alone")),
        DEAF,
    ),
    "reached-nameless": Defect(
        "a cut heals while no name can be found, and the node looks for its peers where they are not",
        (Step("reached", during="nameless"),),
        STAYS_OUT,
    ),
    "reached-rebooted": Defect(
        "a node that was cut off loses its power, and comes back with what it knew of the others in the cut",
        (Step("reached"), Step("booted")),
        STAYS_OUT,
    ),
    "died-lossy": Defect(
        "a node dies while packets are lost, and what another is configured with is that of before",
        (Step("died", during="lossy"),),
        DIFFERS,
    ),
    "set-back-alone": Defect(
        "the clock of a node goes back while it is cut off, and what the others wrote meanwhile looks old",
        (Step("set back", during="alone"),),
        LOSES,
        drawn=False,
    ),
    "deaths-apart": Defect(
        "two nodes die within a few seconds, and what the store had acknowledged is not there any more",
        (Step("died"), Step("died", apart_s=(0.7, 6.0))),
        LOSES,
    ),
    "frozen-reached-rebooted": Defect(
        "a node stands still, is cut off and found again, loses its power, and brings an old store back",
        (Step("froze"), Step("reached"), Step("booted")),
        LOSES,
        faults=3,
    ),
}
