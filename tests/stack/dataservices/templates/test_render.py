"""A template and what it is given fit exactly, or nothing is written."""

from importlib.resources import files

import pytest

from harness.stack.dataservices.templates import render as package
from harness.stack.dataservices.templates.render import TemplateWrong, render, variables_of

TEMPLATES = sorted(one.name for one in files(package.__package__).iterdir() if one.name.endswith(".j2"))


@pytest.mark.promise("S4-34", "S4-71")
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_asks_for_something_and_leaves_no_place_open(template: str) -> None:
    wanted = variables_of(template)
    assert wanted
    for absent in wanted:
        with pytest.raises(TemplateWrong, match=f"nothing given for {absent}"):
            render(template, **dict.fromkeys(wanted - {absent}, "given"))
    text = render(template, **dict.fromkeys(wanted, "given"))
    assert "given" in text
    assert text.endswith("\n")


@pytest.mark.promise("S4-34", "S4-71")
def test_what_it_has_no_place_for_is_refused() -> None:
    values = dict.fromkeys(variables_of("redis.conf.j2"), "given")
    with pytest.raises(TemplateWrong, match="has no place for passwort"):
        render("redis.conf.j2", **values, passwort="given")


def test_a_template_that_is_not_there_is_named() -> None:
    with pytest.raises(TemplateWrong, match=r"radis\.conf\.j2"):
        render("radis.conf.j2")
