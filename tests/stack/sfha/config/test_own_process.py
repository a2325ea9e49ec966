"""Long texts are read in a process of their own, and it makes no difference to whoever asks."""

import json
import os
import time
from pathlib import Path

import pytest

from harness.stack.sfha.config import own_process
from harness.stack.sfha.config.load import ConfigError, load_config
from harness.stack.sfha.config.own_process import THREAD_IS_ENOUGH_BYTES, read_apart
from harness.stack.sfha.config.text import TextError, sections_of

RULES = [{"colocation": "worker", "with": "web"}] * 300


def _text(**more: object) -> str:
    document = {
        "cluster": {"name": "harness"},
        "node": {"name": "n1"},
        "vips": [{"name": "web", "ip": "192.0.2.100/24", "interface": "eth0"}],
        "services": [{"name": "worker", "type": "process", "command": "sleep 60"}],
        "constraints": RULES,
    }
    return json.dumps(document | more)


def test_the_answer_is_that_of_the_function_itself() -> None:
    text, path = _text(), Path("config.yml")
    assert len(text) > THREAD_IS_ENOUGH_BYTES
    assert read_apart(len(text), load_config, path, text) == load_config(path, text)
    assert read_apart(len(text), sections_of, text, ("vips",)) == sections_of(text, ("vips",))
    assert read_apart(len(text), os.getpid) != os.getpid()
    assert read_apart(THREAD_IS_ENOUGH_BYTES, os.getpid) == os.getpid()


def _refuse(text: str) -> None:
    raise TextError(f"{len(text)} are too many")


def test_errors_are_those_of_the_function_itself() -> None:
    text, path = _text(nonsense=1), Path("config.yml")
    with pytest.raises(ConfigError) as here:
        load_config(path, text)
    with pytest.raises(ConfigError) as apart_:
        read_apart(len(text), load_config, path, text)
    assert apart_.value.why == here.value.why
    with pytest.raises(TextError):
        read_apart(len(text), _refuse, text)


@pytest.mark.parametrize("work", [time.sleep, os._exit])
def test_a_reader_that_does_not_answer_is_an_error(work: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "WITHIN_S", 0.5)
    with pytest.raises(OSError, match="could not be read"):
        read_apart(THREAD_IS_ENOUGH_BYTES + 1, work, 20)  # type: ignore[arg-type]
