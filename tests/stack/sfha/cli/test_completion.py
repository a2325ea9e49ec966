"""The completion scripts, run by the shells themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.stack.sfha.cli.completion import bash, walk, zsh
from harness.stack.sfha.cli.main import ALL, parser_with


def offered(tmp_path: Path, *words: str) -> list[str]:
    """What bash offers after these words, the last of which is being typed."""
    script = tmp_path / "sfha"
    script.write_text(bash(list(walk(parser_with(ALL)))))
    typed = " ".join(f"'{word}'" for word in ("sfha", *words))
    ask = f'source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _sfha; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-euc", ask], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("stat",), ["status"]),
        (("status", "--j"), ["--json"]),
        (("--lang", ""), ["en", "fr"]),
        (("--lang", "fr", "logs", "-o", "j"), ["json"]),
        (("completion", "z"), ["zsh"]),
        (("logs", "-n", "5", "--f"), ["--follow", "--file"]),
    ],
)
def test_bash_offers_what_may_follow(tmp_path: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(tmp_path, *words) == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed here")
def test_zsh_offers_what_may_follow(tmp_path: Path) -> None:
    script = tmp_path / "_sfha"
    script.write_text(zsh(list(walk(parser_with(ALL)))))
    ask = f"""
        _describe() {{ print -l -- $offered }}
        compadd() {{ shift; print -l -- "$@" }}
        words=(sfha --lang fr logs -o ""); CURRENT=6; source {script}
        words=(sfha ""); CURRENT=2; _sfha
    """
    done = subprocess.run(["zsh", "-fec", ask], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[:3] == ["text", "cat", "json"]
    assert any(line.startswith("status:") for line in lines[3:])
