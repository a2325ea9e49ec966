"""Configuration: what is right is read, what is wrong is named with file, line and key."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.kit.messages import LANGUAGES, Message
from harness.stack.sfha.config.load import ConfigError, Vip, load_config, load_mesh

GOOD = """\
cluster:
  name: demo
  profile: lan
node:
  name: n1
vips:
  - {name: web, ip: 10.0.0.100/16, interface: eth1}
  - name: db
    ip: 10.0.0.25
unsafe:
  announce: false
"""
MESH = {
    "private_key": "k=",
    "name": "n1",
    "node_id": 1,
    "address": "10.90.0.1/24",
    "peers": [
        {
            "name": "n2",
            "node_id": 2,
            "public_key": "p=",
            "endpoint": "10.0.0.2:51820",
            "address": "10.90.0.2",
            "votes": 3,
        }
    ],
}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    config = load_config(written(tmp_path / "config.yml", GOOD))
    assert (config.cluster, config.node, config.profile.name) == ("demo", "n1", "lan")
    assert config.vips == (Vip("web", "10.0.0.100", 16, "eth1"), Vip("db", "10.0.0.25", 24, "eth0"))
    assert config.broken() == ("unsafe.announce",)
    assert config.quorum_required
    assert replace(config, quorum_required=False).broken() == ("cluster.quorum_required", "unsafe.announce")


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        (
            "  profile: fastest",
            "  profile: lan",
            ":3: cluster.profile: must be one of fast, lan, steady, wan, not 'fastest'",
        ),
        ("  nane: n1", "  name: n1", ":5: node.name: is missing"),
        ("  name: n1\n  color: red", "  name: n1", ":6: node.color: unknown name; allowed here: name, priority"),
        ("  name: n1\n  priority: high", "  name: n1", ":6: node.priority: must be a whole number from 0 to 1000"),
        ("  name: n1\n  name: n2", "  name: n1", ":6: node.name is given twice"),
        ("  announce: 7", "  announce: false", ":11: unsafe.announce: must be true or false, not '7'"),
        ("    ip: 10.0.0.256", "    ip: 10.0.0.25", ":9: vips[1].ip: must be an IPv4 address of a host"),
        ("    ip: 10.0.0.255", "    ip: 10.0.0.25", ":9: vips[1].ip: must be an IPv4 address of a host"),
        ("    ip: 10.0.0.100", "    ip: 10.0.0.25", ":9: vips[1].ip: 10.0.0.100 is already taken"),
        ("  - name: web", "  - name: db", ":8: vips[1].name: 'web' is already taken"),
        ("    ip: 10.0.0.25\n    interface: a b", "    ip: 10.0.0.25", ":10: vips[1].interface: must be the name of"),
        ("vips: web\nother:", "vips:", ":6: vips: must be a list"),
        ("node: n1\nnodes:", "node:", ":4: node must be a mapping"),
        ("cluster: [\nother:", "cluster:", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, wrong: str, right: str, message: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        load_config(written(tmp_path / "config.yml", GOOD.replace(right, wrong, 1)))
    assert f"{tmp_path}/config.yml" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("eth0:1", "an address label such as eth0:1 is not an interface"),
        ("a/b", "no slash"),
        ("a b", "space"),
        ("a\tb", "space"),
        ("a\nb", "space"),
        ("eth\x01", "control character"),
        ("à", "space"),  # the kernel takes its second byte for one
        (".", "no name"),
        ("..", "no name"),
        ("", "no name"),
        ("eth0123456789abc", "15 bytes"),
        ("éééééééé", "15 bytes"),
        ("eth*", "stars"),
        ('x"y', "quotation marks"),
    ],
)
def test_a_name_that_no_interface_can_have_is_refused_in_one_line(name: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(text=of_interface(name))
    assert isinstance(error.value.why, Message)
    for language in LANGUAGES:
        assert len(error.value.why.said(language).splitlines()) == 1
    assert why in str(error.value)


@pytest.mark.parametrize(
    "name", ["inet", "0lan", "a-b", "devname.100", "é", "x;y", "e{", "$x", "#x", "eth0123456789ab"]
)
def test_any_other_name_is_taken(name: str) -> None:
    assert load_config(text=of_interface(name)).vips[0].interface == name


def of_interface(name: str) -> str:
    document = {"cluster": {"name": "c"}, "node": {"name": "n1"}}
    return json.dumps(document | {"vips": [{"name": "web", "ip": "10.0.0.1/24", "interface": name}]})


def test_a_missing_file_and_an_empty_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yml: cannot be read"):
        load_config(tmp_path / "config.yml")
    with pytest.raises(ConfigError, match="the file is empty"):
        load_config(written(tmp_path / "config.yml", ""))


def test_a_mesh_is_read(tmp_path: Path) -> None:
    mesh = load_mesh(written(tmp_path / "mesh.json", json.dumps(MESH)))
    assert [(node.node_id, node.address, node.votes) for node in mesh.nodes()] == [
        (1, "10.90.0.1", 1),
        (2, "10.90.0.2", 3),
    ]
    assert (mesh.interface, mesh.port, mesh.prefix) == ("wg-sfha", 51820, 24)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("node_id", 2, "node_id 2 is used by two nodes"),
        ("name", "n2", "name n2 is used by two nodes"),
        ("address", "10.90.0.2/24", "address 10.90.0.2 is used by two nodes"),
        ("address", "somewhere", ":5: address: must be an IPv4 address"),
        ("port", 70000, "port: must be a whole number from 1 to 65535, not 70000"),
        ("secret", "x", "secret: unknown name"),
    ],
)
def test_a_wrong_mesh_is_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_mesh(written(tmp_path / "mesh.json", json.dumps({**MESH, key: value}, indent=1)))
    assert message in str(error.value)


def test_a_wrong_endpoint_and_broken_json_are_named(tmp_path: Path) -> None:
    broken = json.dumps(MESH).replace("10.0.0.2:51820", "10.0.0.2")
    with pytest.raises(ConfigError, match=r"peers\[0\]\.endpoint: must be"):
        load_mesh(written(tmp_path / "mesh.json", broken))
    with pytest.raises(ConfigError, match=r"mesh\.json:1: not valid JSON"):
        load_mesh(written(tmp_path / "mesh.json", "{"))
