"""The options that the plugin gives pytest: under names that nobody else has, and short ones where they are free.

A short name belongs to whoever defines it, an installed plugin or a conftest.py, before us or after us. So pytest's
parser never hears of ours: what nobody has defined, once everybody could, is replaced on the command line.
"""

import argparse
import contextlib
import copy
import math
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from harness.engines.choice import ENGINES
from harness.scenario import BODY_LIMIT_S

ALL_ENGINES = "all"
PREFIX = "--harness-"
SHORT = ("--engine", "--image", "--seed", "--keep-on-failure", "--nightly", "--times", "--runs", "--limit", "--plans")
"""The short names: a longer one for each has PREFIX in place of its hyphens."""
_OURS = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the harness."""
    group = parser.getgroup(
        "harness", "clusters under test (each without harness- as well, where nobody else has that)"
    )
    group.addoption(
        "--harness-engine",
        default="local",
        choices=(*ENGINES, ALL_ENGINES),
        help="what runs the nodes (default: local); all: every scenario once on each that can be used here",
    )
    group.addoption(
        "--harness-image",
        default=None,
        help="what nodes start from: the name of an image definition, a TOML file, or a directory (default: that of "
        "the subject)",
    )
    group.addoption(
        "--harness-seed", type=int, default=None, help="seed of every random choice (default: drawn, and printed)"
    )
    group.addoption("--harness-keep-on-failure", action="store_true", help="leave the cluster of a failed scenario up")
    group.addoption("--harness-nightly", action="store_true", help="run the long scenarios as well")
    group.addoption("--harness-times", type=_count, default=1, metavar="N", help="run each scenario N times")
    group.addoption("--harness-runs", type=Path, default=Path("reports/runs"), help="where runs are stored")
    group.addoption(
        "--harness-plans", type=_count, default=None, metavar="N",
        help="how many plans of faults, drawn from the seed, scenarios perform that ask for them (default: two)",
    )  # fmt: skip
    group.addoption(
        "--harness-limit", type=_seconds, default=BODY_LIMIT_S, metavar="S",
        help="seconds after which a scenario that has not ended is inconclusive (default: %(default)g)",
    )  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Read short names as ours where nobody defines them; conftest files, which are loaded here, may."""
    # For now as if nobody did: else the value of a short option is taken for a directory with tests.
    with contextlib.suppress(pytest.UsageError):  # a conftest file's own meaning of it may be another
        known = parser.parse_known_args(_in_full(args, _free(parser)), namespace=copy.copy(early_config.option))
        known.confcutdir = early_config.known_args_namespace.confcutdir
        early_config.known_args_namespace = known
    yield
    early_config.stash[_OURS] = _free(parser)
    args[:] = _in_full(args, early_config.stash[_OURS])


def name_of(config: pytest.Config, short: str) -> str:
    """What a person is to call an option: by its short name, unless somebody else has that."""
    return short if short in config.stash.get(_OURS, frozenset()) else PREFIX + short.removeprefix("--")


def _free(parser: pytest.Parser) -> frozenset[str]:
    """The short names that are nobody's."""
    return frozenset(short for short in SHORT if not _is_defined(short, parser))


def _is_defined(short: str, parser: pytest.Parser) -> bool:
    try:
        _, unknown = parser.parse_known_and_unknown_args([f"{short}=1"])
    except pytest.UsageError:  # of somebody who takes no value, or not this one
        return True
    return not unknown  # what a parser does not know it hands back


def _in_full(args: Iterable[str], names: frozenset[str]) -> list[str]:
    """The command line with the full names of these; what follows ``--`` are no options."""
    result: list[str] = []
    for at, word in enumerate(args := list(args)):
        if word == "--":
            return result + args[at:]
        name, equals, value = word.partition("=")
        result.append(PREFIX + name.removeprefix("--") + equals + value if name in names else word)
    return result


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number
