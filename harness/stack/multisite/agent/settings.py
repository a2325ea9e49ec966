"""``agent.yml``: which machine this is, and who is asked what to run."""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from ...kit.settings import ConfigError, Section, compose
from ..inventory.entries import NAME_PATTERN, host_of
from ..network.spoke import SpokeSettings

EXAMPLE = """\
# The settings of `multisite agent`. Site, address, platform and token_file have to be there.
site: dijon                        # where this machine is
address: 10.200.1.23               # where the edge reaches what runs here; left out where there is a tunnel
platform: http://10.200.0.1:8000   # the API of `multisite serve`
token_file: /etc/multisite/token   # of `multisite token create NAME --role agent`, NAME being the machine's
machine: m1                        # its name; the host's if it is left out
report_ms: 500                     # how often it reports
cpu_millis: 4000                   # what may be placed here; all of the machine if it is left out
memory_mb: 8000
run: /run/multisite-agent          # what need not survive a restart of the machine
docker: unix:///var/run/docker.sock    # or none, on a machine that has a tunnel only
# tunnel:                          # to the hub (`wireguard` of the platform's settings); leave it out where there
#   interface: multisite0          # is another way. It needs CAP_NET_ADMIN, wg, and WireGuard or wireguard-go
#   port: 51820
#   state: /var/lib/multisite-agent    # keys, and what was heard of the hub
"""
NO_DOCKER = "none"


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
    """Empty: there is none."""
    tunnel: SpokeSettings | None


def load(path: Path) -> AgentSettings:
    """Read the file. Raises ConfigError, in one line that names file, line and key."""
    top = compose(path)
    machine, site = _name(top, "machine", socket.gethostname().partition(".")[0].lower()), _name(top, "site", None)
    tunnel, docker = _tunnel(top, machine, site), top.text("docker", "unix:///var/run/docker.sock")
    if docker == NO_DOCKER and tunnel is None:
        raise top.wrong("docker", "without Docker and without a tunnel there is nothing for an agent to do")
    settings = AgentSettings(
        machine=machine,
        site=site,
        address="" if tunnel and "address" not in top.names() else _host(top),
        platform=top.text("platform").rstrip("/"),
        token=_token(top),
        report_s=top.number("report_ms", 500, 100, 60_000) / 1000,
        cpu_millis=top.number("cpu_millis", (os.cpu_count() or 1) * 1000, 1, 10_000_000),
        memory_mb=top.number("memory_mb", _memory_mb(), 1, 100_000_000),
        run=Path(top.text("run", "/run/multisite-agent")),
        docker="" if docker == NO_DOCKER else docker,
        tunnel=tunnel,
    )
    top.done()
    return settings


def _tunnel(top: Section, machine: str, site: str) -> SpokeSettings | None:
    if "tunnel" not in top.names():
        return None
    given = top.section("tunnel")
    settings = SpokeSettings(
        machine=machine,
        site=site,
        interface=given.text("interface", "multisite0"),
        port=given.number("port", 51_820, 1, 65_535),
        state=Path(given.text("state", "/var/lib/multisite-agent")),
    )
    given.done()
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
