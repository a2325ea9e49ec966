"""What the doctor says is true of this host, quick, and leaves no trace."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.doctor import State, as_json, can_run_local, examine
from harness.rundir import cache_directory


def traces() -> tuple[str, str, list[str]]:
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    cache = cache_directory()
    return links, Path("/proc/self/mountinfo").read_text(), sorted(p.name for p in cache.glob(".harness-doctor*"))


@pytest.mark.alone
def test_it_leaves_nothing() -> None:
    before = traces()
    findings = examine()
    assert traces() == before
    assert {finding.topic for finding in findings} == {"rights", "engines", "kernel", "resources"}
    assert len({finding.name for finding in findings}) == len(findings)


def test_what_is_not_ok_says_what_follows_and_how_to_get_it() -> None:
    for finding in examine():
        assert finding.found
        if finding.state is not State.OK:
            assert finding.follows, finding.name
            assert finding.remedy, finding.name


def test_one_essential_thing_missing_is_enough() -> None:
    findings = tuple(replace(finding, state=State.OK) for finding in examine())
    assert can_run_local(findings)
    for place, finding in enumerate(findings):
        broken = (*findings[:place], replace(finding, state=State.MISSING), *findings[place + 1 :])
        assert can_run_local(broken) is not finding.essential
        worse = (*findings[:place], replace(finding, state=State.DEGRADED), *findings[place + 1 :])
        assert can_run_local(worse)
    assert json.loads(as_json(findings))["local_engine"] is True


def test_the_exit_code_tells_whether_the_local_engine_can_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if json.loads(done.stdout)["local_engine"] else 1)


def test_a_user_without_rights_is_told_to_use_sudo() -> None:
    # Imported first: the interpreter may be where this user cannot read.
    code = """
import os, sys, harness.doctor
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.stdout.write(harness.doctor.as_json(harness.doctor.examine()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["local_engine"] is False
    root = next(finding for finding in said["findings"] if finding["name"] == "root")
    assert (root["state"], root["remedy"]) == ("missing", "run it by sudo")
