"""A backend is lost while visitors come: what it was doing may fail, and nothing else does.

Visitors and the backends' own notes say so; the platform is not asked.
"""

from fixtures.marks import caught_by, headline, promise, software, topology
from fixtures.multisite.platform import Owner, lost_and_back
from harness.cluster import Cluster
from harness.expectations import posts_executed_once, requests_failed_at_most_in_flight
from harness.faults.process import Freeze, Kill, KillDaemon
from harness.faults.select import node
from harness.subjects.multisite.subject import UNDECLARED, WEB, WEB_SERVER
from harness.traffic import Traffic

LOST = "d1"


@headline
@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-01", "S3-02", "S3-04", "S3-13", "S3-14", "S3-15", "S3-27", "S3-28", "S3-31", "S3-32", "S3-36")
async def test_a_machine_without_power(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """It says no more, not even that its connections are over."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    await lost_and_back(cluster, owner, visits, Kill(node(LOST)), LOST)


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-15", "S3-36")
async def test_a_machine_that_freezes(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """Its kernel takes every connection, and nobody ever answers; when it thaws it does what it was asked."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    await lost_and_back(cluster, owner, visits, Freeze(node(LOST)), LOST)


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-15", "S3-36")
async def test_a_server_that_crashes(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """Its machine lives, and says at once that nobody listens."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    await lost_and_back(cluster, owner, visits, KillDaemon(node(LOST), WEB_SERVER), LOST)


@topology("platform")
@software(UNDECLARED, WEB, tries_again="GET HEAD POST")
@caught_by("posts_executed_once")
async def test_sabotage_posts_are_tried_again(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """Who has a POST and freezes cannot be asked about it: somebody else does it, and he as well when he thaws."""
    cluster.expect(posts_executed_once())
    await owner.begin()
    await lost_and_back(cluster, owner, visits, Freeze(node(LOST)), LOST)
