"""The long comparisons with brute force run only when they are asked for: ``pytest -m thorough``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "thorough" in str(config.getoption("markexpr")):
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="run with -m thorough"))
