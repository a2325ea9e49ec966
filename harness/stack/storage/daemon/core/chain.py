"""The audit log: lines of which each holds the digest of the one before, and what tells that one is not as it was.

A chain alone does not show that its end was cut off. So the head (how many lines, and the digest of the last) is kept
apart, and shown to whoever may keep it elsewhere: who can write both files can write another history, but none with a
head that was seen before.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends."""

    lines: int = 0
    digest: str = START


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: who did what, when (UTC) and why, and what else is known of it."""

    at: str
    who: str
    what: str
    why: str = ""
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and at which line of the file (from 1)."""

    line: int
    what: str


def appended(head: Head, entry: Entry) -> tuple[bytes, Head]:
    """The line of an entry, and the head after it."""
    body = {
        "n": head.lines + 1,
        "at": entry.at,
        "who": entry.who,
        "what": entry.what,
        "why": entry.why,
        "detail": dict(entry.detail or {}),
        "before": head.digest,
    }
    digest = _digest(body)
    line = json.dumps(body | {"digest": digest}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return line.encode() + b"\n", Head(head.lines + 1, digest)


def whole(content: bytes) -> tuple[Head, int]:
    """The head by what stands there, and how many bytes are whole lines: a torn last one never was answered for."""
    length = content.rfind(b"\n") + 1
    lines = content[:length].splitlines()
    last = _read(lines[-1]) if lines else None
    if last is None:
        return Head(len(lines), START), length
    return Head(int(str(last["n"])), str(last["digest"])), length


def verified(content: bytes, head: Head | None) -> list[Fault]:
    """Everything that is wrong; empty where the log is what was written, up to ``head`` at least.

    One line more than the head knows is no fault: the power may fail between the two.
    """
    faults, found = [], Head()
    length = content.rfind(b"\n") + 1
    for number, line in enumerate(content[:length].splitlines(), start=1):
        body = _read(line)
        if body is None:
            faults.append(Fault(number, "is no entry of this log: it was changed, or put in"))
            found = Head(found.lines + 1, found.digest)
            continue
        what = _compared(body, found)
        faults += [Fault(number, what)] if what else []
        found = Head(int(str(body["n"])), str(body["digest"]))
    if head is not None:
        faults += _against(content[:length], found, head)
    return faults


def _compared(body: Mapping[str, object], before: Head) -> str:
    content = {key: value for key, value in body.items() if key != "digest"}
    if _digest(content) != body["digest"]:
        return "was changed: it is not what its digest was made of"
    if body["before"] == before.digest and body["n"] == before.lines + 1:
        return ""
    number = int(str(body["n"]))
    if number > before.lines + 1:
        return f"entries {before.lines + 1} to {number - 1} were cut out before it"
    if number <= before.lines:
        return f"has number {number} a second time: it, or the one before it, was put in"
    return "does not follow the entry before it: one of them was changed"


def _against(content: bytes, found: Head, head: Head) -> Iterator[Fault]:
    lines = content.splitlines()
    if len(lines) < head.lines:
        yield Fault(len(lines) + 1, f"the end was cut off: there were {head.lines} entries, there are {len(lines)}")
        return
    body = _read(lines[head.lines - 1]) if head.lines else None
    if head.lines and (body is None or body["digest"] != head.digest):
        yield Fault(head.lines, "is not the entry that the head was kept of: the log was written anew, or put into")
    elif len(lines) > head.lines + 1:
        yield Fault(head.lines + 2, f"{found.lines - head.lines - 1} entries follow that nobody answered for")


def _read(line: bytes) -> dict[str, object] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    wanted = {"n": int, "at": str, "who": str, "what": str, "why": str, "detail": dict, "before": str, "digest": str}
    if not isinstance(body, dict) or set(body) != set(wanted):
        return None
    return body if all(isinstance(body[key], kind) for key, kind in wanted.items()) else None


def entries(content: bytes) -> Sequence[Mapping[str, object]]:
    """Those that can be read, in order."""
    return [body for line in content.splitlines() if (body := _read(line)) is not None]


def _digest(body: Mapping[str, object]) -> str:
    text = json.dumps(dict(body), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
