"""``/``: the page, for whoever has a token; it refreshes itself by ``/page/state``.

The token is kept in a cookie that no script can read, and that no other site's requests carry. The page only shows, so
there is nothing that a request in somebody's name could do.
"""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Cookie, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...inventory import seen, tokens, versions
from ...inventory.database import Database
from ...inventory.entries import address_of
from ...inventory.errors import DatabaseError
from ...inventory.tables import BackendRow, ConfigVersionRow, SiteRow
from ..access import Daemon, Inventory
from ..live import Live, overall
from . import view
from .words import Language, language_of, words

LOOKS_SHOWN, VERSIONS_SHOWN, DIFFS_KEPT = 40, 8, 32
COOKIE, LANGUAGE_COOKIE = "multisite_token", "multisite_language"
HERE = Path(__file__).parent
FILES = {"page.css": "text/css", "page.js": "text/javascript"}
# Nothing from elsewhere, no script or style within the page, no frame around it (CSP level 3).
GUARDED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
router = APIRouter(include_in_schema=False)
templates = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class Diffs:
    """How versions differ from those before them, each found out once: the page is looked at every second."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def of(self, before: ConfigVersionRow | None, row: ConfigVersionRow) -> tuple[str, ...]:
        """A version is what its digest says, so it never differs in another way."""
        if before is None:
            return ()
        key = (before.digest, row.digest)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = view.differences(before.document, row.document)
            if len(self._known) > DIFFS_KEPT:
                self._known.popitem(last=False)
        return found


_diffs = Diffs()
Token = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]
Chosen = Annotated[str | None, Cookie(alias=LANGUAGE_COOKIE, max_length=8)]
Accepted = Annotated[str | None, Header(alias="Accept-Language", max_length=500)]


@router.get("/")
def page(
    inventory: Inventory, daemon: Daemon, token: Token = None, chosen: Chosen = None, accepted: Accepted = None
) -> Response:
    """All of it, or the way to log in."""
    language = language_of(chosen, accepted)
    if not _may_look(inventory, token):
        return _rendered("login.html", language, wrong=token is not None, code=401 if token is not None else 200)
    return _rendered("page.html", language, **_state(inventory, daemon, _diffs))


@router.get("/page/state")
def state(
    inventory: Inventory, daemon: Daemon, token: Token = None, chosen: Chosen = None, accepted: Accepted = None
) -> Response:
    """What changes."""
    if not _may_look(inventory, token):
        return Response(status_code=401)
    return _rendered("state.html", language_of(chosen, accepted), **_state(inventory, daemon, _diffs))


@router.get("/page/{name}")
def file(name: str) -> Response:
    """Style and script."""
    if name not in FILES:
        return Response(status_code=404)
    return Response((HERE / name).read_bytes(), media_type=FILES[name], headers={"X-Content-Type-Options": "nosniff"})


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Keep the token; whether it is worth anything, the page says."""
    given = (await _field(request, "token")).strip()
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, given[:200], httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


@router.post("/logout")
def log_out() -> Response:
    """Forget it."""
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.post("/language")
async def other_language(request: Request) -> Response:
    """The one that is asked for, from now on."""
    given = await _field(request, "language")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(LANGUAGE_COOKIE, language_of(given, None), samesite="strict", max_age=365 * 86400)
    return answer


async def _field(request: Request, name: str) -> str:
    """What a form says, by itself: it has one field."""
    return parse_qs((await request.body())[:4096].decode("latin-1")).get(name, [""])[0]


def _may_look(inventory: Database, token: str | None) -> bool:
    if not token:
        return False
    with inventory.reading() as session:
        role = tokens.role_of(session, token)
        return role is not None and role >= tokens.Role.read


def _rendered(template: str, language: Language, code: int = 200, **values: Any) -> Response:
    other: Language = "en" if language == "fr" else "fr"
    text = templates.get_template(template).render(word=words(language), language=language, other=other, **values)
    return HTMLResponse(text, code, headers=GUARDED)


def _state(inventory: Database, daemon: Live, diffs: Diffs) -> dict[str, Any]:
    edge, backends = daemon.edge(), daemon.backends()
    kept: Mapping[view.Key, view.Kept] = {}
    priorities: Mapping[str, int] = {}
    changes: list[view.Change] | None = []
    try:
        with inventory.reading() as session:
            kept, changes = _kept(session), _changes(session, diffs)
            priorities = {row.name: row.priority for row in session.scalars(select(SiteRow))}
    except DatabaseError:
        changes = None
    word = overall(backends, edge)
    return {
        "services": view.services(backends, kept),
        "sites": view.sites(backends, priorities),
        "turns": view.turns(backends, kept),
        "answering": sum(one.verdict != "down" for one in backends),
        "backends": len(backends),
        "overall": "all-down" if word == "down" else word,
        "edge": view.edge_state(edge),
        "edge_error": edge.error or "",
        "changes": changes,
    }


def _kept(session: Session) -> dict[view.Key, view.Kept]:
    found: dict[view.Key, view.Kept] = {}
    events = seen.newest(session, LOOKS_SHOWN)
    for row in session.scalars(select(BackendRow)):
        looks = (view.Look(up=one.status == "up", at=one.at, detail=one.detail or "") for one in events.get(row.id, ()))
        key = (row.service.name, address_of(row.host, row.port))
        found[key] = view.Kept(row.detail or "", row.latency_ms, tuple(looks))
    return found


def _changes(session: Session, diffs: Diffs) -> list[view.Change]:
    rows = versions.newest(session, VERSIONS_SHOWN + 1, None)
    held = versions.held(session)
    found = []
    for row, before in zip_longest(rows[:VERSIONS_SHOWN], rows[1:]):
        state = "refused" if row.refused else "pending" if row.applied_at is None else "applied"
        found.append(
            view.Change(
                id=row.id,
                digest=row.digest[:12],
                created_at=row.created_at,
                state="held" if held is not None and held.id == row.id else state,
                said=row.refused or "",
                diff=diffs.of(before, row),
            )
        )
    return found
