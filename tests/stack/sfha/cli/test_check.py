"""`sfha config-check` finds what files of the two kinds must not say together, and names that cannot be."""

import json
from pathlib import Path

import pytest

from tests.stack.sfha.cli.command import run

MESH = {"private_key": "key", "name": "n1", "node_id": 1, "address": "10.90.0.1/24", "peers": []}


def check(directory: Path, config: str, **mesh: object) -> int:
    (directory / "config.yml").write_text(config)
    (directory / "mesh.json").write_text(json.dumps(MESH | mesh))
    files = ("--config", str(directory / "config.yml"), "--mesh", str(directory / "mesh.json"))
    return run("config-check", *files)


def config(vip: str = "192.0.2.100/24", cluster: str = "demo", node: str = "n1") -> str:
    names = f"cluster: {{name: {json.dumps(cluster)}}}\nnode: {{name: {json.dumps(node)}}}\n"
    return f"{names}vips: [{{name: web, ip: {vip}}}]\n"


@pytest.mark.parametrize("vip", ["192.0.2.100/24", "10.90.1.1/24", "'fd00::1'"])
def test_an_address_outside_the_mesh_is_good(tmp_path: Path, vip: str) -> None:
    assert check(tmp_path, config(vip)) == 0


@pytest.mark.parametrize("vip", ["10.90.0.4/24", "10.90.0.4/32", "10.90.0.1/24"])
def test_an_address_inside_the_mesh_is_none(tmp_path: Path, vip: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, config(vip)) == 1
    assert "web: 10.90.0" in (said := capsys.readouterr().err)
    assert "10.90.0.0/24" in said


@pytest.mark.parametrize("name", ["prod {eu}", "a\nb", "", " "])
def test_a_name_that_corosync_cannot_hold_is_named_with_its_line(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, config(cluster=name)) == 1
    assert "config.yml:1: cluster.name: " in capsys.readouterr().err
    assert check(tmp_path, config(node=name)) == 1
    assert "config.yml:2: node.name: " in capsys.readouterr().err
    peer = {"name": name, "node_id": 2, "public_key": "k", "endpoint": "h:1", "address": "10.90.0.2"}
    assert check(tmp_path, config(), peers=[peer]) == 1
    assert "peers[0].name: " in capsys.readouterr().err
