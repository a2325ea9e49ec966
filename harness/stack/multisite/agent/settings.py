"""``agent.yml``: which machine this is, and who is asked what to run."""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from ...kit.settings import ConfigError, Section, compose
from ..inventory.entries import NAME_PATTERN, host_of

EXAMPLE = """\
# The settings of `multisite agent`. Site, address, platform and token_file have to be there.
site: dijon                        # where this machine is
address: 10.200.1.23               # where the edge reaches what runs here
platform: http://10.200.0.1:8000   # the API of `multisite serve`
token_file: /etc/multisite/token   # of `multisite token create NAME --role agent`, NAME being the machine's
machine: m1                        # its name; the host's if it is left out
report_ms: 500                     # how often it reports
cpu_millis: 4000                   # what may be placed here; all of the machine if it is left out
memory_mb: 8000
run: /run/multisite-agent          # what need not survive a restart of the machine
docker: unix:///var/run/docker.sock
"""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Everything that an agent has to be told."""

    machine: str
    site: str
    address: str
    platform: str
    token: str
    report_s: float
    cpu_millis: int
    memory_mb: int
    run: Path
    docker: str


def load(path: Path) -> AgentSettings:
    """Read the file. Raises ConfigError, in one line that names file, line and key."""
    top = compose(path)
    settings = AgentSettings(
        machine=_name(top, "machine", socket.gethostname().partition(".")[0].lower()),
        site=_name(top, "site", None),
        address=_host(top),
        platform=top.text("platform").rstrip("/"),
        token=_token(top),
        report_s=top.number("report_ms", 500, 100, 60_000) / 1000,
        cpu_millis=top.number("cpu_millis", (os.cpu_count() or 1) * 1000, 1, 10_000_000),
        memory_mb=top.number("memory_mb", _memory_mb(), 1, 100_000_000),
        run=Path(top.text("run", "/run/multisite-agent")),
        docker=top.text("docker", "unix:///var/run/docker.sock"),
    )
    top.done()
    return settings


def _name(top: Section, key: str, default: str | None) -> str:
    given = top.text(key, default)
    if not re.fullmatch(NAME_PATTERN, given):
        raise top.wrong(key, f"must be small letters, digits and hyphens, not {given!r}")
    return given


def _host(top: Section) -> str:
    try:
        return host_of(top.text("address"))
    except ValueError as error:
        raise top.wrong("address", str(error)) from error


def _token(top: Section) -> str:
    file = top.text("token_file")
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise top.wrong("token_file", f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not token:
        raise top.wrong("token_file", f"{file} is empty")
    return token


def _memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20


__all__ = ["EXAMPLE", "AgentSettings", "ConfigError", "load"]
