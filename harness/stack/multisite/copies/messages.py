"""What machines that keep copies say to each other."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..inventory.reports import HubSaid
from .core import Mark, Standing, Term

KEY_HEADER = "X-Copies-Key"
FILE_PATTERN = r"^(certificates|pki|acme)(/[A-Za-z0-9_@%+=:,~-][A-Za-z0-9._@%+=:,~-]*)+$"
"""Below the edge's storage; no part begins with a dot, so none leads out of it."""
MOST_BYTES = 1_000_000


class Said(BaseModel):
    """Whoever reads ignores what he does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Claim(Said):
    """Somebody wants to lead."""

    term: Term


class Copy(Said):
    """What the leader has; without ``content`` it is only asked whether the copy is of that mark."""

    mark: Mark
    content: dict[str, Any] | None = None


class Answer(Said):
    """To both. ``content`` goes with a claim that is granted; ``hub`` is that of the machine which answers."""

    agreed: bool
    standing: Standing
    content: dict[str, Any] | None = None
    hub: HubSaid | None = None


class StoredFile(Said):
    """A certificate, a key or an account of the edge: base64, and when it was written."""

    content: Annotated[str, Field(max_length=MOST_BYTES * 4 // 3 + 4)]
    written_ns: Annotated[int, Field(ge=0, lt=2**63)]


class Files(Said):
    """By their paths below the edge's storage."""

    files: dict[Annotated[str, Field(pattern=FILE_PATTERN, max_length=500)], StoredFile]


class CopiesState(BaseModel):
    """As a person is told. ``behind``: who lacks the newest change, or does not answer; only the leader knows."""

    name: str
    leads: bool
    leader: str
    address: str
    behind: list[str]
