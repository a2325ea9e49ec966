"""What every engine must do: one body, inherited by the test class of each engine.

A test class derives from EngineContract and gives two fixtures: ``new_engine``, which makes an engine
for a run of its own each time it is called, and ``node_image``.
"""

import asyncio
import hashlib
import os
import signal
from pathlib import Path

import pytest

from harness.engines.choice import loses_unsynced_writes
from harness.engines.engine import Engine, NodeDefinition, NodeFile
from harness.errors import EngineError, UsageError
from harness.wait import until
from tests.contracts.nodes import COUNTER, SOON_S, NewEngine, NodesOfAnEngine, are_gone, eventually, plug, service

POWER_CUTS = 5
"""Of each, every one has to take what was not synced, or none."""


class EngineContract(NodesOfAnEngine):
    """The behaviour that harness.engines.engine.Engine promises."""

    # --- commands ---------------------------------------------------------------------------------

    async def test_a_command_gives_exit_code_and_both_outputs(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        done = await engine.exec("n1", ["sh", "-c", "echo out; echo err > /dev/stderr; exit 3"])
        assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")

    async def test_a_command_killed_by_a_signal_gives_128_and_its_number(
        self, engine: Engine, node_image: Path
    ) -> None:
        await self.boot(engine, node_image)
        assert (await engine.exec("n1", ["sh", "-c", "kill -9 $$"])).exit_code == 128 + signal.SIGKILL

    async def test_a_command_that_does_not_exist_gives_127(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        done = await engine.exec("n1", ["no-such-program"])
        assert done.exit_code == 127
        assert b"no-such-program" in done.stderr

    async def test_a_megabyte_goes_in_and_comes_out(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        megabyte = os.urandom(1 << 20)
        assert (await engine.exec("n1", ["cat"], stdin=megabyte)).stdout == megabyte
        digest = (await engine.exec("n1", ["sha256sum"], stdin=megabyte)).stdout.split()[0].decode()
        assert digest == hashlib.sha256(megabyte).hexdigest()
        assert (await engine.exec("n1", ["true"], stdin=megabyte)).exit_code == 0

    async def test_a_command_over_time_is_killed_with_its_children(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        with pytest.raises(EngineError, match=r"n1: sh did not end within 0\.5 s"):
            await engine.exec("n1", ["sh", "-c", "sleep 777 & (setsid sleep 778 &) ; sleep 779"], timeout_s=0.5)

        async def they_are_gone() -> bool:  # but for the one that has left the session
            return (await engine.exec("n1", ["pgrep", "-f", "^sleep 77[79]$"])).exit_code == 1

        await eventually(they_are_gone, "the command's processes end")

    async def test_a_command_may_leave_a_daemon_behind(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        done = await engine.exec("n1", ["sh", "-c", "sleep 1000 & echo $!"], timeout_s=5.0)
        assert done.exit_code == 0
        assert await self.text(engine, "cat", f"/proc/{int(done.stdout)}/comm") == "sleep"

    async def test_a_command_can_have_our_own_streams(
        self, engine: Engine, node_image: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        await self.boot(engine, node_image)
        script = "cat; echo out; echo err > /dev/stderr; umask; exit 3"
        ours = os.umask(0o077)
        try:
            code = engine.attach("n1", ["sh", "-c", script], with_stdin=False)
        finally:
            os.umask(ours)
        assert (code, *capfd.readouterr()) == (3, "out\n0022\n", "err\n")

    async def test_many_commands_at_once(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        done = await asyncio.gather(*(engine.exec("n1", ["sh", "-c", f"exit {code}"]) for code in range(20)))
        assert [one.exit_code for one in done] == list(range(20))

    # --- what a node has of its own -------------------------------------------------------------------

    async def test_a_node_has_own_name_processes_network_and_environment(
        self, engine: Engine, node_image: Path
    ) -> None:
        await engine.create(NodeDefinition("n1", node_image, environment={"COLOUR": "green"}))
        pid = await engine.start("n1")
        assert await self.text(engine, "hostname") == "n1"
        assert await self.text(engine, "sh", "-c", "echo $COLOUR") == "green"
        assert await self.text(engine, "cat", "/proc/1/comm") == "tini"
        for kind in ("pid", "mnt", "uts", "ipc", "net"):
            assert os.stat(f"/proc/{pid}/ns/{kind}").st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino
        assert await self.text(engine, "sh", "-c", "ls /sys/class/net") == "lo"
        assert await self.text(engine, "sh", "-c", "test -c /dev/net/tun && stat -f -c %T /dev/shm") == "tmpfs"

    async def test_layers_lie_over_the_image(self, engine: Engine, node_image: Path, tmp_path: Path) -> None:
        for name in ("low", "high"):
            (tmp_path / name / "opt").mkdir(parents=True)
            (tmp_path / name / "opt/which").write_text(name)
        await engine.create(NodeDefinition("n1", node_image, layers=(tmp_path / "low", tmp_path / "high")))
        assert await engine.read_file("n1", "/opt/which") == b"high"

    async def test_files_are_on_the_disk_and_follow_the_images_links(self, engine: Engine, node_image: Path) -> None:
        files = (NodeFile("/lib/harness-test/a", b"one", 0o600), NodeFile("/var/run/b", b"two"))
        await self.boot(engine, node_image, *files)
        assert await self.text(engine, "stat", "-c", "%a %F", "/usr/lib/harness-test/a") == "600 regular file"
        assert await self.text(engine, "readlink", "/lib") == "usr/lib"
        assert not Path("/run/b").exists()

    # --- boot and shutdown ----------------------------------------------------------------------------

    async def test_boot_waits_for_the_network_then_runs_everything(self, engine: Engine, node_image: Path) -> None:
        files = (service("10-a", "echo a-began"), service("20-b", "echo b-began >&2; exec sleep 1000"))
        await engine.create(NodeDefinition("n1", node_image, files=files))
        pid = await engine.start("n1")
        assert (await engine.exec("n1", ["pgrep", "-f", "sleep 1000"])).exit_code == 1
        await plug(engine, pid)

        async def output() -> bool:
            done = await engine.exec("n1", ["sh", "-c", "cat /var/log/boot/10-a.log /var/log/boot/20-b.log"])
            return done.stdout == b"a-began\nb-began\n"

        await eventually(output, "both services ran")

    async def test_stop_ends_services_in_reverse_order_each_before_the_next(
        self, engine: Engine, node_image: Path
    ) -> None:
        body = "trap 'sleep 0.05; echo {0} >> /root/ended; exit' TERM; touch /root/{0}; while :; do sleep 0.01; done"
        names = ("10-a", "20-b", "30-c")
        pid = await self.boot(engine, node_image, *(service(name, body.format(name)) for name in names))

        async def all_run() -> bool:
            return (await engine.exec("n1", ["sh", "-c", "ls /root/10-a /root/20-b /root/30-c"])).exit_code == 0

        await eventually(all_run, "all services run")
        await engine.stop("n1")
        await are_gone(pid)
        assert (await engine.read_file("n1", "/root/ended")).split() == [b"30-c", b"20-b", b"10-a"]

    async def test_stop_also_works_while_the_node_waits_for_its_network(self, engine: Engine, node_image: Path) -> None:
        await engine.create(NodeDefinition("n1", node_image))
        await engine.start("n1")
        await asyncio.wait_for(engine.stop("n1", timeout_s=60.0), SOON_S)
        assert engine.pid("n1") is None

    async def test_what_does_not_stop_in_time_loses_power(self, engine: Engine, node_image: Path) -> None:
        stubborn = "trap '' TERM; touch /root/up; while :; do sleep 0.01; done"
        pid = await self.boot(engine, node_image, service("10-stubborn", stubborn))
        await eventually(lambda: self.there(engine, "/root/up"), "the service runs")
        await engine.stop("n1", timeout_s=0.1)
        await are_gone(pid)
        assert engine.processes("n1") == ()

    # --- power cut ------------------------------------------------------------------------------------

    async def test_a_power_cut_leaves_no_process(self, engine: Engine, node_image: Path) -> None:
        pid = await self.boot(engine, node_image, COUNTER)
        await engine.exec("n1", ["sh", "-c", "setsid sleep 1000 & setsid sleep 1001 &"])
        await until(lambda: len(engine.processes("n1")) >= 6, within_s=SOON_S, what="services and daemons run")
        everything = engine.processes("n1")
        assert pid in everything
        await engine.kill("n1")
        await are_gone(*everything)
        assert engine.processes("n1") == ()
        assert engine.pid("n1") is None
        await engine.kill("n1")

    async def test_a_power_cut_takes_a_running_command_with_it(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        command = asyncio.create_task(engine.exec("n1", ["sleep", "1000"]))
        await eventually(lambda: self.runs(engine, "^sleep 1000$"), "the command runs")
        await engine.kill("n1")
        assert (await asyncio.wait_for(command, SOON_S)).exit_code == 128 + signal.SIGKILL

    async def test_a_paused_node_can_lose_power_too(self, engine: Engine, node_image: Path) -> None:
        pid = await self.boot(engine, node_image, COUNTER)
        await engine.pause("n1")
        await asyncio.wait_for(engine.kill("n1"), SOON_S)
        await are_gone(pid)
        await plug(engine, await engine.start("n1"))
        assert await self.text(engine, "echo", "up") == "up"

    async def test_the_disk_is_kept_and_memory_is_not(self, engine: Engine, node_image: Path) -> None:
        pid = await self.boot(engine, node_image)
        namespace = os.stat(f"/proc/{pid}/ns/net").st_ino
        places = ("/root", "/dev/shm", "/run", "/tmp")
        await self.text(engine, "sh", "-c", f"for place in {' '.join(places)}; do echo x > $place/mark; done")
        await self.text(engine, "sh", "-c", "rm /etc/hostname; ip address add 10.9.9.9/32 dev lo; sync")
        held = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)  # so that its number is not used again
        try:
            await engine.kill("n1")
            again = await engine.start("n1")
            assert os.stat(f"/proc/{again}/ns/net").st_ino != namespace
        finally:
            os.close(held)
        left = await self.text(
            engine, "sh", "-c", f"for place in {' '.join(places)}; do ls $place/mark; done 2>&1 || :"
        )
        assert [line for line in left.splitlines() if "No such" not in line] == ["/root/mark"]
        assert "10.9.9.9" not in await self.text(engine, "ip", "address")
        assert (await engine.exec("n1", ["test", "-e", "/etc/hostname"])).exit_code == 1

    async def test_what_was_not_synced_survives_a_power_cut_or_not_as_declared(
        self, engine: Engine, node_image: Path
    ) -> None:
        declared = engine.capabilities("n1")
        assert declared.engine == engine.name
        assert loses_unsynced_writes(engine.name) is declared.loses_unsynced_writes
        await engine.create(NodeDefinition("n1", node_image))
        for trial in range(POWER_CUTS):
            await engine.start("n1")
            await self.text(engine, "sh", "-c", f"echo {trial} > /root/synced && sync /root/synced /root")
            await self.text(engine, "sh", "-c", f"echo {trial} > /root/written")
            await engine.kill("n1")
            assert await engine.read_file("n1", "/root/synced") == b"%d\n" % trial
            survives = await self.content(engine, "/root/written") == b"%d\n" % trial
            assert survives is not declared.loses_unsynced_writes

    async def test_wiping_makes_the_disk_as_created(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image, NodeFile("/etc/given", b"as created"))
        with pytest.raises(EngineError, match="n1 runs"):
            await engine.wipe("n1")
        await self.text(engine, "sh", "-c", "echo changed > /etc/given; echo x > /root/mark; rm -r /etc/default; sync")
        await engine.kill("n1")
        assert await engine.read_file("n1", "/etc/given") == b"changed\n"
        await engine.wipe("n1")
        assert await engine.read_file("n1", "/etc/given") == b"as created"
        await engine.start("n1")
        assert (await engine.exec("n1", ["ls", "-d", "/root/mark", "/etc/default"])).stdout == b"/etc/default\n"

    # --- freezing -------------------------------------------------------------------------------------

    async def test_pause_stops_everything_and_resume_lets_it_go_on(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image, COUNTER)
        busy = "while :; do echo x; done > /dev/null"
        await engine.exec("n1", ["sh", "-c", f"({busy}) &"])
        await eventually(lambda: self.count(engine), "the service counts")
        await engine.pause("n1")
        used_s, counted = engine.cpu_used_s("n1"), await self.count_of_paused(engine)
        # Time has to pass for nothing to happen in it; half a second of the counter is hundreds of steps.
        await asyncio.sleep(0.5)
        assert engine.cpu_used_s("n1") == used_s
        assert await self.count_of_paused(engine) == counted
        with pytest.raises(EngineError, match="n1 is paused"):
            await engine.exec("n1", ["true"])
        await engine.resume("n1")

        async def counts_on() -> bool:
            return await self.count(engine) > counted

        await eventually(counts_on, "the service counts on")
        assert engine.cpu_used_s("n1") > used_s
        assert await self.text(engine, "echo", "again") == "again"
        await engine.resume("n1")
        await engine.kill("n1")
        await engine.resume("n1")

    # --- files and logs ---------------------------------------------------------------------------------

    async def test_files_are_read_and_written_running_or_not(self, engine: Engine, node_image: Path) -> None:
        await engine.create(NodeDefinition("n1", node_image))
        with pytest.raises(FileNotFoundError):
            await engine.read_file("n1", "/etc/late")
        await engine.write_file("n1", NodeFile("/etc/late", b"off", 0o640))
        assert await engine.read_file("n1", "/etc/late") == b"off"
        await engine.start("n1")
        assert await self.text(engine, "cat", "/etc/late") == "off"
        await engine.write_file("n1", NodeFile("/run/deep/down/file", b"on"))
        assert await self.text(engine, "cat", "/run/deep/down/file") == "on"
        assert await engine.read_file("n1", "/var/run/deep/down/file") == b"on"
        await self.text(engine, "sh", "-c", "ln -s /etc/late /etc/link; sync")
        await engine.kill("n1")
        assert await engine.read_file("n1", "/etc/link") == b"off"

    async def test_logs_are_there_running_or_not(self, engine: Engine, node_image: Path, tmp_path: Path) -> None:
        await self.boot(engine, node_image, service("10-a", "echo first line; echo to console > /proc/1/fd/1"))
        await eventually(lambda: self.there(engine, "/var/log/boot/10-a.log"), "the service ran")

        async def logged() -> bool:
            await engine.logs("n1", tmp_path / "on")
            written = (tmp_path / "on/var/log/boot/10-a.log").read_text()
            return bool(written) and "to console" in (tmp_path / "on/console.log").read_text()

        await eventually(logged, "the log and the console show their lines")
        await self.text(engine, "sync")
        await engine.kill("n1")
        await engine.logs("n1", tmp_path / "off")
        for directory in ("on", "off"):
            assert (tmp_path / directory / "var/log/boot/10-a.log").read_text() == "first line\n"

    # --- errors, ends, neighbours -----------------------------------------------------------------------

    async def test_errors_say_what_is_wrong(self, engine: Engine, node_image: Path, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="no node n1"):
            await engine.start("n1")
        with pytest.raises(EngineError, match="no node n1"):
            await engine.kill("n1")
        with pytest.raises(UsageError, match="no root file system"):
            await engine.create(NodeDefinition("n1", tmp_path))
        with pytest.raises(UsageError, match="node name"):
            await engine.create(NodeDefinition("../n1", node_image))
        await engine.create(NodeDefinition("n1", node_image))
        with pytest.raises(EngineError, match="n1 exists already"):
            await engine.create(NodeDefinition("n1", node_image))
        with pytest.raises(EngineError, match="n1 does not run"):
            await engine.exec("n1", ["true"])
        with pytest.raises(EngineError, match="n1 does not run"):
            await engine.pause("n1")
        await engine.start("n1")
        with pytest.raises(EngineError, match="n1 runs already"):
            await engine.start("n1")

    async def test_destroying_is_final_and_may_be_repeated(self, engine: Engine, node_image: Path) -> None:
        await self.boot(engine, node_image)
        await self.text(engine, "touch", "/root/mark")
        await engine.destroy("n1")
        await engine.destroy("n1")
        with pytest.raises(EngineError, match="no node n1"):
            await engine.start("n1")
        await self.boot(engine, node_image)
        assert (await engine.exec("n1", ["ls", "/root/mark"])).exit_code != 0

    async def test_two_clusters_side_by_side(self, new_engine: NewEngine, node_image: Path) -> None:
        left, right = new_engine(), new_engine()
        await asyncio.gather(*(self.boot(engine, node_image, name=n) for engine in (left, right) for n in ("n1", "n2")))
        await asyncio.gather(left.exec("n1", ["touch", "/root/left"]), right.exec("n1", ["touch", "/root/right"]))
        await left.pause("n2")
        await left.kill("n1")
        assert await self.text(right, "ls", "/root") == "right"
        assert await self.text(right, "echo", "on", node="n2") == "on"
        assert left.pid("n1") is None

    async def test_a_node_dies_when_its_process_1_does(self, engine: Engine, node_image: Path) -> None:
        pid = await self.boot(engine, node_image, COUNTER)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: engine.pid("n1") is None, within_s=SOON_S, what="the node is off")
        await engine.start("n1")
        assert await self.text(engine, "echo", "up") == "up"
