"""The software by name."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import UsageError
from harness.software.etcd import Etcd
from harness.software.fenced import FencedSfha
from harness.software.keepalived import Keepalived
from harness.software.redis import Redis
from harness.software.sfha import PackagedSfha, Sfha, UnconfiguredSfha
from harness.software.software import Software

SOFTWARE: dict[str, Callable[..., Software]] = {
    "sfha": Sfha,
    "sfha-unconfigured": UnconfiguredSfha,
    "sfha-packaged": PackagedSfha,
    "sfha-fenced": FencedSfha,
    "etcd": Etcd,
    "keepalived": Keepalived,
    "redis": Redis,
}


def software_called(name: str, settings: Mapping[str, Any] | None = None) -> Software:
    """The software of this name with these settings; UsageError names what is allowed."""
    kind = SOFTWARE.get(name)
    if kind is None:
        raise UsageError(f"there is no software {name!r}; allowed: {', '.join(SOFTWARE)}")
    try:
        return kind(**(settings or {}))
    except TypeError:
        allowed = ", ".join(field.name for field in dataclasses.fields(kind) if field.name != "name")  # type: ignore[arg-type]
        raise UsageError(f"{name} has no such settings: {', '.join(settings or {})}; allowed: {allowed}") from None
