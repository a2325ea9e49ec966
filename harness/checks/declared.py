"""A check is declared once: its name, its arguments, their types, limits and defaults are those of its function.

Called with a history it judges; ``expected`` is what a scenario says of its own history, with the same arguments.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Concatenate, Generic, ParamSpec, get_type_hints

import msgspec

from harness.checks.expected import Expected
from harness.checks.verdict import Verdict
from harness.errors import UsageError
from harness.events import Json
from harness.history import History

Arguments = ParamSpec("Arguments")

Seconds = Annotated[float, msgspec.Meta(ge=0)]
"""A length of time."""
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
"""A part of the whole."""

_declared: "dict[str, Check[...]]" = {}


class Check(Generic[Arguments]):
    """A pure function of a history; see :func:`check`."""

    __name__: str

    def __init__(self, function: Callable[Concatenate[History, Arguments], Verdict], *, durable: bool) -> None:
        self._function = function
        self.durable = durable
        """Whether it says of writes that they are still there, and so has to say what they were to survive."""
        functools.update_wrapper(self, function)
        self._signature = inspect.signature(function)
        self._types = get_type_hints(function, include_extras=True)

    def __call__(self, history: History, *words: Arguments.args, **named: Arguments.kwargs) -> Verdict:
        """Judge a history."""
        return self._function(history, *words, **named)

    def expected(self, *words: Arguments.args, **named: Arguments.kwargs) -> Expected:
        """What a scenario expects of its history; only the arguments that it names are written down."""
        return Expected(self.__name__, self._bound(words, named))

    def accept(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as they are written down, made what the function takes. Raises UsageError, naming what is wrong."""
        return {name: self._converted(name, value) for name, value in self._bound((), arguments).items()}

    def _bound(self, words: tuple[object, ...], named: Mapping[str, object]) -> dict[str, Json]:
        try:
            bound: dict[str, Json] = dict(self._signature.bind(None, *words, **named).arguments)
        except TypeError as error:
            raise UsageError(f"check {self.__name__}: {error}; it takes {self.takes}") from None
        del bound[next(iter(bound))]  # the history
        return {name: msgspec.to_builtins(value) for name, value in bound.items()}

    def _converted(self, name: str, value: Any) -> Any:
        try:
            return msgspec.convert(value, self._types[name])
        except msgspec.ValidationError as error:
            raise UsageError(f"check {self.__name__}: {name} is {value!r}: {error}; it takes {self.takes}") from None

    @property
    def takes(self) -> str:
        """The names of its arguments, for a person."""
        return ", ".join(list(self._signature.parameters)[1:]) or "no argument"


def check(function: Callable[Concatenate[History, Arguments], Verdict]) -> Check[Arguments]:
    """Declare a check. Its first argument is the history; all others are JSON."""
    return _declare(Check(function, durable=False))


def check_of_durability(function: Callable[Concatenate[History, Arguments], Verdict]) -> Check[Arguments]:
    """Declare a check that says of writes that they are still there: its verdict says what they survived."""
    return _declare(Check(function, durable=True))


def _declare(made: Check[Arguments]) -> Check[Arguments]:
    other = _declared.setdefault(made.__name__, made)
    if other is not made and other.__module__ != made.__module__:
        raise UsageError(f"two checks are called {made.__name__}, of {other.__module__} and {made.__module__}")
    return made


def declared() -> "dict[str, Check[...]]":
    """Every check of the modules that were imported so far, by its name."""
    return dict(_declared)
