"""Subjects by name: of installed packages, and of the project in a directory."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.subjects.found import GROUP, named_once, subject_called, subject_names
from harness.subjects.subject import Subject, reference_to

SOURCE = """
from dataclasses import dataclass
from harness.subjects.subject import Subject

@dataclass(frozen=True)
class Web(Subject):
    name = "web"
    greeting: str = "hello"

    def files(self, node, topology, plan):
        return ()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    module = f"web_{abs(hash(tmp_path))}"  # modules stay loaded for as long as the tests run
    (tmp_path / f"{module}.py").write_text(SOURCE)
    declared = f'[project]\nname = "suite"\n[project.entry-points."{GROUP}"]\nweb = "{module}:Web"\n'
    (tmp_path / "pyproject.toml").write_text(declared)
    return tmp_path


def test_those_that_ship_are_found_from_anywhere(tmp_path: Path) -> None:
    assert {"sfha", "sfha-unconfigured", "etcd", "keepalived", "redis"} <= set(subject_names(tmp_path))
    assert subject_called("keepalived", {"advert_s": 0.5}, tmp_path).settings() == {"advert_s": 0.5}


def test_a_suite_need_not_be_installed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "web" in subject_names(project)
    assert subject_called("web", {"greeting": "bonjour"}, project).settings() == {"greeting": "bonjour"}
    monkeypatch.chdir(project)
    assert subject_called("web").name == "web"


def test_what_is_not_there_is_named_with_what_is(project: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no subject 'sfah'; there are: .*sfha.*web"):
        subject_called("sfah", project=project)
    with pytest.raises(UsageError, match="web has no such settings: colour; allowed: greeting"):
        subject_called("web", {"colour": "red"}, project)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"profile": "lam"}, r'setting profile is .lam.; allowed: fast, lan, steady, wan; did you mean "lan"'),
        ({"announce": "no"}, "setting announce is .no.; Expected `bool`"),
        ({"broken_on": "n1"}, "setting broken_on is .n1.; Expected `array`"),
        ({"profil": "lan"}, 'did you mean "profile"'),
    ],
)
def test_a_setting_has_its_type(settings: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        subject_called("sfha", settings)
    assert subject_called("sfha", {"broken_on": ["n1"]}).settings()["broken_on"] == ("n1",)


def test_one_that_cannot_be_loaded_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project.entry-points."{GROUP}"]\nweb = "no_such_module:Web"\n')
    with pytest.raises(UsageError, match="the subject no_such_module:Web cannot be loaded: No module named"):
        subject_called("web", project=tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml"):
        subject_names(tmp_path)


def test_a_class_that_no_other_process_could_find_is_refused_as_a_store() -> None:
    class Local(Subject):
        name = "local"

        def files(self, *_: object) -> tuple[()]:
            return ()

    with pytest.raises(UsageError, match="in a module that can be imported"):
        reference_to(Local())


def test_a_subject_is_named_once() -> None:
    assert named_once(["sfha", "etcd"]) == ("sfha", "etcd")
    with pytest.raises(UsageError, match="'etcd' is named twice"):
        named_once(["etcd", "sfha", "etcd"])
