"""Lengths of time on the command line: 90, 90s, 2m, 1h."""

import re

import click

_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")


LONGEST_S = 7 * 86400.0


class Span(click.ParamType[float]):
    """A length of time, in seconds: some, and no more than a week."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """From what a person writes."""
        if isinstance(value, int | float):
            return float(value)
        found = _FORM.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no length of time; allowed: such as 90, 90s, 2m or 1h", param, ctx)
        seconds = float(found[1]) * _UNITS_S[found[2]]
        if not 0 < seconds <= LONGEST_S:
            self.fail(f"{value} is {seconds:g} seconds; allowed: above 0, and at most a week", param, ctx)
        return seconds
