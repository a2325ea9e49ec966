"""The MooseFS that this host uses, or is a part of."""

from ...autonomy.core import Act
from ..core.declared import Found, Incident, Limits
from ..core.facts import Facts

FULL = 0.97
GETTING_FULL = 0.90


def unreachable_master(facts: Facts) -> Found:
    """No answer."""
    for one in facts.masters:
        if one.error:
            yield one.address, f"the master of {one.point} does not answer: {one.error}"


def read_only_mount(facts: Facts) -> Found:
    """Nothing can be written there."""
    for one in facts.masters:
        if one.read_only:
            yield one.point, "it is mounted read-only"


def mfsbdev_gone(facts: Facts) -> Found:
    """Its daemon died: devices are gone, links and locks stay."""
    if facts.mfsbdev_gone:
        yield "mfsbdev", "volumes were mapped by it, and its daemon does not listen"


def changelogs_only(facts: Facts) -> Found:
    """A metalogger that could not become a master."""
    found = facts.metalogger
    if found is not None and not found.has_metadata:
        yield found.folder, f"{found.changelogs} changelogs, and no metadata that they belong to"


def full_chunkserver(facts: Facts) -> Found:
    """It takes no more chunks."""
    for folder, share in facts.chunk_folders.items():
        if share >= FULL:
            yield folder, f"{100 * share:.0f} % are used"


def filling_chunkserver(facts: Facts) -> Found:
    """Soon it takes no more."""
    for folder, share in facts.chunk_folders.items():
        if GETTING_FULL <= share < FULL:
            yield folder, f"{100 * share:.0f} % are used"


INCIDENTS = (
    Incident(
        "unreachable-master",
        "critical",
        unreachable_master,
        "on the master: is mfsmaster running, does a packet filter keep port 9421 shut? Files are whole; writing waits",
    ),
    Incident(
        "read-only-mount",
        "warning",
        read_only_mount,
        "mount it for writing",
        "mount it for writing",
        Act.MEND,
        Limits(tries=1),
        proof=lambda facts, point: not any(one.point == point and one.read_only for one in facts.masters),
    ),
    Incident(
        "mfsbdev-gone",
        "critical",
        mfsbdev_gone,
        "mfsbdev start; locks that the dead one held: mfscli -CRS/SESSION",
        "start mfsbdev",
        Act.MEND,
        Limits(tries=2, apart_s=60),
        proof=lambda facts, _: not facts.mfsbdev_gone,
    ),
    Incident(
        "changelogs-only",
        "critical",
        changelogs_only,
        "mfsmetalogger restart: it fetches the metadata when it connects",
        "restart the metalogger",
        Act.MEND,
        Limits(tries=2, apart_s=300),
        proof=lambda facts, _: facts.metalogger is not None and facts.metalogger.has_metadata,
        patience=12,
    ),
    Incident(
        "full-chunkserver", "critical", full_chunkserver, "add disks, or take files away; mark none for removal now"
    ),
    Incident("filling-chunkserver", "warning", filling_chunkserver, "plan for more disks"),
)
