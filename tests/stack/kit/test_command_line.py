"""A mistake is one line and a code, whoever makes it."""

import os
from collections.abc import Callable
from typing import NoReturn

import pytest

from harness.stack.kit.command_line import Parser, carried_out


class Refused(Exception):
    """Has a code of its own."""

    code = 3


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error

    return work


ERRORS: dict[type[Exception], int] = {KeyError: 2, Refused: 1}


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        (lambda: None, 0, ""),
        (lambda: 5, 5, ""),
        (raising(KeyError("x")), 2, "tool: 'x'\n"),
        (raising(Refused("no\nand no")), 3, "tool: no\ntool: and no\n"),
        (raising(FileNotFoundError(2, "No such file", "/x")), 1, "tool: /x: No such file\n"),
        (raising(KeyboardInterrupt()), 130, "tool: interrupted\n"),
    ],
)
def test_each_end_has_its_code_and_its_line(
    work: Callable[[], int | None], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried_out("tool", work, ERRORS) == code
    assert capsys.readouterr().err == said


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        carried_out("tool", raising(ZeroDivisionError()), ERRORS)


def test_a_reader_who_leaves_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    kept = os.dup(1)
    try:
        assert carried_out("tool", raising(BrokenPipeError()), ERRORS) == 1
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert capfd.readouterr().err == ""


def test_wrong_usage_names_where_to_read_on(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="tool")
    parser.add_subparsers(required=True, metavar="COMMAND").add_parser("do").add_argument("--how", type=int)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["do", "--how", "x"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "tool: argument --how: invalid int value: 'x'\n(more: tool do --help)\n"
