"""What is put on an image to make a machine of it, whose kernel is its own."""

from collections.abc import Mapping
from pathlib import Path

from harness.engines.engine import NodeFile
from harness.engines.oci import PROCESS_1, SHM_BYTES, environment, nofile_limit, process_1, sysctls
from harness.engines.uml import guest
from harness.engines.uml.guest.system import HOME, MODULES, SETTINGS
from harness.engines.uml.guest.wire import encode

_LOADED = ("tun", "ipv6", "fuse", "nf_tables")
"""What nodes of other engines find as well. Whatever else is wanted is loaded when it is, which takes longer."""
_MODPROBE = """#!/usr/bin/python3 -ISB
import sys
sys.path.insert(0, "/usr/lib/harness-node")
from guest.modules import load_module
from guest.system import Refused
try:
    for name in sys.argv[1:]:
        if not name.startswith("-"):
            load_module(name)
except (OSError, Refused) as error:
    sys.exit(f"modprobe: {error}")
"""
_INIT = """#!/usr/bin/python3 -ISB
import sys
sys.path.insert(0, "/usr/lib/harness-node")
from guest.boot import main
main()
"""
_POWER_OFF = """#!/usr/bin/python3 -ISB
import ctypes, os
os.sync()
ctypes.CDLL(None).reboot(0x4321FEDC)
"""


def own_files(name: str, image: Path, variables: Mapping[str, str]) -> tuple[NodeFile, ...]:
    """What makes a real machine of an image."""
    first = process_1(image)
    # An init of the system's own knows how to switch a machine off.
    own = (NodeFile(f"{HOME}/power-off", _POWER_OFF.encode(), 0o755),) if first == PROCESS_1 else ()
    settings = {
        "hostname": name,
        "environment": environment(variables),
        "process_1": first,
        "modules": _LOADED,
        "sysctls": sysctls(),
        "shm_bytes": SHM_BYTES,
        "nofile": nofile_limit(),
    }
    sources = sorted(Path(guest.__file__).parent.glob("*.py"))
    return (
        *(NodeFile(f"{HOME}/guest/{source.name}", source.read_bytes()) for source in sources),
        NodeFile(f"{HOME}/init", _INIT.encode(), 0o755),
        NodeFile(SETTINGS, encode(settings)),
        NodeFile(f"{HOME}/modprobe", _MODPROBE.encode(), 0o755),
        NodeFile(f"{MODULES}/.here", b""),
        *own,
    )
