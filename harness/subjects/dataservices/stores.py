"""How the servers of an object store are, and what its administrators do before and after it is installed."""

from harness.subjects.dataservices.servers import INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import OBJECTS_SECRETS
from harness.subjects.dataservices.wheel import WHEELS
from harness.wait import until

PACKAGES = "/opt/keyservices/packages"
LEADS_WITHIN_S, WHOLE_WITHIN_S, GIVEN_WITHIN_S = 60.0, 90.0, 30.0
_CLIENT = "env PYTHONPATH=/usr/local/lib/keyservices python3 -m rehearsal.s3"
_VOLUMES = "/var/lib/objects/volumes"
_UNIT_FILE, _UNIT = "/etc/systemd/system/objects.service", "objects.service"


async def has_wheel(servers: Servers) -> None:
    """Whoever installs puts the wheel into its place, on the installer alone."""
    await servers.run(INSTALLER, f"mkdir -p {PACKAGES} && cp {WHEELS}/*.whl {PACKAGES}")


async def leader(servers: Servers, *, but: str = "") -> str:
    """The server whose master leads, by what the servers say that are up."""
    nodes = {servers.cluster.plan.address(one): one for one in SERVERS}
    ask = "import json, sys, urllib.request as u; print(json.load(u.urlopen(sys.argv[1], timeout=2)).get('Leader', ''))"

    async def found() -> str | None:
        for one in SERVERS:
            if servers.cluster.is_up(one):
                url = f"http://{servers.cluster.plan.address(one)}:9333/cluster/status"
                said = (await servers.run(one, f'python3 -c "{ask}" {url}', code=None)).strip()
                name = nodes.get(said.partition(":")[0])
                if name is not None and name != but:
                    return name
        return None

    return await until(found, within_s=LEADS_WITHIN_S, every_s=0.5, what="one of the masters leads")


async def all_serve(servers: Servers) -> None:
    """Every server takes an object, and all others give it."""

    async def so() -> bool:
        return await _put(servers) and await _given(servers)

    await until(so, within_s=WHOLE_WITHIN_S, every_s=0.5, what="all servers serve")


async def kept_are_given(servers: Servers) -> None:
    """What every server took when all served is given by those that are up."""

    async def so() -> bool:
        return await _given(servers)

    await until(so, within_s=GIVEN_WITHIN_S, every_s=0.5, what="those that are up give what all of them took")


async def written_last(servers: Servers) -> str:
    """The server that has the content of the object that was put last (one of them, where there are several)."""
    ask = f"find {_VOLUMES} -name 'keyservices_*.dat' -printf '%T@\\n' | sort -n | tail -n 1"
    times_s = {one: float((await servers.run(one, ask)).strip() or 0) for one in SERVERS}
    return max(times_s, key=lambda one: times_s[one])


async def _put(servers: Servers) -> bool:
    said = [
        await servers.run(one, f"printf {one} | objects put {_kept(one)} && echo done", code=None) for one in SERVERS
    ]
    return said == ["done\n"] * len(SERVERS)


async def _given(servers: Servers) -> bool:
    """By that server itself: one that does not give it would ask another."""
    for one in (one for one in SERVERS if servers.cluster.is_up(one)):
        own = f"{servers.cluster.plan.address(one)},9000"
        for other in SERVERS:
            got = f"{_CLIENT} {own} {OBJECTS_SECRETS} get {_kept(other)}"
            if await servers.run(one, got, code=None) != other:
                return False
    return True


def _kept(one: str) -> str:
    return f"keyservices/kept-by-{one}"


async def single_copies(servers: Servers) -> None:
    """What an administrator does who saves space: content is on one server alone."""
    for one in SERVERS:
        option = "s/defaultReplication=010/defaultReplication=000/"
        await servers.run(
            one, f"sed -i '{option}' {_UNIT_FILE} && systemctl daemon-reload && systemctl restart {_UNIT}"
        )
    await all_serve(servers)
