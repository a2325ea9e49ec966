"""`mfs-autonomy` as a process of its own, other tools beside it in turns, and the files that both are given."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.bench.figures import Figure
from harness.errors import HarnessError

MIB = 1 << 20
PROGRAM = "harness.stack.storage"
WITHIN_S = 300.0
SEED = 20
Say = Callable[[str], None]


class Failed(HarnessError):
    """A tool did not do what is measured."""


@dataclass
class Series:
    """What is measured in turns: each ``work`` once a round."""

    what: str
    work: Callable[[], float]
    """Seconds."""
    values_s: list[float] = field(default_factory=list)

    def figure(self, remark: str = "") -> Figure:
        """Its row."""
        return Figure(self.what, tuple(self.values_s), remark)


def in_turns(series: Sequence[Series], runs: int, say: Say) -> None:
    for number in range(runs):
        for one in series:
            say(f"{one.what}: {number + 1} of {runs}")
            one.values_s.append(one.work())


def environment() -> dict[str, str]:
    """Ours, with which Python keeps bytecode: what is measured is a program that ran here before."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def command(*words: object, code: int = 0) -> str:
    """What it said; any other exit code is a failure of the measurement."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
        env=environment(),
    )
    if done.returncode != code:
        raise Failed(
            f"{' '.join(map(str, words[:3]))} ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}"
        )
    return done.stdout


def ours(where: Path, *arguments: object) -> list[object]:
    """`mfs-autonomy` with state of its own."""
    return [sys.executable, "-m", PROGRAM, "--state", where / "state", "--run", where / "run", *arguments]


def median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def make(path: Path, size_mib: int, *, holes: bool, seed: int = SEED) -> None:
    """Of chance, so that nothing on the way makes it smaller."""
    chance = random.Random(seed)
    with open(path, "wb") as file:
        file.truncate(size_mib * MIB)
        for number in range(size_mib):
            if holes and chance.random() < 0.8:
                continue
            file.seek(number * MIB)
            file.write(chance.randbytes(MIB))
        file.flush()
        os.fsync(file.fileno())


def took(work: Callable[[], object]) -> float:
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s
