"""A plot with two logarithmic axes, as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 760, 440, 64, 16, 190, 44
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = ("#1b6ca8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#444444")


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line, all coordinates greater than zero."""

    label: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis over whole decades, from ``first`` to ``last`` pixel."""

    low: int
    high: int
    first: float
    last: float

    def at(self, value: float) -> float:
        return self.first + (math.log10(value) - self.low) / (self.high - self.low) * (self.last - self.first)


def plot(series: Sequence[Series], across: str, up: str) -> str:
    """The picture; series without points are left out."""
    shown = [one for one in series if one.points]
    xs = [x for one in shown for x, _ in one.points]
    ys = [y for one in shown for _, y in one.points]
    x_axis = _axis(xs, _LEFT, _WIDTH - _RIGHT)
    y_axis = _axis(ys, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_grid(x_axis, y_axis),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">{across}</text>',
        f'<text transform="translate(14 {_HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{up}</text>',
    ]
    labels = list(dict.fromkeys(one.label.removesuffix(", wrong") for one in shown))
    for number, one in enumerate(shown):
        colour = _COLOURS[labels.index(one.label.removesuffix(", wrong")) % len(_COLOURS)]
        style = f'stroke="{colour}" fill="none" stroke-width="2"' + (' stroke-dasharray="5 4"' if one.dashed else "")
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in one.points)
        y_px = _TOP + 12 + 18 * number
        x_px = _WIDTH - _RIGHT + 12
        parts.append(f'<polyline points="{path}" {style}/>')
        parts.append(f'<line x1="{x_px}" y1="{y_px - 4}" x2="{x_px + 22}" y2="{y_px - 4}" {style}/>')
        parts.append(f'<text x="{x_px + 28}" y="{y_px}">{one.label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axis(values: Sequence[float], first: float, last: float) -> _Axis:
    low = math.floor(math.log10(min(values, default=1.0)))
    high = max(low + 1, math.ceil(math.log10(max(values, default=10.0))))
    return _Axis(low, high, first, last)


def _grid(x_axis: _Axis, y_axis: _Axis) -> list[str]:
    lines = []
    for power in range(x_axis.low, x_axis.high + 1):
        x_px = x_axis.at(10.0**power)
        lines.append(f'<line x1="{x_px:.1f}" y1="{_TOP}" x2="{x_px:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        lines.append(f'<text x="{x_px:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y_axis.low, y_axis.high + 1):
        y_px = y_axis.at(10.0**power)
        lines.append(f'<line x1="{_LEFT}" y1="{y_px:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y_px:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y_px + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    return lines
