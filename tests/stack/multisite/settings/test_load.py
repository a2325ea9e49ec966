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
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = settings_of(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}:1: {told}"), str(error.value)
