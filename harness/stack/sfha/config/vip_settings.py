"""What can be set of a virtual address without taking it away: a field here is all that a setting is. Pure.

config.yml, `vip set`, the checks on all nodes and `status` know it by its name and limits; ``vips/core.py`` acts by it.
"""

from dataclasses import dataclass, field, fields

from ...kit.settings import Section


def _number(default: int, lowest: int, highest: int) -> int:
    """A field that is a whole number within limits."""
    made: int = field(default=default, metadata={"lowest": lowest, "highest": highest})
    return made


@dataclass(frozen=True, slots=True)
class VipSettings:
    """Of one address."""

    announce_every_s: int = _number(5, 1, 3600)
    """How often neighbours are told where it is, when the first seconds are over."""


USUAL = VipSettings()
"""Where nothing is set."""
NAMES = tuple(one.name for one in fields(VipSettings))


def read_settings(section: Section) -> VipSettings:
    """Those of one item of `vips`. Raises ConfigError."""
    return VipSettings(
        **{
            one.name: section.number(
                one.name, getattr(USUAL, one.name), one.metadata["lowest"], one.metadata["highest"]
            )
            for one in fields(VipSettings)
        }
    )
