"""`sfha vip set`: what is asked of the daemon, and what is said of it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stack.sfha.cli.command import run

Daemon = Callable[[Callable[[dict[str, Any]], object]], list[dict[str, Any]]]


def test_it_asks_for_all_settings_at_once(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    asked = daemon(lambda _: {"ok": True, "revision": 2, "nodes": {"n2": None}, "inactive": None})
    assert run("vip", "set", "web", "announce_every_s=60", "other=x=y") == 0
    assert "VIP web set" in capsys.readouterr().out
    (request,) = asked
    assert request["command"] == "vip-set"
    assert request["name"] == "web"
    assert request["item"] == {"announce_every_s": 60, "other": "x=y"}


def test_what_has_no_value_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("vip", "set", "web", "announce_every_s") == 2
    assert "a setting is SETTING=VALUE, not announce_every_s" in capsys.readouterr().err
