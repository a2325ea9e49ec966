"""What every event is, and the format that histories are written in."""

import re
from typing import Annotated

from msgspec import Meta, Struct

FORMAT = 3
"""What :class:`~harness.events.run.RunStarted` calls the format of the histories that are written now."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What a column of 64 bits holds."""
Instant = Annotated[float, Meta(ge=-1e12, le=1e12)]


def _kind(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag=_kind, tag_field="kind", forbid_unknown_fields=True):
    """What every event has: when it was seen. Its kind in the history is its name ("run-started")."""

    t_s: Instant

    @property
    def kind(self) -> str:
        """What it is called in the history."""
        return str(type(self).__struct_config__.tag)
