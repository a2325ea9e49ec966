"""The settings of what is done for volumes that are well: storage classes by use, and snapshots."""

from pathlib import Path

from ...kit.settings import Section
from ..snapshots import core as snapshots_core
from ..snapshots import taking
from ..tiering import looking
from ..tiering.core import Policy, Tier
from ..tiering.use import Folder

HOUR_S = 3600


def tiering(one: Section) -> looking.Wanted:
    """Raises ConfigError."""
    folders = []
    for each in one.sections("folders"):
        folders.append(Folder(_folder(each, "path", each.text("path")), each.number("least_copies", 2, 1, 9)))
        each.done()
    tiers = []
    for each in one.sections("tiers"):
        tiers.append(Tier(each.text("class"), each.number("idle_h", 0, 0, 87600) * HOUR_S))
        each.done()
    if not folders:
        raise one.wrong("folders", "must name at least one")
    borders = [tier.idle_s for tier in tiers]
    if len(tiers) < 2 or borders[0] or borders != sorted(set(borders)):
        raise one.wrong(
            "tiers", "must be two at least, the hottest first, without idle_h, and each later one with more"
        )
    if len({tier.storage_class for tier in tiers}) < len(tiers):
        raise one.wrong("tiers", "must have a class each")
    policy = Policy(
        tuple(tiers),
        busy_bytes_per_s=one.number("busy_kib_s", 1024, 1, 1 << 30) << 10,
        stay_s=one.number("stay_h", 168, 1, 87600) * HOUR_S,
        most_changes=one.number("most_changes", 4, 1, 100),
        most_bytes=one.number("most_gib", 1024, 1, 1 << 20) << 30,
    )
    found = looking.Wanted(tuple(folders), policy, one.number("every_s", 600, 1, 86400))
    one.done()
    return found


def snapshots(one: Section) -> taking.Wanted:
    """Raises ConfigError."""
    folders = []
    for each in one.sections("folders"):
        folders.append(_folder(each, "path", each.text("path")))
        each.done()
    if not folders:
        raise one.wrong("folders", "must name at least one")
    policy = snapshots_core.Policy(
        every_s=one.number("every_h", 24, 1, 8760) * HOUR_S,
        keep=one.number("keep", 7, 1, 1000),
        keep_before=one.number("keep_before", 2, 1, 100),
    )
    found = taking.Wanted(tuple(folders), policy, one.number("every_s", 60, 1, 3600))
    one.done()
    return found


def _folder(one: Section, key: str, path: str) -> Path:
    if not path.startswith("/"):
        raise one.wrong(key, f"must be absolute, not {path}")
    return Path(path)
