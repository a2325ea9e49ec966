"""When a server is refused, and that it is heard when it is back: in a network of a process of its own."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from harness.stack.dataservices.objects import watcher
from harness.stack.dataservices.objects.watcher import SILENT_FOR, Does, Seen, step

HERE, PEER, PORT = "10.9.9.1", "10.9.9.2", 9000


def steps(answers: str) -> list[Does]:
    """What follows, answer by answer: one is +, none is -."""
    seen, found = Seen(), []
    for one in answers:
        seen, does = step(seen, answered=one == "+")
        found.append(does)
    return found


def test_a_server_is_refused_once_when_it_was_silent_for_some_time() -> None:
    assert steps("+" + "-" * (SILENT_FOR + 3)).count(Does.REFUSE) == 1
    assert steps("+" + "-" * SILENT_FOR)[-1] is Does.REFUSE
    assert Does.REFUSE not in steps("+--+--+--+")


def test_it_is_allowed_again_with_its_first_answer_and_never_without_having_been_refused() -> None:
    for number in range(1 << 10):
        found = steps(f"{number:010b}".replace("0", "-").replace("1", "+"))
        told = [does for does in found if does is not Does.NOTHING]
        assert all(one is not other for one, other in pairwise(told))
        assert told[:1] in ([], [Does.REFUSE])


INSIDE = """
ip link set lo up && ip addr add {here}/32 dev lo && ip route add {peer} dev lo
{python} {program} {settings} >{log} 2>&1 &
watcher=$!
lasts() {{ for _ in $(seq 100); do "$@" && return; read -r -t 0.1 _ <>{pipe}; done; return 1; }}
refuses() {{ ip route show table 900 | grep -q 'unreachable {peer}'; }}
lasts refuses && ip route get {peer} 2>&1 | grep -q -e unreachable -e 'No route' && echo refused
ip addr add {peer}/32 dev lo
allows() {{ ! refuses; }}
lasts allows && echo allowed
kill $watcher
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="networks are made by root")
def test_a_silent_server_refuses_until_its_kernel_answers(tmp_path: Path) -> None:
    """Packets to an address that is nobody's are lost; once it is somebody's, it says that nothing listens there."""
    settings, pipe = tmp_path / "settings.json", tmp_path / "pipe"
    settings.write_text(json.dumps({"peers": [PEER], "port": PORT}))
    os.mkfifo(pipe)
    script = INSIDE.format(
        here=HERE,
        peer=PEER,
        python=sys.executable,
        program=watcher.__file__,
        settings=settings,
        log=tmp_path / "log",
        pipe=pipe,
    )
    begun_s = time.monotonic()
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "refused\nallowed\n", done.stderr + (tmp_path / "log").read_text()
    assert time.monotonic() - begun_s < 15
    assert (tmp_path / "log").read_text() == f"{PEER} is silent: refused\n{PEER} answers again\n"
