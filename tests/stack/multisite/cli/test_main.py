"""The command line as people use it, against a platform that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.multisite.cli.test_site_file import GOOD
from tests.stack.multisite.platform import Platform


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Without an edge: it is said to be out of reach."""
    one = Platform(tmp_path_factory.mktemp("platform"))
    try:
        one.start_daemon()
        yield one
    finally:
        one.end()


def test_a_file_is_compared_applied_and_given_back(daemon: Platform, tmp_path: Path) -> None:
    made = daemon.call("token", "create", "cli", "--role", "operate", "--config", str(daemon.config))
    assert made.returncode == 0, made.stderr
    token, file = tmp_path / "token", tmp_path / "site.yml"
    token.write_text(made.stdout)
    file.write_text(GOOD)
    by = ("--token-file", str(token))
    compared = daemon.call("diff", str(file), *by)
    assert (compared.returncode, compared.stdout.splitlines()) == (
        3,
        ["+ site dijon", "+ service api", "+ backend api@10.200.0.23:8080"],
    )
    assert daemon.call("apply", str(file), *by).stdout.splitlines()[-1] == "3 changes"
    assert daemon.call("diff", str(file), *by).returncode == 0
    assert daemon.call("apply", str(file), *by).stdout == "nothing to do\n"
    file.write_text(daemon.call("export", *by).stdout)
    assert daemon.call("diff", str(file), *by).returncode == 0
    status = daemon.call("status", *by).stdout
    assert "edge NOT in order" in status
    assert "10.200.0.23:8080" in status


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export",), "no token: give --token-file or MULTISITE_TOKEN"),
        (("export", "--token-file", "/nowhere"), "/nowhere: cannot be read: No such file or directory"),
        (("apply", "/nowhere.yml"), "/nowhere.yml: cannot be read: No such file or directory"),
        (("serve", "--config", "/nowhere.yml"), "/nowhere.yml: cannot be read: No such file or directory"),
        (("token", "create"), "token create: whose? Give a name"),
    ],
)
def test_a_mistake_is_one_line(daemon: Platform, arguments: tuple[str, ...], told: str) -> None:
    done = daemon.call(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"multisite: {told}")
    assert done.stderr.count("\n") == 1


def test_nobody_at_the_other_end_or_a_token_of_nobody(daemon: Platform) -> None:
    away = daemon.call("export", "--url", "http://127.0.0.1:1", MULTISITE_TOKEN="x")
    assert "is `multisite serve` running there?" in away.stderr
    wrong = daemon.call("export", MULTISITE_TOKEN="ms_wrong")
    assert wrong.stderr == "multisite: nobody was given this token, or it was taken back\n"
