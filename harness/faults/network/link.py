"""A site is at the end of another link."""

import statistics
from collections.abc import Sequence
from typing import Annotated

from harness.character import PROFILES
from harness.cluster import Cluster
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Choice, Sites, fault
from harness.faults.select import sites_called
from harness.faults.shaping import Shaping

_CANARIES = 10


@fault(
    family="network",
    example="dijon --profile ocean",
    proof="canaries there and back are longer on their way by the latency of the profile, less its jitter",
)
class Link(Shaping):
    """What leaves sites for others, and what comes in from there, passes a link with the character of a profile.

    On top of what its links do already. docs/links.md says what each profile does.
    """

    def __init__(
        self,
        sites: Sites,
        profile: Annotated[str, Choice(tuple(name for name in PROFILES if name != "lan"), "the character")] = "ocean",
    ) -> None:
        self._sites = sites_called(sites) if isinstance(sites, str) else sites
        self._character = PROFILES[profile]
        self._least_s = (self._character.latency_ms - self._character.jitter_ms) / 1000
        longest_s = (self._character.latency_ms + self._character.jitter_ms) / 1000
        self.train = Train(_CANARIES, 0.003, last_within_s=longest_s)
        self.bites_within_s += longest_s

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        sites = self._sites(cluster)
        return sites, tuple(map(cluster.topology.endpoints_at, sites))

    def lacks(self, cluster: Cluster) -> str | None:
        """Somebody outside of the site, maybe."""
        if len(cluster.topology.site_names) == 1 and not cluster.topology.endpoints_at("wan"):
            return "the topology has one site, and nobody outside of it: take one with several"
        return super().lacks(cluster)

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        delays_s = [one.delay_s - on_the_way.latency_s for one in arrived]
        told = f"{len(arrived)} canaries, {min(delays_s) * 1000:.1f} ms and more longer on their way"
        if min(delays_s) >= self._least_s - (on_the_way.longest_s - on_the_way.latency_s):
            return Effect.ALL, told
        return (Effect.NONE if statistics.median(delays_s) < self._least_s / 2 else Effect.SOME), told
