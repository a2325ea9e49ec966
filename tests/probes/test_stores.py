"""The clients' process finds the clients of a store: by name, or where the class of its subject is."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.probes.workload import Settings
from harness.subjects.resp import RespClient
from harness.workloads.load import Load, Route

ROUTE = Route(address="192.0.2.1", port=1)
SOURCE = """
from dataclasses import dataclass
from harness.subjects.subject import Subject

@dataclass(frozen=True)
class Shelf(Subject):
    name = "shelf"
    models = ("ledger",)
    board: int = 1

    def files(self, node, topology, plan):
        return ()

    def client(self, model, route):
        return (model, route.address, self.board)
"""


def settings_for(store: str, *search: Path, **stores: str) -> Settings:
    """As they arrive in the other process."""
    load = Load(model="ledger", key="k", store=store, routes=(ROUTE,), rate_per_s=1, timeout_s=1)
    given = Settings(
        history="h",
        namespace="n",
        loads=(load,),
        stores=stores,
        settings={name: {"board": 2} for name in stores},
        search=tuple(map(str, search)),
    )
    arrived = Settings.from_json(given.to_json())
    assert arrived == given
    return arrived


def test_a_store_that_ships_is_found_by_its_name() -> None:
    settings = settings_for("redis")
    assert isinstance(settings.connect(settings.loads[0])(ROUTE), RespClient)


def test_one_of_a_suite_is_found_where_its_class_is_with_its_settings(tmp_path: Path) -> None:
    module = f"shelf_{abs(hash(tmp_path))}"
    (tmp_path / f"{module}.py").write_text(SOURCE)
    settings = settings_for("shelf", tmp_path, shelf=f"{module}:Shelf")
    made: object = settings.connect(settings.loads[0])(ROUTE)
    assert made == ("ledger", "192.0.2.1", 2)


def test_one_that_is_nowhere_is_named() -> None:
    settings = settings_for("shelf")
    with pytest.raises(UsageError, match="there is no subject 'shelf'"):
        settings.connect(settings.loads[0])
