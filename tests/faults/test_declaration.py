"""What a fault declares is checked where its arguments come in, and found again by everybody who needs it."""

from typing import Annotated

import pytest

from harness.errors import UsageError
from harness.faults.catalogue import catalogue
from harness.faults.declaration import Choice, Nodes, Quantity, fault
from harness.faults.declared import Declared
from harness.faults.network import CutSite, Loss
from harness.faults.process import Freeze


@fault(family="network", example="n1 --how loud", proof="everybody hears it")
class SomethingOdd(Declared):
    """Something odd happens.

    And goes on.
    """

    def __init__(
        self,
        nodes: Nodes,
        how: Annotated[str, Choice(("loud", "soft"), "how it sounds")] = "soft",
        for_s: Annotated[float, Quantity("s", 0.5, 2.0, "how long")] = 1.0,
    ) -> None:
        self.given = (nodes, how, for_s)


def test_everything_follows_from_the_signature() -> None:
    declaration = SomethingOdd.declaration
    assert (declaration.name, declaration.family, declaration.summary) == (
        "something-odd",
        "network",
        "Something odd happens.",
    )
    assert [one.name for one in declaration.aims] == ["nodes"]
    assert [(one.option, one.default, one.required) for one in declaration.options] == [
        ("--how", "soft", False),
        ("--for", 1.0, False),
    ]


def test_the_parameters_of_a_report_are_all_but_the_aim() -> None:
    assert SomethingOdd("n1", how="loud").parameters == {"how": "loud", "for_s": 1.0}
    assert Freeze("n1").parameters == {}


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"for_s": 0.4}, r"something-odd: for_s is 0\.4; allowed: 0\.5 to 2 s"),
        ({"for_s": "1"}, r"something-odd: for_s is '1'; allowed: 0\.5 to 2 s"),
        ({"for_s": True}, r"something-odd: for_s is True; allowed"),
        ({"for_s": float("nan")}, r"something-odd: for_s is nan; allowed"),
        ({"how": "shrill"}, r"something-odd: how is 'shrill'; allowed: loud, soft"),
        ({"when": 1}, r"something-odd: got an unexpected keyword argument 'when'; it takes nodes, how, for_s"),
    ],
)
def test_what_is_not_allowed_is_refused(named: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SomethingOdd("n1", **named)  # type: ignore[arg-type]


def test_a_fault_without_its_aim_is_refused() -> None:
    with pytest.raises(UsageError, match="cut-site: missing a required argument: 'sites'; it takes sites"):
        CutSite()  # type: ignore[call-arg]


def test_a_subclass_is_checked_as_well() -> None:
    class Quiet(Loss):
        """The same in silence."""

    assert Quiet("n1", percent=5).parameters == {"percent": 5}
    with pytest.raises(UsageError, match="loss: percent is 100"):
        Quiet("n1", percent=100)


def test_an_argument_that_does_not_say_what_it_is_is_a_mistake_of_the_fault() -> None:
    class Vague(Declared):
        """Nobody knows."""

        def __init__(self, much: float) -> None:
            self.much = much

    with pytest.raises(TypeError, match="Vague: argument much does not say what it is"):
        fault(family="disk", example="", proof="none")(Vague)


def test_every_fault_says_what_it_does_how_it_is_proven_and_how_it_is_tried() -> None:
    for declaration in catalogue().values():
        assert declaration.summary.endswith((".", ":")), declaration.name
        assert declaration.proof, declaration.name
        assert declaration.example or not declaration.aims, declaration.name
        for one in declaration.options:
            if not one.required and isinstance(one.says, Quantity | Choice):
                assert one.says.refuse(one.default) is None, f"{declaration.name}: the default of {one.name}"
