"""An operator does something to nodes."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.errors import EngineError, HealFailed, UsageError
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Nodes, fault
from harness.faults.declared import OnNodes, whom
from harness.healing import HealAction, RunInNode, RunInNodeTold, group_of
from harness.near import meant
from harness.subjects.subject import OperatorAction, Told

_DONE, _NOT_DONE = 0, 1
_AN_OPERATOR_WAITS_S = 60.0
"""For a command: a package is installed on a node whose kernel is slow."""


@fault(
    family="operator",
    example="n2 other-port",
    proof=(
        "a command in the node, which looks at more than what the system says of itself, finds it done, and so does "
        "one in another node where the others have to notice"
    ),
)
class Operate(OnNodes):
    """An operator does something to nodes that run: puts them into standby, edits what configures them, removes them.

    What that can be each system that runs there says (operator_actions of its subject): the command, what takes it
    back, and what shows that it is done. It is nothing that breaks anything by itself: it is for the middle of
    something else.
    """

    bites_within_s = 10.0
    gone_within_s = 20.0

    def __init__(
        self,
        nodes: Nodes,
        action: Annotated[str, Aim("ACTION", "what one of the systems that run there lets an operator do")],
    ) -> None:
        self._whom = whom(nodes)
        self._action = action
        self._actions: dict[str, OperatorAction] = {}

    def lacks(self, cluster: Cluster) -> str | None:
        """Somebody who lets an operator do something."""
        if any(_actions_of(cluster, node) for node in cluster.topology.node_names):
            return None
        names = ", ".join(subject.name for subject in cluster.design.subjects)
        return f"{names} declares no action of an operator (operator_actions)"

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power, and the action of that name of each."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            known = _actions_of(cluster, node)
            if self._action not in known:
                there_is = f"there is {', '.join(known) or 'nothing'}{meant(self._action, known)}"
                raise UsageError(f"{self.name}: nobody knows {self._action} on {node}; {there_is}")
            self._actions[node] = known[self._action]
        return tuple(_carried_out(cluster, node, action.undo) for node, action in self._actions.items())

    async def inject(self, cluster: Cluster) -> None:
        """On one node after the other, as a person would."""
        for node, action in self._actions.items():
            for file in action.files():
                await cluster.engine.write_file(node, file)
            try:
                await self._do(cluster, node, action.do)
            except (EngineError, HealFailed) as error:
                raise EngineError(f"{node}: {action.name}: {error}") from error

    async def _do(self, cluster: Cluster, node: str, do: tuple[str, ...] | Told) -> None:
        if isinstance(do, Told):
            await asyncio.to_thread(_carried_out(cluster, node, do).carry_out, cluster.life.machines.run)
            return
        done = await cluster.engine.exec(node, do, timeout_s=_AN_OPERATOR_WAITS_S)
        if done.exit_code != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-1:]
            raise EngineError(f"ended with {done.exit_code}: {' '.join(said)}")

    async def see(self, cluster: Cluster) -> Seen:
        """Ask each node, and where the others have to notice one of those."""
        powered = [node for node in self.targets if cluster.is_up(node)]
        if not powered:
            return Seen(Effect.NONE, "no node has power")
        looks: list[bool] = []
        told: list[str] = []
        for node in powered:
            done = await self._is_done(cluster, node)
            looks.append(done)
            told.append(f"{node} {'done' if done else 'not done'}")
            if self._actions[node].elsewhere:
                witness = await self._witness(cluster, node)
                looks.append(bool(witness))
                told[-1] += f" (so {witness} as well)" if witness else " (nobody else says so)"
        effect = Effect.ALL if all(looks) else Effect.SOME if any(looks) else Effect.NONE
        return Seen(effect, f"{self._action}: {', '.join(told)}")

    async def _is_done(self, cluster: Cluster, node: str) -> bool:
        found = await cluster.engine.exec(node, self._actions[node].seen)
        if found.exit_code not in (_DONE, _NOT_DONE):
            said = found.stderr.decode(errors="replace").strip()
            raise EngineError(f"{node}: nobody can say whether {self._action} is done: {said or found.exit_code}")
        return found.exit_code == _DONE

    async def _witness(self, cluster: Cluster, node: str) -> str:
        """The first of the other nodes that finds it done; none of those that stand still."""
        run = cluster.life.machines.run
        for other in cluster.all_but((node,)):
            if cluster.is_up(other) and not group_of(run, other).freezing():
                found = await cluster.engine.exec(other, self._actions[node].elsewhere)
                if found.exit_code == _DONE:
                    return other
        return ""


def _carried_out(cluster: Cluster, node: str, command: tuple[str, ...] | Told) -> RunInNode | RunInNodeTold:
    """A command, by any process."""
    if isinstance(command, Told):
        others = cluster.all_but((node,))
        return RunInNodeTold(node, command.command, command.asks, others, command.unless)
    return RunInNode(node, command, _AN_OPERATOR_WAITS_S)


def _actions_of(cluster: Cluster, node: str) -> dict[str, OperatorAction]:
    """By their names; of two subjects with one of the same name the first one's."""
    found: dict[str, OperatorAction] = {}
    for subject in cluster.design.subjects:
        for action in subject.operator_actions(node, cluster.topology, cluster.plan):
            found.setdefault(action.name, action)
    return found
