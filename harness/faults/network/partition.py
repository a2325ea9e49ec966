"""Groups of nodes that a person names are parted."""

from harness.cluster import Cluster
from harness.errors import UsageError
from harness.fabric.layout import Flow, partition
from harness.faults.cutting import Cutting
from harness.faults.declaration import Group, fault


@fault(family="network", example="n1 n2,n3", proof="canaries between the groups are lost, and its rules count them")
class Partition(Cutting):
    """These groups from each other; clients, and nodes in no group, reach everybody."""

    def __init__(self, *groups: Group) -> None:
        self._groups = tuple(tuple(group) for group in groups)

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        if len(self._groups) < 2:
            raise UsageError("partition: name two groups at least, such as n1 n2,n3")
        for name in (name for group in self._groups for name in group):
            cluster.topology.place_of(name)
        names = [name for group in self._groups for name in group]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"partition: {name} is named more than once, and can be on one side only")
        return tuple("+".join(group) for group in self._groups), partition(*self._groups)
