"""Plans as data: JSON both ways, what is refused, and what a dry run says."""

import pytest
from msgspec.structs import replace

from harness.chaos.offered import offers
from harness.errors import UsageError
from harness.plans.blast import radius, reaches
from harness.plans.plan import AtMoment, Liveness, LoadOf, OnEvent, Operation, Plan, from_json, to_json
from harness.plans.sound import problems_of
from tests.plans.drawn import plan, step, topology
from tests.plans.overlapping import overlapping_spoilers


def problems(made: Plan) -> str:
    return "\n".join(problems_of(made, topology(), offers()))


def test_everything_of_a_plan_comes_back_from_json() -> None:
    made = replace(
        plan(
            step("1", "slow", ("n1,n2",)),
            replace(step("2"), start=OnEvent("holder-moved", 1.0, 5.0)),
            loads=(LoadOf("ledger", 50.0),),
        ),
        operations=(Operation("3", "n3", 2.0, 4.0),),
        end=Liveness(("n2", "n3"), 12.0),
    )
    assert from_json(to_json(made)) == made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "plan.json: is no plan"),
        ("[]", "is no plan"),
        ('{"seed": 1}', "missing required field"),
        ('{"version": 99, "whatever": 1}', "of format 99; this harness reads up to format 1"),
        (to_json(plan(step("1"))).replace('"fault"', '"fautl"'), "fautl"),
        (to_json(plan(step("1"))).replace('"at_s": 1.0', '"at_s": -1'), r"\$.steps\[0\].start.at_s"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        from_json(text, "plan.json")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (plan(step("1", "tornado")), "no fault tornado; there are exhaust-files"),
        (plan(step("1", aims=("localhost",))), "'localhost' is nothing of the topology"),
        (plan(step("1", aims=("n1,/etc",))), "'/etc' is nothing of the topology"),
        (plan(step("1", "cut-site", ("paris",))), "'paris' is nothing"),
        (plan(step("1", "drop", ("n1",))), "takes 2 aims, and has 1"),
        (plan(replace(step("1", "slow"), parameters={"share": 7.0})), "share is 7.0, which slow does not allow"),
        (plan(replace(step("1", "slow"), parameters={"speed": 7.0})), "slow takes no speed; it takes share"),
        (plan(step("1", at_s=199.0)), "ends after the plan"),
        (plan(step("1"), step("1")), "two steps are called 1"),
        (plan(replace(step("1"), for_s=None)), "stays for good, and the plan ends with everything healed"),
        (replace(plan(step("1")), end=Liveness(("n1",), 9.0)), "n1 have no majority"),
        (replace(plan(step("1")), end=Liveness(("n1", "n9"), 9.0)), "n9 are no nodes"),
        (
            replace(plan(replace(step("1", aims=("n2,n3",)), for_s=None)), end=Liveness(("n1", "n2"), 9.0)),
            "may hit more than the nodes that stay broken",
        ),
        (
            replace(plan(replace(step("1", aims=("holder:web",)), for_s=None)), end=Liveness(("n1", "n2"), 9.0)),
            "may hit more than the nodes that stay broken",
        ),
        (replace(plan(), operations=(Operation("1", "host", 1.0, 2.0),)), "there is no node host"),
        (plan(step("1", "kil")), 'did you mean "kill"?'),
        (plan(step("1", "cut-site", ("dijn",))), 'did you mean "dijon"?'),
    ],
)
def test_what_is_not_sound_is_said(made: Plan, words: str) -> None:
    assert words in problems(made)


def test_of_two_that_spoil_each_other_both_are_named_and_of_others_none() -> None:
    cuts = plan(step("1", "isolate"), step("2", "cut-site", ("lyon",), at_s=3.0), step("3", "halves", (), at_s=20.0))
    assert overlapping_spoilers(cuts, topology(), offers()) == (("1", "2"),)
    dark = plan(step("1", "kill"), step("2", "freeze", at_s=2.0), step("3", "freeze", ("n2",), at_s=2.0))
    assert overlapping_spoilers(dark, topology(), offers()) == (("1", "2"),)
    fine = plan(step("1", "freeze"), step("2", "halves", ()), step("3", "slow", ("n2",)))
    assert overlapping_spoilers(fine, topology(), offers()) == ()


def test_the_blast_radius_is_that_of_the_worst_moment() -> None:
    made = plan(
        step("1", "kill"), step("2", "freeze", ("holder:web",), at_s=2.0), step("3", "freeze", ("n3",), at_s=90.0)
    )
    assert [str(one) for one in reaches(made, topology(), offers())] == ["n1", "one of n1, n2, n3", "n3"]
    assert radius(made, topology(), offers()).startswith(
        "at worst 2 of 3 nodes at once (n1, n2, from 2 s on): quorum may"
    )
    assert "the others keep quorum" in radius(plan(step("1")), topology(), offers())
    operated = plan(step("1", "operate", ("n2", "standby")))
    assert [str(one) for one in reaches(operated, topology(), offers())] == ["n2"]


def test_a_plan_is_told_in_the_order_in_which_it_happens() -> None:
    lines = plan(step("later", at_s=9.0), step("first", "loss", at_s=2.0)).told()
    assert [line.split()[0] for line in lines[1:3]] == ["first", "later"]
    assert isinstance(plan(step("1")).steps[0].start, AtMoment)
