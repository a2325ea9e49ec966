"""What is sent and answered."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
AbsolutePath = Annotated[str, StringConstraints(min_length=2, max_length=4000, pattern=r"^/[^\x00-\x1f\x7f]*$")]
Why = Annotated[Text, Field(description="For the audit log: whoever reads it later wants to know")]


class Sent(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid")


class MapIn(Sent):
    """A volume to be mapped."""

    file: AbsolutePath
    driver: Literal["mfsbdev", "nbd-client", "userspace", "file"] | None = None


class UnmapIn(Sent):
    """A volume to be let go."""

    file: AbsolutePath


class PreflightIn(Sent):
    """A move that somebody thinks of."""

    source: AbsolutePath
    target: AbsolutePath
    keep_source: bool = False


class MoveIn(PreflightIn):
    """A move."""

    grace_s: Annotated[float, Field(ge=0, le=86400)] = 30.0


class AnswerIn(Sent):
    """A person's answer."""

    why: Why


class LevelIn(Sent):
    """How far the daemon may go."""

    level: Annotated[int, Field(ge=1, le=5)]
    why: Why


class SilenceIn(Sent):
    """What not to tell for a while; patterns with * and ?."""

    name: Text = "*"
    subject: Text = "*"
    for_s: Annotated[float, Field(gt=0, le=30 * 86400)]
    why: Why


class Alive(BaseModel):
    """The daemon answers."""

    status: Literal["ok"] = "ok"


class Status(BaseModel):
    """In a few words."""

    node: str
    version: str
    level: int
    level_name: str
    up_s: float
    looked_at_s: float
    look_took_s: float
    troubles: list[str]
    volumes: dict[str, int]
    incidents: dict[str, int]
    requests: dict[str, int]
    alerts: dict[str, int]


class Volume(BaseModel):
    """One that is recorded."""

    volume: str
    route: str
    driver: str
    index: int | None
    stage: str
    works: str
    link: str | None


class Device(BaseModel):
    """One index of the pool."""

    index: int
    state: str
    volume: str
    size_bytes: int
    server_pid: int | None
    holders: list[str]


class RequestOut(BaseModel):
    """Something that was asked for."""

    id: str
    act: str
    arguments: dict[str, str]
    asked_by: str
    asked_at_s: float
    state: str
    risk: str
    reasons: list[str]
    decided_by: str
    decided_at_s: float
    decided_why: str
    outcome: str
    progress: str | None = None


class FindingOut(BaseModel):
    """One line of preflight."""

    check: str
    category: str
    weight: str
    outcome: str
    seen: str
    expected: str
    remedy: str


class PreflightOut(BaseModel):
    """What was looked at, and what it amounts to."""

    passed: int
    total: int
    risk_level: str
    failures: list[FindingOut]
    warnings: list[FindingOut]


class IncidentKind(BaseModel):
    """A kind of incident."""

    name: str
    severity: str
    advice: str
    remedy: str | None
    level: int
    tries: int
    within_s: float


class IncidentOut(BaseModel):
    """One that is there, or was."""

    name: str
    subject: str
    seen: str
    stage: str
    since_s: float
    tries: int
    said: str
    cured: bool | None = None
    ended_at_s: float | None = None


class AlertOut(BaseModel):
    """Something that is wrong now."""

    name: str
    subject: str
    severity: str
    summary: str
    since_s: float
    told: dict[str, float]
    silenced: bool


class SilenceOut(BaseModel):
    """What nobody is told of."""

    id: str
    name: str
    subject: str
    until_s: float
    by: str
    why: str


class AuditOut(BaseModel):
    """A part of the audit log, and whether all of it is as it was written."""

    lines: int
    digest: str
    faults: list[str]
    entries: list[dict[str, object]]
