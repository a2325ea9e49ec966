"""What an agent has to be told."""

from pathlib import Path

import pytest

from harness.stack.multisite.agent.settings import EXAMPLE, ConfigError, load


def written(tmp_path: Path, more: str) -> Path:
    (tmp_path / "token").write_text("secret\n")
    file = tmp_path / "agent.yml"
    file.write_text(f"machine: m1\nsite: dijon\nplatform: http://x\ntoken_file: {tmp_path}/token\n{more}\n")
    return file


def test_the_example_can_be_taken_with_and_without_its_tunnel(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    example = EXAMPLE.replace("/etc/multisite/token", f"{tmp_path}/token")
    file = tmp_path / "agent.yml"
    file.write_text(example)
    assert load(file).tunnel is None
    lines = example.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# tunnel:"))
    file.write_text("\n".join(lines[:begin] + [line.removeprefix("# ") for line in lines[begin:]]))
    tunnel = load(file).tunnel
    assert tunnel is not None
    assert (tunnel.interface, tunnel.port, tunnel.state) == ("multisite0", 51820, Path("/var/lib/multisite-agent"))


def test_with_a_tunnel_nobody_has_to_say_an_address_or_have_docker(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "docker: none\ntunnel: {port: 51821}"))
    assert (settings.address, settings.docker) == ("", "")
    assert settings.tunnel is not None
    assert (settings.tunnel.machine, settings.tunnel.site, settings.tunnel.port) == ("m1", "dijon", 51821)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "address: "),
        ("address: 10.0.0.1\ndocker: none", "docker: without Docker and without a tunnel there is nothing"),
        ("tunnel: {ports: 1}", "tunnel.ports: unknown name"),
        ("tunnel: {port: 0}", "tunnel.port: must be a whole number from 1 to 65535, not 0"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"agent\.yml") as error:
        load(written(tmp_path, more))
    assert told in str(error.value)
