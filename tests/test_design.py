"""What a design says of its subjects together."""

from dataclasses import replace
from pathlib import Path

from harness.subjects.etcd.subject import Etcd
from harness.subjects.keepalived.subject import Keepalived
from harness.subjects.sfha.subject import Sfha
from tests.clusters import drawn


def test_every_subject_has_its_say_in_what_runs_are_judged_by(tmp_path: Path) -> None:
    design = replace(drawn(tmp_path).design, subjects=(Sfha(), Etcd()))
    assert list(design.standing) == [
        "one_holder",
        "never_without_quorum",
        "loop_not_blocked",
        "agree_afterwards",
        "nothing_lost",
    ]
    assert "leader-elected" in design.log_stages


def test_what_has_no_quorum_is_not_judged_by_it(tmp_path: Path) -> None:
    design = replace(drawn(tmp_path).design, subjects=(Keepalived(), Etcd()))
    assert list(design.standing) == ["one_holder", "nothing_lost"]
    assert design.log_stages == {}
