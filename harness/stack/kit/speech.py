"""The language of this process: chosen once by the command line, English otherwise."""

from .messages import Language, Message, message

_chosen: list[Language] = ["en"]


def choose(language: Language) -> None:
    """Speak this language from now on."""
    _chosen[0] = language


def chosen() -> Language:
    """The language that is spoken."""
    return _chosen[0]


def text(key: str, /, **values: object) -> str:
    """The sentence of ``key`` in the chosen language."""
    return message(key, **values).said(_chosen[0])


def said(one: Message | str) -> str:
    """A message in the chosen language; a text as it is."""
    return one.said(_chosen[0]) if isinstance(one, Message) else one
