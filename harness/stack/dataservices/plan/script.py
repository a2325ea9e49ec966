"""What a server's shell does so that actions hold. Pure: a text out of data.

The text is read by ``sh -s`` from its standard input, so nothing of it is on a command line. It stops at the first
action that fails, and says one line for each that holds: its number, and ``changed`` or ``same``.
"""

import base64
import shlex
from collections.abc import Sequence
from functools import cache, singledispatch
from importlib.resources import files

from .core import Absent, Action, Ask, Carried, Check, Command, Directory, File, Packages, Unit

SUFFIX = ".keyservices"
"""Of what is not in its place yet."""
_END = "END_OF_CONTENT"  # no line of base64 has an underscore


def script_of(actions: Sequence[Action], *, look: bool = False) -> str:
    """The whole script. With ``look`` it changes nothing: what is not so already fails, as does a check."""
    calls = "".join(f"at={number}\n{_call(action)}" for number, action in enumerate(actions))
    # In a function, so that all of it has been read before a command could read from the same input.
    return f"look={'yes' if look else ''}\n{_prelude()}\nall() {{\n:\n{calls}}}\nall </dev/null\n"


@cache
def _prelude() -> str:
    return files(__package__).joinpath("on_server.sh").read_text(encoding="utf-8")


@singledispatch
def _call(action: object) -> str:
    raise TypeError(f"no action: {action!r}")


@_call.register
def _(action: Directory) -> str:
    return _words("directory", action.path, f"{action.mode:o}", action.owner)


@_call.register
def _(action: File) -> str:
    keeps = "once" if action.once else "always"
    return _words("file", action.path, f"{action.mode:o}", action.owner, keeps, content=action.content)


@_call.register
def _(action: Absent) -> str:
    return _words("absent", action.path)


@_call.register
def _(action: Carried) -> str:
    return _words("carried", action.path, f"{action.mode:o}", action.sha256)


@_call.register
def _(action: Packages) -> str:
    return _words("packages", *action.names)


@_call.register
def _(action: Unit) -> str:
    return _words("unit", action.name, *action.files)


@_call.register
def _(action: Command) -> str:
    return _words("command", action.done_when, action.command, content=action.stdin)


@_call.register
def _(action: Check) -> str:
    return _words("check", f"{action.within_s:g}", action.command)


@_call.register
def _(action: Ask) -> str:
    return _words("ask", action.command)


def arrived(one: Carried) -> Check:
    """Whether a server has it already, so that nothing has to be sent."""
    return Check(f"printf '%s  %s\\n' {one.sha256} {shlex.quote(one.path)} | sha256sum --status --check -", 0)


def incoming(one: Carried) -> str:
    """A command for a server's shell: what comes on its standard input is kept beside its place."""
    place = shlex.quote(f"{one.path}{SUFFIX}")
    return f"umask 077 && rm -f {place} && cat >{place}"


def _words(*words: str, content: str | None = None) -> str:
    line = shlex.join(("does_" + words[0], *words[1:]))
    if content is None:
        return f"{line}\n"
    encoded = base64.encodebytes(content.encode()).decode()
    return f"{line} <<'{_END}'\n{encoded}{_END}\n"
