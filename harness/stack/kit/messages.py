"""Messages that know their key and values, and become a sentence only where somebody reads them. Pure.

The daemon answers with messages, its log holds English, and the command line speaks the language of its user.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
OWN = "texts"
"""The module beside this one with the texts of the kit itself."""

Texts = Mapping[str, tuple[str, str]]
_catalogues: list[str] = []
_texts: dict[str, tuple[str, str]] = {}


def use_catalogue(package: str) -> None:
    """Speak these texts as well: ``package`` has ``PARTS``, the names of modules with ``TEXTS``.

    ``TEXTS`` is key -> (English, French). A product calls this once, in its own ``__init__``.
    """
    if package not in _catalogues:
        _catalogues.append(package)
        _texts.clear()


def texts() -> Texts:
    """Every sentence there is; read at the first use, so that a quick start pays nothing for it."""
    if not _texts:
        _texts.update(importlib.import_module(f"{__package__}.{OWN}").TEXTS)
        for package in _catalogues:
            for part in importlib.import_module(package).PARTS:
                _texts.update(importlib.import_module(f"{package}.{part}").TEXTS)
    return _texts


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for a person: its key in the catalogue and what belongs into the gaps. ``str()`` is English."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: Language) -> str:
        """The sentence. Values that are messages themselves are said in the same language."""
        template = texts()[self.key][LANGUAGES.index(language)]
        if not self.values:
            return template  # as it stands, braces and all: examples may hold some
        return template.format(
            **{name: one.said(language) if isinstance(one, Message) else one for name, one in self.values.items()}
        )

    def __str__(self) -> str:
        return self.said("en")

    def to_json(self) -> dict[str, object]:
        """For an answer of the daemon: ``{"key": ..., "values": ...}``."""
        values = {name: one.to_json() if isinstance(one, Message) else one for name, one in self.values.items()}
        return {"key": self.key, "values": values}


def message(key: str, /, **values: object) -> Message:
    """A message; the names of ``values`` are those of the gaps."""
    return Message(key, values)


def from_json(document: object) -> Message | str:
    """What ``to_json`` made, or, from an older daemon or for a key that is unknown here, a plain text."""
    match document:
        case {"key": str(key), "values": dict(values)} if key in texts():
            return Message(key, {str(name): _value(one) for name, one in values.items()})
    return str(document)


def _value(document: object) -> object:
    return from_json(document) if isinstance(document, dict) else document


def language_of(asked: str | None, environment: Mapping[str, str]) -> Language:
    """``--lang`` where it is given, else what the environment says (locale(7): LC_ALL, LC_MESSAGES, LANG)."""
    wanted = asked or next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return "fr" if wanted.lower().startswith("fr") else "en"
