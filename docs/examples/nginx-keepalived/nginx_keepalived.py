"""A web server on every node, and keepalived, which moves one address between them (VRRP)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import AddressPlan, Condition, NodeFile, Subject, Topology, each_address, held_by_one_of, starts_at_boot

HERE = Path(__file__).parent


@dataclass(frozen=True)
class NginxKeepalived(Subject):
    """The first node has the highest priority, and takes the address back when it returns."""

    name = "nginx-keepalived"
    image = "web"
    service_port = 80
    promises = HERE / "promises.toml"
    # Who takes the address back adds it before the other has removed it: VRRP knows no lease.
    standing = (each_address("one_holder", hand_over_s=0.1),)

    advert_s: float = 0.2

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """A page that says which node answers, keepalived's configuration, and what starts both."""
        addresses = " ".join(f"{plan.vip(vip.name)}/24 dev {vip.interface}" for vip in topology.vips)
        configuration = f"""\
global_defs {{
  vrrp_version 3
}}
vrrp_instance web {{
  state BACKUP
  interface eth0
  virtual_router_id 80
  priority {200 - 10 * topology.node_names.index(node)}
  advert_int {self.advert_s:g}
  virtual_ipaddress {{
    {addresses}
  }}
}}
"""
        return (
            NodeFile("/var/www/html/index.html", f"{node}\n".encode()),
            NodeFile("/etc/keepalived/keepalived.conf", configuration.encode()),
            starts_at_boot(40, "nginx", "/usr/sbin/nginx -g 'daemon off;'"),
            starts_at_boot(60, "keepalived", "/usr/sbin/keepalived --dont-fork --log-console --vrrp"),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """The first node with power has each address."""
        return [held_by_one_of(plan.vip(vip.name), up[:1]) for vip in topology.vips]
