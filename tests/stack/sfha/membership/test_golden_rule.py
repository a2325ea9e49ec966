"""The golden rule: one module does all that is done to Corosync, and it has no way to restart it."""

import ast
from pathlib import Path

import pytest

import harness.stack.sfha
from harness.stack.sfha.membership import corosync
from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf

STACK = Path(harness.stack.sfha.__file__).parent
OWNER = Path("membership/corosync.py")
COMMANDS = {"corosync", "corosync-cfgtool", "corosync-cmapctl"}


def _words(path: Path) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_nobody_else_executes_anything_of_corosync() -> None:
    for path in STACK.rglob("*.py"):
        if path.relative_to(STACK) not in {OWNER, Path("membership/quorum.py")}:
            assert not COMMANDS & _words(path) - {"corosync"}, f"{path} names a program of Corosync's"
            calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.List)]
            for call in calls:
                first = call.elts[0] if call.elts else None
                assert not (isinstance(first, ast.Constant) and first.value in COMMANDS), f"{path} executes Corosync"


def test_there_is_no_verb_for_a_restart() -> None:
    text = (STACK / OWNER).read_text()
    functions = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    public = {name for name in functions if not name.startswith("_")}
    assert public == {"write_conf", "running", "process_id", "reload", "stop", "start"}
    assert not {"restart", "try-restart", "reload-or-restart"} & _words(STACK / OWNER)


def test_it_does_not_start_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corosync, "running", lambda _pid_file: True)
    with pytest.raises(corosync.CorosyncError, match="never restarted"):
        corosync.start()


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("newcomers", [0, 1])
def test_two_node_if_and_only_if_two_nodes_vote(count: int, newcomers: int) -> None:
    nodes = [RingNode(n, f"n{n}", f"10.90.0.{n}", int(n <= count)) for n in range(1, count + newcomers + 1)]
    conf = render_corosync_conf("demo", nodes, Totem("knet", 300, 360), "/var/log/corosync.log")
    assert ("two_node: 1" in conf) == (count == 2)
    assert conf.count("ring0_addr") == count + newcomers
