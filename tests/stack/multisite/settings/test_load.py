"""Settings, and mistakes in them."""

from pathlib import Path

import pytest

from harness.stack.multisite.settings.load import EXAMPLE, ConfigError, load


def settings_of(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yml"
    file.write_text(text)
    return file


def test_the_example_is_what_is_so_anyway(tmp_path: Path) -> None:
    assert load(settings_of(tmp_path, EXAMPLE)) == load(settings_of(tmp_path, "{}"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("health: {interval_ms: 99}", "health.interval_ms: must be a whole number from 100 to 3600000, not 99"),
        ("edge: {tls: maybe}", "edge.tls: must be one of none, internal, automatic, not 'maybe'"),
        ("api: somewhere", "api: 'somewhere' must be HOST:PORT"),
        ("health: {lease_ms: 3000}", "health.lease_ms: must be more than interval_ms and timeout_ms together (3000)"),
        ("edges: {}", "edges: unknown name"),
        ("wireguard: {network: 10.200.0.0/24}", "wireguard.network: has no room for subnets of sites, which are /24"),
        ("wireguard: {endpoint: edge}", "wireguard.endpoint: 'edge' must be HOST:PORT"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = settings_of(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}:1: {told}"), str(error.value)


def test_the_hub_is_there_once_it_has_an_endpoint(tmp_path: Path) -> None:
    assert load(settings_of(tmp_path, "{}")).hub is None
    hub = load(settings_of(tmp_path, "wireguard: {endpoint: 'edge.example.com:51821', rotate_days: 1}")).hub
    assert hub is not None
    assert (hub.endpoint, hub.port, hub.interface, hub.rotate_s) == (
        "edge.example.com:51821",
        51821,
        "multisite0",
        86400,
    )


COPIES = """\
name: e1, address: 192.0.2.1, key_file: KEY,
edges: {e1: 'http://10.0.0.1:8000', e2: 'http://10.0.0.2:8000'}, witnesses: {w: 'http://10.0.0.3:8000'}
"""


def test_copies_are_of_several_machines_one_of_which_is_this_one(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k" * 32 + "\n")
    text = f"copies: {{{COPIES.replace('KEY', str(key))}}}"
    assert load(settings_of(tmp_path, "{}")).copies is None
    copies = load(settings_of(tmp_path, text)).copies
    assert copies is not None
    assert (copies.is_edge, copies.key, list(copies.edges), list(copies.witnesses)) == (
        True,
        "k" * 32,
        ["e1", "e2"],
        ["w"],
    )
    for before, after, told in (
        ("name: e1", "name: e9", "copies.name: e9 is none of: e1, e2, w"),
        ("192.0.2.1", "somewhere", "copies.address: "),
        ("{w: ", "{e2: ", "copies.witnesses: e2 is an edge already"),
        ("http://10.0.0.2", "10.0.0.2", "copies.edges.e2: must be the URL of an API"),
        ("copies:", "database: postgresql://there\ncopies:", "copies: each machine has a database of its own"),
    ):
        with pytest.raises(ConfigError, match=told):
            load(settings_of(tmp_path, text.replace(before, after)))
    key.write_text("short")
    with pytest.raises(ConfigError, match="32 characters at least"):
        load(settings_of(tmp_path, text))
