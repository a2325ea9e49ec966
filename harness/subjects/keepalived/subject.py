"""keepalived: VRRP (RFC 5798) as others run it, to measure our measurements by (keepalived.conf(5))."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.addresses import AddressPlan
from harness.conditions import Condition, held_by_one_of
from harness.engines.engine import NodeFile
from harness.subjects.boot import starts_at_boot
from harness.subjects.subject import OperatorAction, Subject
from harness.topology import Topology

HIGHEST_PRIORITY = 150
PRIORITY_STEP = 50
_CONFIG = "/etc/keepalived/keepalived.conf"
_RELOAD = "pkill -HUP --oldest --exact keepalived"


@dataclass(frozen=True, slots=True)
class Keepalived(Subject):
    """One VRRP instance for all virtual addresses; the first node of the topology has the highest priority."""

    name = "keepalived"

    advert_s: float = 1.0

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """The one with the highest priority holds each address: it takes it back when it returns."""
        return [held_by_one_of(plan.vip(vip.name), up[:1]) for vip in topology.vips]

    def priority(self, node: str, topology: Topology) -> int:
        """150 for the first node, then 100, 50."""
        return max(1, HIGHEST_PRIORITY - PRIORITY_STEP * topology.node_names.index(node))

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Configuration and start script."""
        addresses = "\n".join(f"    {plan.vip(vip.name)}/24 dev {vip.interface}" for vip in topology.vips)
        configuration = f"""\
global_defs {{
  router_id {node}
  vrrp_version 3
}}
vrrp_instance service {{
  state BACKUP
  interface eth0
  virtual_router_id 77
  priority {self.priority(node, topology)}
  advert_int {self.advert_s:g}
  virtual_ipaddress {{
{addresses}
  }}
}}
"""
        start = "/usr/sbin/keepalived --dont-fork --log-console --use-file /etc/keepalived/keepalived.conf --vrrp"
        return (
            NodeFile("/etc/keepalived/keepalived.conf", configuration.encode()),
            starts_at_boot(60, self.name, "mkdir -p /run/keepalived", start),
        )

    def operator_actions(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[OperatorAction]:
        """A lower priority, by an editor."""
        kept, edit = f"{_CONFIG}.operator", "s/^  priority .*/  priority 1/"
        holds = " || ".join(f"ip -o address show to {plan.vip(vip.name)} | grep -q ." for vip in topology.vips)
        return (
            OperatorAction(
                name="standby",
                about="its priority is edited to be 1, and the configuration reloaded: whoever has more takes over",
                do=("sh", "-c", f"cp {_CONFIG} {kept} && sed -i '{edit}' {_CONFIG} && {_RELOAD}"),
                undo=("sh", "-c", f"[ ! -e {kept} ] || {{ mv {kept} {_CONFIG} && {_RELOAD}; }}"),
                seen=("sh", "-c", f"[ -e {kept} ] && ! {{ {holds or 'false'}; }}"),
            ),
        )

    def longest_failover_s(self, topology: Topology) -> float:
        """Master_Down_Interval of the second node (RFC 5798, 6.1): 3 x advert + skew, counted from the last advert."""
        second = self.priority(topology.node_names[1], topology)
        return 3 * self.advert_s + (256 - second) * self.advert_s / 256
