"""What runs on a node besides its addresses: whether it may, and whether it is certain that no other node runs it."""

from typing import TYPE_CHECKING

from ..claim.permission import Permission
from ..config.resources import Resources
from ..fencing.outlook import Outlook
from ..services.idle import IdleWorkload, workload_for
from ..vips.leased_addresses import LeasedAddresses
from .ports import Ports
from .term import Term

if TYPE_CHECKING:
    from ..services.workload import Workload


class Running:
    """Services and health checks, told of lease, addresses, term and permission."""

    def __init__(
        self, resources: Resources, ports: Ports, leased: LeasedAddresses, term: Term, permission: Permission
    ) -> None:
        self.workload: IdleWorkload | Workload = workload_for(resources, ports.services, ports.log)
        self._leased, self._term, self._permission = leased, term, permission

    def configure(self, resources: Resources, ports: Ports) -> None:
        """Run these from now on; those that stay notice nothing."""
        if isinstance(self.workload, IdleWorkload):
            self.workload = workload_for(resources, ports.services, ports.log)
        else:
            self.workload.configure(resources, ports.clock())

    def follow(self, *, leads: bool, stopping: bool, now_s: float) -> None:
        """Services run where the lease is held and every address is up, or is known not to come up."""
        if isinstance(self.workload, IdleWorkload):
            return
        held, up = self._leased.held, self._leased.up
        may_run = self._term.may_run(held=held, leads=leads, settled=self._leased.settled, up=up, now_s=now_s)
        self.workload.conditions(
            run=may_run and not stopping,
            vips_up=self._term.up(held=held, up=up),
            exclusive_permitted=self._permission.permitted,
            abrupt=not held,
            now_s=now_s,
        )

    def ask(self, standing: Outlook) -> bool:
        """Ask whether it is certain that no other node runs what must never run twice; True for another answer."""
        some = self.workload.has_exclusive or self._leased.has_unguarded
        wants = self._leased.held and some and not self._term.ending
        stopped = self.workload.exclusive_stopped and self._leased.unguarded_gone
        if not self._permission.follow(standing, wants=wants, stopped=stopped):
            return False
        self._leased.permit(self._permission.permitted)
        return True
