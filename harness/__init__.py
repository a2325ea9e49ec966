"""A chaos and end-to-end test harness for high-availability stacks.

``from harness import Cluster, Kill, ...`` has what suites are written with (:mod:`harness.api`), loaded when it is
asked for: the harness's own processes start without it.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import *  # noqa: F403

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Modules come first, so that importing one from here does not load them all.
    if (name != "__all__" and name.startswith("__")) or find_spec(f"{__name__}.{name}"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    api = import_module("harness.api")
    if name == "__all__":
        return api.__all__
    if name not in api.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *import_module("harness.api").__all__})
