"""What the command line tells of a running cluster, and what it must never tell."""

import json

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, without_quorum
from harness.faults.network import CutSite
from harness.faults.process import Suspend
from harness.faults.select import node
from harness.wait import until


@headline
@promise("S1-38")
async def test_logs_followed_show_what_the_daemon_does(cluster: Cluster, vip: str, operator: Operator) -> None:
    """`sfha logs -f` runs on a node while it goes into standby: the lines come, in words, also in French."""
    cluster.expect(*undisturbed(vip))
    following = {
        language: await cluster.engine.spawn("n1", ["/usr/bin/sfha", "--lang", language, "logs", "-f", "-n", "1"])
        for language in ("en", "fr")
    }
    try:
        for process in following.values():  # the last line there was: from here on it misses nothing
            assert process.stdout is not None
            await process.stdout.readline()
        await operator.does("n1", "standby")
        await cluster.until(held_by_one_of(vip, ("n2", "n3")), within_s=10)
        for language, words in (("en", "taken away here"), ("fr", "retirée d'ici")):
            stream = following[language].stdout
            assert stream is not None
            async for line in stream:
                cluster.note(f"sfha logs -f ({language}): {line.decode().rstrip()}")
                if words in line.decode():
                    break
            else:
                raise AssertionError(f"sfha logs -f ended without {words!r}")
    finally:
        for process in following.values():
            process.kill()
            await process.wait()
    await operator.does("n1", "unstandby")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)


@headline
@promise("S2-01", "S2-28", "S2-51", "D-17")
async def test_every_node_shows_the_same_nodes(cluster: Cluster, vip: str, operator: Operator) -> None:
    """`status --json` has name, online and sfhaRunning of each node; a daemon that hangs is told from a dead node."""
    cluster.expect(*undisturbed(vip, outage_s=2.5))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    for name in everybody:
        status = await operator.status(name)
        assert [set(row) >= {"name", "online", "sfhaRunning"} for row in status["nodes"]] == [True] * 3
        await operator.does(name, "status")
        await operator.does(name, "mesh", "status")
    async with cluster.under(Suspend(node("n3"), daemon="sfha")):

        async def noticed() -> bool:
            rows = {row["name"]: row for row in (await operator.status("n1"))["nodes"]}
            return bool(rows["n3"]["online"]) and not rows["n3"]["sfhaRunning"]

        await until(noticed, within_s=5, every_s=0.1, what="n1 tells n3's dead daemon from its living Corosync")
        assert "Corosync lives there, but the sfha daemon does not" in await operator.does("n1", "status")
    await operator.all_list(everybody, everybody)


ASKING: tuple[tuple[str, ...], ...] = (
    *(("status",), ("resources",), ("health",), ("constraints",), ("vip", "list"), ("service", "list")),
    *(("mesh", "status"), ("stonith", "status")),
)
"""Commands that show something and change nothing."""
MISTAKES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("node", "remove", "n9"), "n1, n2, n3", "n1, n2, n3"),
    (("failover", "--to", "n9"), "there is no node n9", "il n'y a pas de nœud n9"),
    (("vip", "remove", "nope"), "there are: web", "il y a : web"),
    (("vip", "add", "bad", "300.1.1.1/24"), "must be an IPv4 address", "doit être une adresse IPv4"),
    (("vip", "add", "bad", "10.0.0.5/24", "--interface", "eth9"), "No such device: eth9", "No such device: eth9"),
    (("token", "--ip", "1.2.3.4"), "no host address of", "pas une adresse d'hôte"),
    (("init", "--name", "x"), "belongs to a cluster already", "appartient déjà à une grappe"),
    (("join", "hello"), "`sfha token`", "« sfha token »"),
    (("join", "@/nowhere"), "cannot be read", "illisible"),
    (("mesh", "down"), "Corosync runs over the mesh", "Corosync passe par le maillage"),
    (("stonith", "fence", "n2"), "fencing is off", "l'isolement est inactif"),
    (("run",), "another sfha daemon", "un autre démon sfha"),
)
"""Commands that cannot be done, with words of their error in both languages."""


async def test_commands_in_both_languages_and_for_programs(cluster: Cluster, vip: str, operator: Operator) -> None:
    """What shows something is one JSON document when asked for; what fails is one line, in the language asked for."""
    cluster.expect(*undisturbed(vip))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    for words in ASKING:
        json.loads(await operator.does("n2", *words, "--json"))
        assert (await operator.does("n2", *words)).strip()
    assert "3 of 3 nodes online" in await operator.does("n2", "status")
    assert "3 nœuds sur 3 en ligne" in await operator.does("n2", "--lang", "fr", "status")
    assert "portée" in await operator.does("n1", "--lang", "fr", "resources")
    for words, english, french in MISTAKES:
        for language, said in (("en", english), ("fr", french)):
            told = await operator.does("n1", "--lang", language, *words, exit_code=1)
            assert said in told, told
            assert len([line for line in told.splitlines() if line.startswith("sfha: ")]) == 1, told
            assert len(told.splitlines()) <= 2, told  # what was begun, and why it failed
    await operator.all_list(everybody, everybody)


@promise("S2-51", "D-18")
async def test_a_firewalled_node_knows_that_it_is_alone(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Its site lets nothing through any more: there `status` counts one of three and no quorum, elsewhere two."""
    cluster.expect(*undisturbed(vip))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    async with cluster.under(CutSite("lyon")):
        await cluster.until(without_quorum(("n3",)), within_s=10)
        await _counts(operator, "n3", ["n3"], quorate=False)
        await _counts(operator, "n1", ["n1", "n2"], quorate=True)
        assert "no, 1 of 3" in await operator.does("n3", "status")
        assert "yes, 2 of 3" in await operator.does("n1", "status")
    await operator.all_list(everybody, everybody)


async def _counts(operator: Operator, asked: str, online: list[str], *, quorate: bool) -> None:
    """The status on a node says that these are online and run sfha, and nobody else."""

    async def counted() -> bool:
        status = await operator.status(asked)
        rows = status.get("nodes", [])
        seen = [[row["name"] for row in rows if row[column]] for column in ("online", "sfhaRunning")]
        return (status.get("quorate"), *seen) == (quorate, online, online)

    await until(counted, within_s=5, every_s=0.1, what=f"{asked} counts {', '.join(online)}")


@promise("D-14")
async def test_no_secret_is_shown_anywhere(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Neither status nor logs nor process lists hold a private key, Corosync's key or a join token."""
    cluster.expect(*undisturbed(vip))
    token = await operator.token("n1")
    await operator.does("n2", "join", token, exit_code=1)  # it is a member already; the token was on its command line
    mesh = json.loads(await operator.shell("n1", "cat /etc/sfha/mesh.json"))
    authkey = await operator.shell("n1", "base64 -w0 /etc/corosync/authkey")
    secrets = {"private key": mesh["private_key"], "authkey": authkey[:64], "token": token.removeprefix("sfha-join://")}
    for name in cluster.all_but(()):
        shown = {
            "status": await operator.does(name, "status", "--json"),
            "status for people": await operator.does(name, "status"),
            "mesh status": await operator.does(name, "mesh", "status", "--json"),
            "processes": await operator.shell(name, "ps axww -o args"),
            "environment": await operator.shell(name, "cat /proc/[0-9]*/environ | tr '\\0' '\\n'"),
            "log": await operator.shell(name, "cat /var/log/sfha.log /var/log/boot/*"),
        }
        for where, text in shown.items():
            for what, secret in secrets.items():
                assert secret not in text, f"{name}: the {what} is in {where}"
    history = cluster.history_path.read_text()
    for what, secret in secrets.items():
        assert secret not in history, f"the {what} is in the history of the run"
