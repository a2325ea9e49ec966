"""What the platform's owner relies on: his declarations are kept and obeyed, and traffic does not hang on any of it."""

from collections.abc import Callable

import pytest

from fixtures.marks import promise, software, topology
from fixtures.multisite.platform import DIJON, HEADERS, Owner, lost_and_back
from harness.cluster import Cluster
from harness.events import Json
from harness.expectations import posts_executed_once, requests_failed_at_most_in_flight
from harness.fault import Fault
from harness.faults.network import CutSite
from harness.faults.process import Freeze, Kill, KillDaemon
from harness.faults.select import node
from harness.subjects.multisite.subject import COMMAND, DOMAIN, EDGE, UNDECLARED, WEB, WEB_SERVER
from harness.traffic import Traffic
from harness.wait import until

OTHER_DOMAIN = "shop.example.test"
LOST: dict[str, Callable[[], Fault[Cluster]]] = {
    "a server": lambda: KillDaemon(node("d1"), WEB_SERVER),
    "a machine": lambda: Kill(node("d1")),
    "a machine that freezes": lambda: Freeze(node("d1")),
    "a site": lambda: CutSite("dijon"),
}


@topology("platform")
@software(UNDECLARED, WEB)
@promise(
    "S3-03", "S3-06", "S3-16", "S3-17", "S3-19", "S3-20", "S3-21", "S3-22", "S3-23", "S3-46", "S3-47", "S3-49"
)  # fmt: skip
async def test_what_is_declared_is_kept(cluster: Cluster, owner: Owner) -> None:
    """By the API, for who has a token; the platform dies, and knows all of it when it is back."""
    await owner.begin()
    assert (await owner.ask("GET", "/sites", token=False))[0] == 401
    lyon: Json = {"name": "lyon", "priority": 3}
    assert (await owner.ask("POST", "/sites", lyon))[0] == 201
    assert (await owner.ask("POST", "/sites", lyon))[0] == 409
    code, site = await owner.ask("PATCH", "/sites/lyon", {"priority": 2})
    assert code == 200
    assert isinstance(site, dict)
    assert site["priority"] == 2
    assert (await owner.ask("PATCH", "/sites/nowhere", {"priority": 2}))[0] == 404
    assert (await owner.ask("PATCH", "/sites/lyon", {"priority": -1}))[0] == 422
    _, before = await owner.ask("GET", "/inventory")
    _, versions = await owner.ask("GET", "/config/versions")
    assert versions

    async def seen() -> bool:
        _, backends = await owner.ask("GET", "/backends")
        assert isinstance(backends, dict)
        assert isinstance(backends["items"], list)
        looks = [one for one in backends["items"] if isinstance(one, dict)]
        return len(looks) == 4 and all(one["is_healthy"] and one["last_checked"] for one in looks)

    await until(seen, within_s=10, every_s=0.2, what="what was seen of every backend is in the database")
    assert await owner.metric("multisite_backend_up") == [1.0] * 4
    assert await owner.metric("multisite_edge_in_order") == [1.0]
    assert {"started", "inventory", "edge-configured"} <= await owner.logged()
    async with cluster.under(KillDaemon(node(EDGE), COMMAND)):
        assert (await owner.ask("GET", "/healthz"))[0] == 0
        assert await owner.visited(DOMAIN) in ("d1", "d2", "t1", "t2")

    async def back() -> bool:
        return (await owner.ask("GET", "/healthz", token=False))[0] == 200

    await until(back, within_s=20, every_s=0.2, what="the platform is back")
    assert (await owner.ask("GET", "/inventory"))[1] == before
    assert (await owner.ask("DELETE", "/sites/lyon"))[0] == 204


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-13", "S3-33", "S3-35")
async def test_each_service_has_a_pool_of_its_own(cluster: Cluster, owner: Owner) -> None:
    """One endpoint for both; who asks for one is never served by the other."""
    await owner.begin({"dijon": DIJON, "thory": ()})
    assert (await owner.ask("POST", "/services", {"name": "shop", "domains": [OTHER_DOMAIN]}))[0] == 201
    assert (await owner.ask("POST", "/backends", owner.backend("t1", "thory", "shop")))[0] == 201
    await owner.finds_up(["d1", "d2", "t1"])

    async def open_to_all() -> bool:
        return await owner.visited(OTHER_DOMAIN) == "t1"

    await until(open_to_all, within_s=10, every_s=0.2, what=f"{OTHER_DOMAIN} is served")
    assert {await owner.visited(DOMAIN) for _ in range(8)} == {"d1", "d2"}
    assert {await owner.visited(OTHER_DOMAIN) for _ in range(4)} == {"t1"}
    assert "no such domain" in await owner.visited("unknown.example.test")


@topology("platform")
@software(UNDECLARED, WEB, tls="internal")
@promise("S3-26")
async def test_the_edge_speaks_tls_and_adds_headers(cluster: Cluster, owner: Owner) -> None:
    """Its own authority signs here: nobody else's can be asked. A rate limit is none of this Caddy's modules."""
    await owner.begin()

    async def served() -> bool:
        said = await owner.visited(DOMAIN, "-k", "-D", "-", scheme="https")
        return " 200" in said and all(f"{name}: {value}".lower() in said.lower() for name, value in HEADERS.items())

    await until(served, within_s=20, every_s=0.2, what="it is served by TLS, with the service's headers")


@pytest.mark.parametrize("lost", LOST)
@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-24", "S3-25")
async def test_the_database_cannot_be_written(cluster: Cluster, owner: Owner, visits: Traffic, lost: str) -> None:
    """Somebody else holds it: nothing new can be declared; traffic moves all the same when something is lost then."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    async with owner.database_held():
        await lost_and_back(cluster, owner, visits, LOST[lost](), *DIJON)

    async def taken() -> bool:
        return (await owner.ask("POST", "/sites", {"name": "lyon"}))[0] == 201

    await until(taken, within_s=20, every_s=0.5, what="what is declared is kept again")
