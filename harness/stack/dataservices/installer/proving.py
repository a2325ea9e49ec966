"""A module from its plan to its proof: installed, its failover executed, and only then called complete.

What was proven is kept as a digest of the plan. Where nothing had to be changed and the plan is the one that was
proven, its failover is not executed again: it takes a leader's life.
"""

import datetime
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...kit.durable import write_durably
from ..credentials.folder import CredentialsFolder
from ..inventory.core import Inventory
from ..plan.core import Plan, told
from ..plan.module import Failover, Module, Validated, placeholders
from ..plan.script import script_of
from ..programs.core import NotShownHere
from .install import Installer, Shell

Say = Callable[[str], None]


def told_of(module: Module, inventory: Inventory) -> Iterator[str]:
    """The lines that people are shown instead of its being done; the leader is whoever leads then."""
    yield from told(module.plan(inventory, placeholders(module)))
    if isinstance(failover := module.failover(inventory), Failover):
        yield f"# then, if {failover.candidates[0].name} is who leads:"
        yield from told(failover.plan(failover.candidates[0]))


def install(module: Module, inventory: Inventory, shell: Shell, home: Path, *, prove: bool) -> None:
    """Carry the plan out and, with ``prove``, execute the failover.

    Raises StageFailed; and NotShownHere where what it stands on is not there: nothing was changed then, nor was any
    secret made.
    """
    with logged(home / "logs" / f"module_{module.number}_install.log") as say:
        installer = Installer(inventory, shell, say)
        try:
            installer.has_needs(module.plan(inventory, placeholders(module)))
        except NotShownHere as error:
            say(f"{module.name}: not shown here: {error}")
            raise
        folder = CredentialsFolder(home / "credentials")
        secrets = folder.ensured(module.credentials) if module.credentials else {}
        plan = module.plan(inventory, secrets)
        proof = Proof(home / "proofs" / f"{module.name}.json", digest_of(plan))
        proof.begin()
        tally = installer.carry_out(plan)
        proof.end(changed=tally.changed > 0)
        say(f"{module.name}: {tally.changed} changed, {tally.same} were so already")
    failover = module.failover(inventory)
    with logged(home / "logs" / f"module_{module.number}_test.log") as say:
        if isinstance(failover, Validated):
            say(f"{module.name}: complete: its checks hold, and there is nothing in it that could fail over")
        elif failover is None:
            say(f"{module.name}: not complete: nobody has written a test of its failover yet")
        elif when := proof.when():
            say(f"{module.name}: complete: its failover was executed at {when}, and nothing has changed since")
        elif not prove:
            say(f"{module.name}: not complete: its failover was not executed, as you asked")
        else:
            installer = Installer(inventory, shell, say)
            installer.carry_out(failover.plan(installer.leader(failover)))
            proof.keep()
            say(f"{module.name}: complete: its failover was executed")


def digest_of(plan: Plan) -> str:
    """Of all that the plan does and where."""
    scripts = [[stage.name, name, script_of(does)] for stage in plan.stages for name, does in stage.actions.items()]
    return hashlib.sha256(json.dumps(scripts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Proof:
    """That a failover was executed, of which plan and when.

    Who fails or is killed while he changes something leaves a mark. The next time all may be so already, and nobody
    would know that it was changed since it was proven.
    """

    path: Path
    digest: str

    def begin(self) -> None:
        """From here until ``end`` something may be changed."""
        if self._begun.exists():
            self._revoke()
        write_durably(self._begun, "")

    def end(self, *, changed: bool) -> None:
        """All of it is done; ``changed``: what was proven is not what is there any more."""
        if changed:
            self._revoke()
        self._begun.unlink(missing_ok=True)

    def when(self) -> str:
        """When this plan was proven, or an empty text."""
        if self._begun.exists():
            return ""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return ""
        same = isinstance(kept, dict) and kept.get("plan") == self.digest
        return str(kept.get("at", "")) if same else ""

    def keep(self) -> None:
        """It is proven now."""
        write_durably(self.path, json.dumps({"plan": self.digest, "at": _now()}) + "\n")

    @property
    def _begun(self) -> Path:
        return self.path.with_suffix(".begun")

    def _revoke(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def logged(path: Path) -> Iterator[Say]:
    """What is said goes to people and, with its time, to a log."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as log:

        def say(line: str) -> None:
            log.write(f"{_now()} {line}\n")
            log.flush()
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

        yield say


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
