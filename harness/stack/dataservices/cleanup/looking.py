"""What a server is asked about declared devices and its table of mounts, and how its answer is read. Pure."""

import base64
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from ..plan.core import Ask
from .core import Declared, Seen

_MODE = re.compile(r"[0-7]{1,4}")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Looked:
    """One server's devices, in the order in which they were asked for, and its /etc/fstab."""

    seen: tuple[Seen, ...]
    fstab: str
    mode: int
    owner: str
    same: frozenset[tuple[int, str]] = field(default_factory=frozenset)
    """(device, source of a mount) where both are one."""


def look(devices: Sequence[Declared]) -> Ask:
    """What is there, now."""
    program = files(__package__).joinpath("look.sh").read_text(encoding="utf-8")
    words = shlex.join(["sh", "-c", program, "look", *(one.device for one in devices)])
    names = ", ".join(one.device for one in devices)
    return Ask(words, about=f"what {names} carries, now" if devices else "that it is there")


def read_look(lines: Iterable[str], count: int) -> Looked | None:
    """None for an answer that is not whole."""
    told: dict[str, dict[str, list[str]]] = {str(number): {} for number in range(count)}
    fstab: str | None = None
    mode: str | None = None
    owner = ""
    same: set[tuple[int, str]] = set()
    for line in lines:
        word, _, rest = line.partition(" ")
        match word, rest.split(" ", 1):
            case "fstab", [how, whose] if _MODE.fullmatch(how):
                mode, owner = how, whose
            case "table", [encoded]:
                fstab = _decoded(encoded)
            case "same", [number, source] if number in told:
                same.add((int(number), source))
            case _, [what, *value] if word in told:
                told[word].setdefault(what, []).append(_plain("".join(value)))
            case _:
                return None
    if fstab is None or mode is None or any("looked" not in one for one in told.values()):
        return None
    return Looked(tuple(map(_seen, told.values())), fstab, int(mode, 8), owner, frozenset(same))


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None


def _seen(told: dict[str, list[str]]) -> Seen:
    return Seen(
        exists="exists" in told,
        mounted_at=tuple(told.get("mounted", ())),
        holders=tuple(told.get("holder", ())),
        partitions=tuple(told.get("partition", ())),
        carries_system="system" in told,
    )


def _plain(text: str) -> str:
    """A name as it is: in tables of mounts, spaces are octal."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
