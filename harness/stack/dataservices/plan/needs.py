"""What a module stands on that no package of the distribution brings. Pure.

It is looked for before anything is changed. Where it is not there the module is *not shown here*: neither tried, nor
ever called complete.
"""

from collections.abc import Mapping, Sequence

from ..inventory.core import Server
from ..programs.core import NotShownHere
from .core import Ask, Decided, Stage, Undecided

_THERE = "there"


def present(what: str, test: str, servers: Sequence[Server], how: str) -> Stage:
    """One of a plan's ``needs``: a shell command that changes nothing succeeds on all of these servers."""
    ask = Ask(f"if {test} >/dev/null 2>&1; then echo {_THERE}; else echo absent; fi")

    def decide(answers: Mapping[str, tuple[str, ...] | None]) -> Decided:
        if silent := [name for name, lines in answers.items() if lines is None]:
            raise Undecided(f"{', '.join(silent)}: no answer, so nobody knows whether there is {what}")
        if without := [name for name, lines in answers.items() if lines != (_THERE,)]:
            raise NotShownHere(f"there is no {what} on {', '.join(without)}: {how}")
        return Decided(f"{what} is there")

    return Stage(what, {one.name: (ask,) for one in servers}, decide)
