"""A real Caddy that is kept at what it should have."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.stack.multisite.edge.admin import Admin, EdgeError
from harness.stack.multisite.edge.program import caddy, validate
from harness.stack.multisite.edge.sync import ConfigSync
from harness.stack.multisite.inventory.snapshot import Service, Snapshot
from harness.stack.multisite.routing.core import Layout, canonical, configuration
from tests.stack.multisite.places import admin, bare_edge, configured, layout_in

ONE, OTHER = (Snapshot((Service(name, (f"{name}.test",)),)) for name in ("one", "other"))


@dataclass
class Noted:
    """A journal in memory."""

    lines: list[str] = field(default_factory=list)

    async def applied(self, digest: str) -> None:
        self.lines.append("applied")

    async def refused(self, digest: str, why: str) -> None:
        self.lines.append(f"refused: {why}")


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = layout_in(tmp_path)
    with bare_edge(tmp_path, layout):
        yield layout


def sync_of(layout: Layout, tmp_path: Path, noted: Noted, program: str | None = None) -> ConfigSync:
    return ConfigSync(Admin(layout.admin), program, tmp_path / "good.json", noted, lambda event, **fields: None)


async def test_it_loads_only_when_something_is_different(layout: Layout, tmp_path: Path) -> None:
    noted = Noted()
    sync = sync_of(layout, tmp_path, noted, caddy())
    await sync.look()
    assert (sync.status.reachable, sync.status.loads) == (True, 0)
    for snapshot, loads in ((ONE, 1), (ONE, 1), (OTHER, 2), (OTHER, 2)):
        sync.want(configuration(snapshot, layout))
        await sync.look()
        assert (sync.status.loads, sync.status.repairs, sync.status.error) == (loads, 0, None)
        assert configured(layout) == configuration(snapshot, layout)
    assert noted.lines == ["applied", "applied"]
    assert (tmp_path / "good.json").read_text() == canonical(configuration(OTHER, layout))


async def test_what_somebody_else_changed_is_put_right(layout: Layout, tmp_path: Path) -> None:
    sync = sync_of(layout, tmp_path, Noted())
    sync.want(configuration(ONE, layout))
    await sync.look()
    with admin(layout) as client:
        client.delete("/config/apps/http/servers/public")
    await sync.look()
    assert (sync.status.repairs, configured(layout)) == (1, configuration(ONE, layout))


@pytest.mark.parametrize("validated", [True, False])
async def test_what_it_refuses_leaves_the_old_one_in_force(layout: Layout, tmp_path: Path, validated: bool) -> None:
    noted = Noted()
    sync = sync_of(layout, tmp_path, noted, caddy() if validated else None)
    sync.want(configuration(ONE, layout))
    await sync.look()
    bad = configuration(OTHER, layout)
    bad["apps"]["http"]["servers"]["public"]["listen"] = ["127.0.0.1:not-a-port"]
    sync.want(bad)
    for _ in range(3):
        await sync.look()
    assert [line.split(":")[0] for line in noted.lines] == ["applied", "refused"]  # and not asked again at once
    assert "not-a-port" in str(sync.status.error)
    assert configured(layout) == configuration(ONE, layout)
    sync.want(configuration(OTHER, layout))
    await sync.look()
    assert (sync.status.error, configured(layout)) == (None, configuration(OTHER, layout))


async def test_an_edge_that_is_not_there_is_said(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    sync = sync_of(layout, tmp_path, Noted())
    sync.want(configuration(ONE, layout))
    await sync.look()
    assert sync.status.reachable is False
    assert layout.admin in str(sync.status.error)


async def test_a_caddy_that_cannot_be_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="/nowhere"):
        await validate("/nowhere", {})
