"""An operator does something to nodes."""

from typing import Annotated

from harness.cluster import Cluster
from harness.errors import EngineError, UsageError
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Nodes, fault
from harness.faults.declared import OnNodes, judged, whom
from harness.healing import HealAction, RunInNode
from harness.subjects.subject import OperatorAction

_DONE, _NOT_DONE = 0, 1


@fault(
    family="operator",
    example="n2 other-port",
    proof="a command in the node, which looks at more than what the system says of itself, finds it done",
)
class Operate(OnNodes):
    """An operator does something to nodes that run, such as to put them into standby or to edit what configures them.

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
                raise UsageError(f"{self.name}: nobody knows {self._action} on {node}; there is {', '.join(known)}")
            self._actions[node] = known[self._action]
        return tuple(RunInNode(node, action.undo) for node, action in self._actions.items())

    async def inject(self, cluster: Cluster) -> None:
        """On one node after the other, as a person would."""
        for node, action in self._actions.items():
            done = await cluster.engine.exec(node, action.do)
            if done.exit_code != 0:
                said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-1:]
                raise EngineError(f"{node}: {action.name} ended with {done.exit_code}: {' '.join(said)}")

    async def see(self, cluster: Cluster) -> Seen:
        """Ask each node."""
        powered = [node for node in self.targets if cluster.is_up(node)]
        if not powered:
            return Seen(Effect.NONE, "no node has power")
        done = [node for node in powered if await self._is_done(cluster, node)]
        told = ", ".join(f"{node} {'done' if node in done else 'not done'}" for node in powered)
        return judged(len(done), len(powered), f"{self._action}: {told}")

    async def _is_done(self, cluster: Cluster, node: str) -> bool:
        found = await cluster.engine.exec(node, self._actions[node].seen)
        if found.exit_code not in (_DONE, _NOT_DONE):
            said = found.stderr.decode(errors="replace").strip()
            raise EngineError(f"{node}: nobody can say whether {self._action} is done: {said or found.exit_code}")
        return found.exit_code == _DONE


def _actions_of(cluster: Cluster, node: str) -> dict[str, OperatorAction]:
    """By their names; of two subjects with one of the same name the first one's."""
    found: dict[str, OperatorAction] = {}
    for subject in cluster.design.subjects:
        for action in subject.operator_actions(node, cluster.topology, cluster.plan):
            found.setdefault(action.name, action)
    return found
