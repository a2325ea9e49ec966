"""The final validation: every module is looked at as it is now, and nothing is changed.

Looking is the plan itself, as a script that fails where it would have to change something. So what is validated is what
is installed, a file that somebody edited and a unit that stands still included; there is no second list to forget
something in.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..credentials.core import CredentialsWrong
from ..credentials.folder import CredentialsFolder
from ..inventory.core import Inventory, Server
from ..plan.core import Action, Plan
from ..plan.module import Module, ModuleImpossible, placeholders
from ..plan.script import script_of
from ..programs.core import NotShownHere
from .install import Installer, Shell, StageFailed
from .proving import Proof, digest_of, logged
from .ssh import ScriptFailed, Unreachable
from .standing import Found, Standing, concluded, judged


def validate(
    modules: Sequence[Module],
    inventory: Inventory,
    shell: Shell,
    home: Path,
    *,
    whole: bool = True,
    with_programs: Callable[[Module], Module] = lambda module: module,
) -> tuple[Found, ...]:
    """What is found of each of these modules; said, and noted in a log.

    ``whole``: these are all that there are. ``with_programs`` gives a module that knows the programs of it that no
    distribution has, or raises NotShownHere.
    """
    look = _Look(inventory, shell, home, with_programs)
    found = [look.at(module) for module in modules]
    with logged(home / "logs" / "validation.log") as say:
        for line in concluded(found, whole=whole):
            say(line)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Look:
    inventory: Inventory
    shell: Shell
    home: Path
    with_programs: Callable[[Module], Module]

    def at(self, module: Module) -> Found:
        """One module."""
        what = f"module {module.number} {module.name}"
        try:
            module = self.with_programs(module)
            asked = Installer(self.inventory, self.shell, lambda line: None, lambda pause_s: None)
            asked.has_needs(module.plan(self.inventory, placeholders(module)))
            wanted = module.credentials
            secrets = CredentialsFolder(self.home / "credentials").kept(wanted) if wanted else {}
            plan = module.plan(self.inventory, secrets)
        except NotShownHere as error:
            return Found(what, Standing.NOT_SHOWN, str(error))
        except (CredentialsWrong, ModuleImpossible, StageFailed) as error:
            return Found(what, Standing.NOT_PROVEN, str(error))
        proof = Proof(self.home / "proofs" / f"{module.name}.json", digest_of(plan))
        return judged(what, self._wrong(plan), module.failover(self.inventory), proven_at=proof.when())

    def _wrong(self, plan: Plan) -> Sequence[str]:
        """What is not so, by server, of the first stage that has any: what comes after it would follow from that."""
        for stage in plan.stages:
            if stage.decide is not None:  # what it has decided is seen in what comes after it
                continue
            servers = [self.inventory.named(name) for name in stage.actions]
            with ThreadPoolExecutor(max_workers=max(1, len(servers))) as threads:
                found = [*threads.map(self._wrong_on, servers, stage.actions.values())]
            if wrong := [why for why in found if why]:
                return wrong
        return ()

    def _wrong_on(self, server: Server, actions: Sequence[Action]) -> str:
        said: list[str] = []
        try:
            self.shell.run(server, script_of(actions, look=True), said.append)
        except Unreachable as error:
            return f"{server.name}: {error}"
        except ScriptFailed as error:
            # A line each of those that are so; the next one is not.
            action = actions[len(said)].said() if len(said) < len(actions) else "its shell"
            return f"{server.name}: {action}: {error}"
        return ""
