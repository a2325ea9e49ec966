"""What every subject must do: one body, inherited by the test class of each.

A test class derives from SubjectContract and gives ``make``, which makes a subject from settings. Nothing is started:
what is asked here is what the harness relies on before, beside and after the nodes. ``sound`` is the subject as it is.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from harness.addresses import AddressPlan
from harness.checks.registry import require
from harness.errors import UsageError
from harness.events import Expectation
from harness.live import LiveView
from harness.reporting.promises import load_promises
from harness.subjects.found import kind_at
from harness.subjects.subject import Kind, Subject, reference_to
from harness.topology import Client, Node, Site, Topology, Vip
from harness.workloads.load import WEIGHTS, Route

SITES = ("north", "middle", "south")
TOPOLOGY = Topology(
    name="three sites",
    sites=tuple(Site(name=site) for site in SITES),
    nodes=tuple(Node(name=f"n{number}", site=site, id=number) for number, site in enumerate(SITES, start=1)),
    vips=(Vip(name="web"),),
    clients=(Client(name="user"),),
)
PLAN = AddressPlan(TOPOLOGY, "contract")
ROUTE = Route(address="192.0.2.1", port=1)


class SubjectContract:
    """The tests."""

    @pytest.fixture
    def make(self) -> Kind:
        """The subject's class."""
        raise NotImplementedError

    @pytest.fixture
    def sound(self, make: Kind) -> Subject:
        """The subject with no settings but its own."""
        return make()

    def test_it_has_a_name_for_files_and_marks(self, sound: Subject) -> None:
        assert sound.name
        assert set(sound.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    def test_its_settings_make_it_again_also_from_json(self, make: Kind, sound: Subject) -> None:
        written = json.loads(json.dumps(dict(sound.settings())))
        again = make(**written)
        assert json.loads(json.dumps(dict(again.settings()))) == written
        assert files_of(again) == files_of(sound)

    def test_another_process_finds_it(self, sound: Subject) -> None:
        assert kind_at(reference_to(sound)) is type(sound)

    def test_every_node_gets_the_same_files_whenever_it_is_asked(self, sound: Subject) -> None:
        assert files_of(sound) == files_of(sound)
        for node in TOPOLOGY.node_names:
            paths = [file.path for file in sound.files(node, TOPOLOGY, PLAN)]
            assert len(set(paths)) == len(paths), f"{node}: one file twice"
            for path in map(PurePosixPath, paths):
                assert path.is_absolute()
                assert ".." not in path.parts

    def test_what_boots_is_executable(self, sound: Subject) -> None:
        for node in TOPOLOGY.node_names:
            for file in sound.files(node, TOPOLOGY, PLAN):
                if file.path.startswith("/etc/boot.d/"):
                    assert file.mode & 0o111, f"{file.path} of {node} is not executable"
                    assert file.content.startswith(b"#!"), f"{file.path} of {node} says not what runs it"

    def test_each_defect_is_a_switch_and_changes_what_a_node_gets(self, make: Kind, sound: Subject) -> None:
        assert set(sound.defects) <= set(sound.settings())
        for defect, protection in sound.defects.items():
            assert protection
            assert sound.settings()[defect] is True, f"{defect}: a sound product has all its protections"
            assert files_of(make(**{defect: False})) != files_of(sound), f"{defect}: nothing is different without it"

    def test_an_unknown_setting_is_refused(self, make: Kind) -> None:
        with pytest.raises(TypeError):
            make(no_such_setting=1)

    def test_settled_is_said_in_words_and_not_true_of_nothing(self, sound: Subject) -> None:
        conditions = sound.settled(TOPOLOGY, PLAN, TOPOLOGY.node_names)
        for condition in conditions:
            assert condition.what
            assert not condition.holds(LiveView()), f"{condition.what}: before anything was seen"

    def test_what_its_runs_are_judged_by_exists_and_takes_that(self, sound: Subject) -> None:
        for expected in sound.standing:
            require(Expectation(t_s=0.0, check=expected.check, arguments=expected.arguments))
        names = [expected.check for expected in sound.standing]
        assert len(set(names)) == len(names)

    def test_a_store_has_a_client_for_each_of_its_models_and_no_other(self, sound: Subject) -> None:
        assert bool(sound.models) <= bool(sound.service_port)
        for model in sound.models:
            client = sound.client(model, ROUTE)
            assert not client.at_stake
            client.close()
        if not sound.models:
            with pytest.raises(UsageError, match=sound.name):
                sound.client("ledger", ROUTE)
        elif others := sorted(set(WEIGHTS) - set(sound.models)):
            with pytest.raises(UsageError, match=others[0]):
                sound.client(others[0], ROUTE)

    def test_what_an_operator_may_do_is_named_and_can_be_done_seen_and_undone(self, sound: Subject) -> None:
        for node in TOPOLOGY.node_names:
            actions = sound.operator_actions(node, TOPOLOGY, PLAN)
            assert len({one.name for one in actions}) == len(actions)
            for one in actions:
                assert set(one.name) <= set("abcdefghijklmnopqrstuvwxyz-"), "a word of a command line"
                assert one.about
                assert one.do
                assert one.undo
                assert one.seen not in ((), one.do, one.undo)

    def test_its_paths_on_a_node_are_absolute(self, sound: Subject) -> None:
        for path in (*sound.configuration_paths, *filter(None, (sound.log_path,))):
            assert path.startswith("/")
        assert bool(sound.log_stages) <= (sound.log_path is not None)

    def test_its_gate_is_named_in_full(self, sound: Subject) -> None:
        if sound.gate is not None:
            assert all(dataclasses.astuple(sound.gate))

    def test_it_proposes_a_first_look(self, sound: Subject) -> None:
        assert sound.first_look.split()

    def test_its_promises_are_a_table(self, sound: Subject) -> None:
        if sound.promises is not None:
            assert load_promises(sound.promises)


def files_of(subject: Subject) -> list[Any]:
    """The files of every node, comparable."""
    return [*_files(subject)]


def _files(subject: Subject) -> Iterator[Any]:
    for node in TOPOLOGY.node_names:
        for file in subject.files(node, TOPOLOGY, PLAN):
            yield node, file.path, bytes(file.content), file.mode
