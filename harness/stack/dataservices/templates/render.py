"""Fill in a template; a variable that is missing, or that nobody asks for, is an error and never an empty place."""

from functools import cache

import jinja2
from jinja2 import meta

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader(__package__, "."),
    undefined=jinja2.StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


class TemplateWrong(Exception):
    """The template and what it is given do not belong together."""


@cache
def variables_of(template: str) -> frozenset[str]:
    """The variables that a template names. Raises TemplateWrong when there is no such template, or it is broken."""
    try:
        assert _ENVIRONMENT.loader is not None
        source, _, _ = _ENVIRONMENT.loader.get_source(_ENVIRONMENT, template)
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(source)))
    except jinja2.TemplateError as error:
        raise TemplateWrong(f"{template}: {error}") from error


def render(template: str, /, **values: object) -> str:
    """The text of a template. Raises TemplateWrong unless exactly the variables that it names are given."""
    wanted = variables_of(template)
    if missing := sorted(wanted - set(values)):
        raise TemplateWrong(f"{template}: nothing given for {', '.join(missing)}")
    if idle := sorted(set(values) - wanted):
        raise TemplateWrong(f"{template}: has no place for {', '.join(idle)}")
    try:
        return _ENVIRONMENT.get_template(template).render(values)
    except jinja2.TemplateError as error:  # an attribute of a value, such as server.adress
        raise TemplateWrong(f"{template}: {error}") from error
