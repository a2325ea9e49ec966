"""What such a check is declared by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..core import Category, Seen, Weight
from ..sight import Sight

Part = Literal["kernel", "network", "source", "target", "moose", "files", "ours", "tried"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One check; ``needs`` are the parts of what is seen that it looks at."""

    name: str
    category: Category
    weight: Weight
    expected: str
    remedy: str
    needs: tuple[Part, ...]
    judge: Callable[[Sight], Seen]


def share(used: int, most: int) -> str:
    """For a person."""
    return f"{used} of {most}"
