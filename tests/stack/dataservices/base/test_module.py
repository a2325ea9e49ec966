"""What module 2 makes sure of; and that no module of any number is cut off by its firewall."""

import re
from collections.abc import Iterator, Mapping, Sequence

import pytest

from harness.stack.dataservices.base.core import SSH_PORT, Door, admits, doors_of
from harness.stack.dataservices.base.module import BaseModule
from harness.stack.dataservices.inventory.core import Inventory
from harness.stack.dataservices.modules import called, needed
from harness.stack.dataservices.plan.core import Action, Ask, Check, Command, File, Packages, Plan, Unit
from harness.stack.dataservices.plan.footprint import Opening
from harness.stack.dataservices.plan.module import Failover, Module, Validated, placeholders
from tests.stack.dataservices.servers import of_every_role, small, with_programs

STRANGER = "192.0.2.77"
_ASKED = re.compile(r"(\d+\.\d+\.\d+\.\d+)(?::| |,| -P )(\d{2,5})\b(?!\.)")
"""An address and a port as configuration files and command lines have them."""
_BOUND = re.compile(r"^ *(?:bind \*?:|listen_port = )(\d+)$", re.MULTILINE)
SERVICES = [module for module in with_programs() if module.name != "base"]


def plans(module: Module, inventory: Inventory) -> list[Plan]:
    """Its own, and that of its failover."""
    made = [module.plan(inventory, placeholders(module))]
    if isinstance(failover := module.failover(inventory), Failover):
        made.append(failover.plan(failover.candidates[0]))
    return made


def texts(module: Module, inventory: Inventory) -> Iterator[tuple[str, str]]:
    """(server, what is written or done there)."""
    for plan in plans(module, inventory):
        for stage in plan.stages:
            for server, actions in stage.actions.items():
                for action in actions:
                    yield server, _text(action)


def _text(action: Action) -> str:
    match action:
        case File(content=text) | Check(command=text) | Ask(command=text) | Command(command=text):
            return text
    return ""


def reached(module: Module, inventory: Inventory) -> Iterator[tuple[str, str, int]]:
    """(server, address of another one, port) of all that a module's files and commands ask for."""
    others = {one.address: one.name for one in inventory.servers}
    for server, text in texts(module, inventory):
        for address, port in _ASKED.findall(text):
            if others.get(address, server) != server:
                yield server, address, int(port)
        # HAProxy asks whether a server is well at a port of its own.
        for backend in re.split(r"^(?=backend )", text, flags=re.MULTILINE):
            if port := re.search(r"check port (\d+)", backend):
                for address in re.findall(r"^ +server \S+ ([\d.]+):", backend, re.MULTILINE):
                    yield server, address, int(port[1])


def doors(inventory: Inventory, openings: Sequence[Opening]) -> Mapping[str, tuple[Door, ...]]:
    """Of all servers, by address."""
    return {one.address: doors_of(one, inventory, openings) for one in inventory.servers}


def shut_out(module: Module, openings: Sequence[Opening]) -> list[str]:
    """What of a module would not get through."""
    inventory = of_every_role()
    found = doors(inventory, openings)
    wanted = set(reached(module, inventory))
    assert wanted, "nothing was found in its files"
    return [
        f"{server} to {address}:{port}"
        for server, address, port in sorted(wanted)
        if not admits(found[address], inventory.named(server).address, port)
    ]


def opened_for(module: Module) -> Sequence[Opening]:
    """What it declares; applications go by what they stand on as well."""
    modules = SERVICES if module.name in {"apps", "n8n"} else [module]
    return [opening for one in modules for opening in one.footprint.openings]


@pytest.mark.promise("S4-21", "S4-22")
@pytest.mark.parametrize("module", SERVICES, ids=lambda module: str(module.name))
def test_whatever_a_modules_files_ask_another_server_for_gets_through(module: Module) -> None:
    assert shut_out(module, opened_for(module)) == []
    assert shut_out(module, ()), "what is not declared would be open as well"


@pytest.mark.parametrize("module", SERVICES, ids=lambda module: str(module.name))
def test_what_a_balancer_listens_at_is_open_to_clients(module: Module) -> None:
    inventory = of_every_role()
    found = doors(inventory, module.footprint.openings)
    for server, text in texts(module, inventory):
        for port in _BOUND.findall(text):
            assert admits(found[inventory.named(server).address], STRANGER, int(port)), f"{server}:{port}"


@pytest.mark.parametrize("module", SERVICES, ids=lambda module: str(module.name))
def test_no_module_opens_to_anybody_what_servers_say_to_each_other(module: Module) -> None:
    """Where it has balancers, clients go there and nowhere else."""
    inventory = of_every_role()
    found = doors(inventory, module.footprint.openings)
    balancers = {server for server, text in texts(module, inventory) if "\nbackend " in text}
    for one in inventory.servers:
        if balancers and one.name not in balancers and one != inventory.installer:
            ports = [end for door in found[one.address] for span in door.ports for end in span]
            assert not [port for port in ports if admits(found[one.address], STRANGER, port)], one.name


def plan(inventory: Inventory | None = None) -> Plan:
    """Of the small inventory, unless it is said."""
    return BaseModule(needed).plan(inventory or small(), {})


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan().stages for one in stage.actions[server]]


def test_it_is_the_first_and_everybodys() -> None:
    assert needed(small())[0].name == "base"
    assert called("2").name == "base"
    names = {one.name for one in small().servers}
    assert all(set(stage.actions) == names for stage in plan().stages)


@pytest.mark.promise("S4-21")
def test_rules_are_kept_only_by_who_came_in_while_they_counted() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == ["prepared", "firewall tried", "firewall kept", "ssh by key", "validated"]
    for server in ("redis-01", "install-01"):
        tried, kept = (stage.actions[server] for stage in plan().stages[1:3])
        assert isinstance(tried[-1], Command)
        assert " try " in tried[-1].command
        assert isinstance(kept[0], Check), "asked in another stage, and so over another connection"
        assert isinstance(kept[1], File)
        assert not any(isinstance(one, Unit) for one in tried), "nothing is loaded at a boot before it is kept"


@pytest.mark.promise("S4-21", "S4-08", "S4-09")
def test_folders_and_tools_come_first() -> None:
    said = [one.said() for one in actions("redis-01")]
    assert said[:3] == [
        "folder /opt/keyservices (0755, root:root)",
        "folder /opt/keyservices/credentials (0700, root:root)",
        "folder /etc/keyservices (0755, root:root)",
    ]
    assert any(isinstance(one, Packages) and "nftables" in one.names for one in actions("redis-01"))
    # There they may be somebody's who is not root.
    assert not [one for one in actions("install-01") if "credentials" in one.said()]


@pytest.mark.promise("S4-22")
def test_what_is_validated_is_looked_at_from_outside_as_well() -> None:
    validated = plan().stages[-1].actions
    for server in ("redis-01", "redis-02", "redis-03", "lb-01", "lb-02"):
        knocks = [one for one in validated[server] if isinstance(one, Check) and f"/{SSH_PORT}'" in one.command]
        assert len(knocks) == 1
        assert f"/{small().named(server).address}/" not in knocks[0].command
        assert f"/{small().installer.address}/" not in knocks[0].command


def test_nothing_can_fail_over() -> None:
    assert BaseModule(needed).failover(small()) == Validated()


def test_a_servers_rules_are_those_of_the_modules_that_it_is_for() -> None:
    def rules(server: str) -> str:
        return next(one.content for one in actions(server) if isinstance(one, File) and one.path.endswith(".nft"))

    assert "ip saddr { 10.0.0.12/32, 10.0.0.13/32, 10.0.0.21/32, 10.0.0.22/32 } tcp dport { 6379, 26379 }" in rules(
        "redis-01"
    )
    assert "ip saddr { 10.0.0.1/32 } tcp dport { 22 } accept" in rules("redis-01")
    assert "meta nfproto ipv4 tcp dport { 6379 } accept" in rules("lb-01")
    assert "5432" not in rules("lb-01"), "nobody has the role postgresql"
    assert "meta nfproto ipv4 tcp dport { 22 } accept" in rules("install-01")


def test_all_modules_have_the_same_idea_of_a_folder() -> None:
    """A server may have several roles: what one module makes, another one would have to make again for ever."""
    inventory = of_every_role()
    modes: dict[str, set[str]] = {}
    for module in with_programs():
        for one in plans(module, inventory):
            for stage in one.stages:
                for does in stage.actions.values():
                    for action in does:
                        if action.said().startswith("folder "):
                            _, path, how = action.said().split(" ", 2)
                            modes.setdefault(path, set()).add(how)
    assert {path: how for path, how in modes.items() if len(how) > 1} == {}
