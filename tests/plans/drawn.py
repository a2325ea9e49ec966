"""Plans and settings for tests."""

from pathlib import Path

from harness.chaos.offered import chosen
from harness.plans.drawing import Setting
from harness.plans.plan import AtMoment, LoadOf, Plan, Quiet, Step
from harness.topology import Topology, load

TOPOLOGIES = Path(__file__).parents[2] / "fixtures/topologies"


def topology(name: str = "three-sites") -> Topology:
    """One that ships."""
    return load(TOPOLOGIES / f"{name}.toml")


def setting(length_s: float = 60.0, name: str = "three-sites", *, liveness: bool = False) -> Setting:
    """For plans on a topology that ships, of all faults that any cluster has to bear."""
    return Setting(
        topology=topology(name),
        topology_name=name,
        engine="local",
        offers=chosen(()),
        length_s=length_s,
        within_s=30.0,
        loads=(LoadOf("ledger", 50.0),),
        liveness=liveness,
    )


def step(
    name: str, fault: str = "freeze", aims: tuple[str, ...] = ("n1",), at_s: float = 1.0, for_s: float = 4.0
) -> Step:
    """One that begins at a moment."""
    return Step(name=name, fault=fault, aims=aims, start=AtMoment(at_s), for_s=for_s)


def plan(*steps: Step, length_s: float = 200.0, loads: tuple[LoadOf, ...] = ()) -> Plan:
    """By hand, ending with all healed."""
    return Plan(
        seed=1, topology="three-sites", engine="local", length_s=length_s, steps=steps, end=Quiet(30.0), loads=loads
    )
