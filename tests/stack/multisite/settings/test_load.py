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
