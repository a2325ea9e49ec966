"""The claim, told in text files (stories/*.txt) and held to what they say.

Three nodes, n1 to n3, whose disks are as quick as their network, unless said otherwise. Commands:

    want n1, give-up n1         n1 is to run the exclusive services (it holds the lease), and is not any more
    stopped n1                  its services have ended
    settle                      everything under way arrives, and what is answered, too
    hold-back                   the same, but what asks to write a claim down stays under way
    let-go                      what was held back arrives
    freeze n1, thaw n1          nothing reaches it, its services run on; and all of that again
    poweroff n1, boot n1        everything on it is gone but its disk; it starts from there
    fenced n1 by n2             n2 has seen that n1 is without power
    refuse n1                   n1's disk refuses what is to be saved next
    wait 100                    so many milliseconds pass
    running                     where the services run
"""

from pathlib import Path

import pytest

from harness.stack.sfha.claim.core import (
    Action,
    ClaimCore,
    Fenced,
    Permitted,
    Saved,
    Send,
    WaitsFor,
    Wake,
    Wanted,
    Withdrawn,
)
from harness.stack.sfha.claim.messages import NOBODYS, Ask, Ballot, Claim, Message, Over, Stored, Tell
from tests.stack.sfha import transcripts
from tests.stack.sfha.claim.test_core import NODES, World

STORIES = Path(__file__).parent / "stories"


def ballot(one: Ballot) -> str:
    return "none" if one == NOBODYS else f"{one.round} of n{one.node}"


def in_words(message: Message) -> str:
    """What a message says."""
    match message:
        case Ask(asked, accept, waits_for):
            wanted = f"write down claim {ballot(asked)}" if accept else f"promise {ballot(asked)}"
            return wanted + (f", I wait for {ballot(waits_for)}" if waits_for != NOBODYS else "")
        case Tell(asked, accept, ok, stored):
            done = ("written" if accept else "promised") if ok else "refused"
            return f"{done} {ballot(asked)}; {known(stored)}"
        case Over(ended):
            return f"claim {ballot(ended)} is over"


def known(stored: Stored) -> str:
    """What a voter knows."""
    claim = stored.claim
    knows = "I know of no claim" if claim.ballot == NOBODYS else f"I know of claim {ballot(claim.ballot)}"
    return knows + (", over" if claim.over and claim.ballot != NOBODYS else "")


class ToldWorld(World):
    """A world that says what happens in it; ``core`` is what its nodes run."""

    def __init__(self, core: type[ClaimCore]) -> None:
        self.lines: list[str] = []
        self.refusing: set[int] = set()
        super().__init__(prompt=True, core=core)
        self.lines.clear()

    def did(self, node: int, action: Action) -> None:
        if words := self.words(action):
            self.lines.append(f"n{node} {words}")

    def words(self, action: Action) -> str:
        match action:
            case Send(to, message):
                return f"to {'all' if to is None else f'n{to}'}: {in_words(message)}"
            case Permitted():
                return "RUNS the services"
            case Withdrawn():
                return "has to stop the services"
            case WaitsFor(None):
                return "waits for nobody any more"
            case WaitsFor(node):
                return f"waits for n{node}"
        return ""

    def save(self, node: int) -> None:
        if node in self.refusing and self.machines[node].unsaved:
            self.refusing.discard(node)
            self.machines[node].unsaved.clear()
            self.lines.append(f"n{node} disk refuses")
            self.tell(node, Saved(ok=False))
        else:
            super().save(node)


class Story:
    """Carries out the commands of one file."""

    def __init__(self, core: type[ClaimCore] = ClaimCore) -> None:
        self.world = ToldWorld(core)
        self.held_back: list[tuple[int, int, Message]] = []

    def __call__(self, command: str, words: list[str]) -> list[str]:
        transcripts.carry_out(self, command, words)
        lines, self.world.lines = self.world.lines, []
        assert len(self.world.running()) <= 1, self.world.running()
        return lines

    def node(self, word: str) -> int:
        node = int(word.removeprefix("n"))
        if node not in NODES:
            raise ValueError(f"there is no {word}")
        return node

    def do_want(self, who: str) -> None:
        self.world.tell(self.node(who), Wanted(True))

    def do_give_up(self, who: str) -> None:
        self.world.tell(self.node(who), Wanted(False))

    def do_stopped(self, who: str) -> None:
        self.world.stop_service(self.node(who))

    def do_settle(self) -> None:
        self.world.settle()

    def do_hold_back(self) -> None:
        while self.world.wire:
            if isinstance(message := self.world.wire[0][2], Ask) and message.accept:
                self.held_back.append(self.world.wire.pop(0))
            else:
                self.world.deliver(0)

    def do_let_go(self) -> None:
        self.world.wire, self.held_back = [*self.world.wire, *self.held_back], []
        self.world.settle()

    def do_freeze(self, who: str) -> None:
        self.world.machines[self.node(who)].powered = False

    def do_thaw(self, who: str) -> None:
        self.world.machines[self.node(who)].powered = True

    def do_poweroff(self, who: str) -> None:
        self.world.power_off(self.node(who))

    def do_boot(self, who: str) -> None:
        self.world.boot(self.node(who))

    def do_fenced(self, who: str, _by: str, by: str) -> None:
        self.world.tell(self.node(by), Fenced(self.node(who)))

    def do_refuse(self, who: str) -> None:
        self.world.refusing.add(self.node(who))

    def do_wait(self, for_ms: str) -> None:
        self.world.now_s += int(for_ms) / 1000
        for node, machine in self.world.machines.items():
            if machine.powered:
                self.world.tell(node, Wake())

    def do_running(self) -> None:
        self.world.lines.append(", ".join(f"n{node}" for node in self.world.running()) or "nowhere")


@pytest.mark.parametrize("path", transcripts.stories(STORIES), ids=lambda path: path.stem)
def test_it_goes_as_the_story_says(path: Path) -> None:
    transcripts.check(path, Story())


class CoreThatTakesWhatItLikes(ClaimCore):
    """A claim of another node that is not over does not hinder it."""

    def _learn(self, claim: Claim) -> None:
        super()._learn(Claim())


def test_a_core_that_breaks_the_rule_tells_another_story() -> None:
    def differs(path: Path) -> bool:
        try:
            return transcripts.as_it_happens(path, Story(CoreThatTakesWhatItLikes)) != path.read_text(encoding="utf-8")
        except AssertionError:  # the services run twice
            return True

    assert any(differs(path) for path in transcripts.stories(STORIES))
