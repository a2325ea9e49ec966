"""What every command has in common: exit codes, one-line errors, JSON, two languages, help that teaches."""

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.stack.kit.messages import texts
from harness.stack.sfha.cli.main import ALL, COMMANDS, parser_for, parser_with
from tests.stack.sfha.cli.command import run

PROMISED = {
    "status", "run", "config-check", "config-example", "constraints", "resources", "health", "standby", "unstandby",
    "reload", "failover", "leave", "node remove", "vip list", "vip add", "vip remove", "service list", "service add",
    "service remove", "token", "init", "join", "propagate", "mesh status", "mesh up", "mesh down", "mesh add-peer",
    "mesh endpoint", "mesh remove-peer", "stonith status", "stonith fence", "stonith unfence", "stonith history",
    "stonith setup", "stonith notify",
    "logs", "vip set",
}  # fmt: skip


def commands(parser: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not groups:
        yield words, parser
    for group in groups:
        for name, one in group.choices.items():
            yield from commands(one, f"{words} {name}".strip())


def test_every_promised_command_is_there() -> None:
    assert {name for name, _ in commands(parser_with(ALL))} >= PROMISED


def test_a_known_first_word_loads_its_commands_only() -> None:
    (group,) = (one for one in parser_for(["status"])._actions if isinstance(one, argparse._SubParsersAction))
    assert set(group.choices) == {"status"}
    assert set(COMMANDS) == {name.split()[0] for name, _ in commands(parser_with(ALL))}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_command_explains_itself_in_both_languages(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, _ in commands(parser_with(ALL)):
        assert run("--lang", language, *name.split(), "--help") == 0
        shown = capsys.readouterr().out
        assert shown.startswith("usage: " if language == "en" else "utilisation : "), name
        assert texts()[f"help.{name.replace(' ', '.')}"][language == "fr"][1:] in " ".join(shown.split()), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required"),
        (("dance",), "invalid choice: 'dance'"),
        (("status", "--colour"), "unrecognized arguments: --colour"),
        (("--lang", "fr", "status", "--colour"), "arguments inconnus : --colour"),
        (("--lang=fr",), "ces arguments manquent"),
    ],
)
def test_wrong_usage_is_two_lines_and_exit_code_2(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].startswith("sfha: ")
    assert words in said[0]
    assert "--help" in said[1]


def test_the_language_may_come_after_the_command_or_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status", "--lang", "fr") == 1
    assert "aucun démon ne répond" in capsys.readouterr().err
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert run("standby") == 1
    assert "aucun démon ne répond" in capsys.readouterr().err
    assert run("--lang", "en", "standby") == 1
    assert "no daemon answers" in capsys.readouterr().err


def test_without_a_daemon_it_fails_in_one_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("standby", "--json") == 1
    shown = capsys.readouterr()
    assert "start it with" in shown.err
    assert len(shown.err.splitlines()) == 1
    assert json.loads(shown.out)["ok"] is False


Daemon = Callable[[Callable[[dict[str, Any]], object]], list[dict[str, Any]]]


def test_a_refusal_comes_in_the_users_language(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon(lambda _: {"ok": False, "error": {"key": "control.unknown", "values": {"command": "standby"}}})
    assert run("standby") == 1
    assert "does not know the command 'standby'" in capsys.readouterr().err
    assert run("standby", "--lang", "fr") == 1
    assert "ne connaît pas la commande 'standby'" in capsys.readouterr().err


@pytest.mark.parametrize("nonsense", ["text", 7, None, []])
def test_an_answer_that_makes_no_sense_is_no_traceback(
    nonsense: object, daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon(lambda _: nonsense)
    assert run("standby") == 1
    assert "restart the daemon" in capsys.readouterr().err


def test_colours_are_for_terminals_that_want_them() -> None:
    from harness.stack.sfha.cli.output import coloured

    class Terminal:
        def __init__(self, tty: bool) -> None:
            self.tty = tty

        def isatty(self) -> bool:
            return self.tty

    colours: list[bool] = [
        coloured(Terminal(tty), environment)  # type: ignore[arg-type]
        for tty, environment in (
            (True, {"TERM": "xterm"}),
            (True, {"TERM": "xterm", "NO_COLOR": "1"}),
            (True, {"TERM": "dumb"}),
            (False, {"TERM": "xterm"}),
        )
    ]
    assert colours == [True, False, False, False]
