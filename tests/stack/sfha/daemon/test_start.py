"""What a start of the daemon costs before the tunnel is up."""

import subprocess
import sys


def test_the_loop_is_not_loaded_before_corosync_has_been_started() -> None:
    """asyncio takes a third of all that is loaded; it is, while Corosync forms its ring."""
    load = "import sys, harness.stack.sfha.cli.run, harness.stack.sfha.daemon.daemon"
    code = f"{load}; print(*{{'asyncio', 'ssl'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
