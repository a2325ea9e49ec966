"""Every sentence exists in both languages with the same gaps, and every key that sfha and the kit use exists."""

import ast
from pathlib import Path
from string import Formatter

import pytest

import harness.stack
import harness.stack.sfha.messages
from harness.stack.kit.messages import Message, from_json, language_of, message, texts

STACK = Path(harness.stack.__file__).parent
SPEAKERS = {"text", "message", "say", "detail", "done", "step", "partial"}
"""Functions whose first argument, where it is written out, is a key."""


def gaps(template: str) -> set[str]:
    """The names of its gaps; braces of examples ({order: FIRST}, {name, online}) are none."""
    return {
        name
        for _, name, spec, _ in Formatter().parse(template)
        if name is not None and (name == "" or name.isidentifier()) and not (spec or "").startswith(" ")
    }


@pytest.mark.parametrize("key", sorted(texts()))
def test_both_languages_say_the_same(key: str) -> None:
    english, french = texts()[key]
    assert english
    assert french
    assert gaps(english) == gaps(french)
    if not key.startswith("argparse."):
        assert "" not in gaps(english), "gaps have names"


def written_keys() -> list[tuple[str, set[str] | None, str]]:
    """(key, names of the values or None where they are not written out, where) of each call with a literal key."""
    found = []
    for path in sorted(path for room in ("kit", "sfha") for path in (STACK / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            if (
                name in SPEAKERS
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and "." in first.value
            ):
                names = None if any(word.arg is None for word in node.keywords) else {str(w.arg) for w in node.keywords}
                found.append((first.value, names, f"{path.relative_to(STACK)}:{node.lineno}"))
    return found


def test_the_keys_in_use_exist_and_get_their_values() -> None:
    wrong = []
    for key, names, where in written_keys():
        if key not in texts():
            wrong.append(f"{where}: {key} is not in the catalogue")
        elif names is not None and not gaps(texts()[key][0]) <= names:
            wrong.append(f"{where}: {key} needs {sorted(gaps(texts()[key][0]) - names)}")
    assert wrong == []


def test_a_message_travels_as_json() -> None:
    why = message("control.refused", why=message("control.unknown", command="dance"))
    back = from_json(why.to_json())
    assert isinstance(back, Message)
    assert back == why
    assert "refused" in back.said("en")
    assert "refusé" in back.said("fr")
    assert "version antérieure" in back.said("fr")


def test_an_unknown_message_stays_readable() -> None:
    assert from_json("plain words") == "plain words"
    assert "no.such.key" in str(from_json({"key": "no.such.key", "values": {}}))


@pytest.mark.parametrize(
    ("asked", "environment", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "fr"),
        (None, {"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        (None, {"LANG": "C", "LC_MESSAGES": "fr_CA"}, "fr"),
        ("fr", {"LANG": "en_GB"}, "fr"),
        ("en", {"LC_ALL": "fr"}, "en"),
        (None, {"LC_ALL": "", "LANG": "fr"}, "fr"),
    ],
)
def test_the_language_is_the_asked_one_else_the_environments(
    asked: str | None, environment: dict[str, str], language: str
) -> None:
    assert language_of(asked, environment) == language
