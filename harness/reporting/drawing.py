"""The picture of a run: one lane for each node, each client, the wire and the writes, over time. Inline SVG."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from harness.checks.durability import writes_of
from harness.checks.holding import presence
from harness.checks.intervals import Interval, Spans, clip, difference, union
from harness.checks.story import FaultWindow, Views, duration, electorate, end_s, fault_windows, start_s
from harness.events import (
    AddressAdded,
    Announced,
    ArpAnswered,
    ConnectTried,
    GateInstalled,
    NodeStarted,
    NodeStopped,
    TcpAnswered,
)
from harness.history import History
from harness.operations import FAILED, OK, UNKNOWN

WIDTH = 1210
LEFT = 120
RIGHT = 14
NODE_LANE = 40
COUNT_LANE = 40
WIRE_LANE = 40
FAULT_ROW = 18
BINS = 300
COLOURS = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """The stretch of time that is drawn, and where its instants are on the page."""

    history: History
    from_s: float
    until_s: float
    zero_s: float

    def x(self, t_s: float) -> float:
        """The place of an instant; what lies outside is at the edge."""
        share = (min(max(t_s, self.from_s), self.until_s) - self.from_s) / max(self.until_s - self.from_s, 1e-9)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def shows(self, t_s: float) -> bool:
        """Whether an instant is in the picture."""
        return self.from_s <= t_s <= self.until_s

    def at(self, t_s: float) -> str:
        """An instant in words."""
        return f"{t_s - self.zero_s:.3f} s"


def whole(history: History) -> Frame:
    """The whole run."""
    first_s = start_s(history)
    return Frame(history, first_s, max(end_s(history), first_s + 0.001), first_s)


def close_up(history: History, from_s: float, until_s: float) -> Frame:
    """A part of the run, with some room on both sides."""
    room_s = max(0.05, 0.25 * (until_s - from_s))
    return Frame(history, from_s - room_s, until_s + room_s, start_s(history))


def draw(frame: Frame) -> str:
    """The picture as an SVG element."""
    nodes = node_names(frame.history)
    colour = {node: f"var(--node{number % COLOURS})" for number, node in enumerate(nodes)}
    windows = [window for window in fault_windows(frame.history) if _touches(frame, window)]
    top = FAULT_ROW * len(windows) + 8
    lanes: list[tuple[int, Callable[[int], str]]] = []
    for node in nodes:
        lanes.append((NODE_LANE, lambda y, node=node: _node_lane(frame, node, colour, y)))  # type: ignore[misc]
    for client in wire_clients(frame.history):
        lanes.append((WIRE_LANE, lambda y, client=client: _wire_lane(frame, client, colour, y)))  # type: ignore[misc]
    for client in _connecting(frame.history):
        lanes.append((COUNT_LANE, lambda y, client=client: _connect_lane(frame, client, y)))  # type: ignore[misc]
    if len(writes_of(frame.history)):
        lanes.append((COUNT_LANE, lambda y: _write_lane(frame, y)))
    bottom = top + sum(height for height, _ in lanes)
    parts = [_grid(frame, top, bottom)]
    y = top
    for height, lane in lanes:
        parts.append(lane(y))
        y += height
    # Faults last, so that their shade lies over everything and their edges cross every lane.
    parts += [_fault(frame, window, row, bottom) for row, window in enumerate(windows)]
    height = bottom + 24
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="100%" role="img" style="min-width:860px">'
        '<defs><pattern id="off" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" stroke="var(--off)" stroke-width="2"/></pattern></defs>'
        + "".join(parts)
        + "</svg>"
    )


def node_names(history: History) -> tuple[str, ...]:
    """The nodes in the order of the topology, then any others that were seen."""
    planned = list(electorate(history).votes)
    seen = {event.node for event in history.of(NodeStarted)} | {event.node for event in history.of(AddressAdded)}
    return (*planned, *sorted(seen - set(planned)))


def wire_clients(history: History) -> list[str]:
    """The clients at which answers were seen on the wire."""
    seen = {event.client for event in history.of(ArpAnswered)} | {event.client for event in history.of(TcpAnswered)}
    return sorted(seen)


def _connecting(history: History) -> list[str]:
    return sorted({event.client for event in history.of(ConnectTried)})


# --- pieces ----------------------------------------------------------------------------------------


def _rect(frame: Frame, span: Interval, title: str, *, y: float, height: float, fill: str, extra: str = "") -> str:
    left = frame.x(span.start_s)
    width = max(frame.x(span.end_s) - left, 0.8)
    return (
        f'<rect x="{left:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" fill="{fill}" {extra}>'
        f"<title>{escape(title)}</title></rect>"
    )


def _label(y: float, text: str, note: str = "", fill: str = "") -> str:
    style = f' style="fill:{fill};font-weight:600"' if fill else ""
    below = f'<text class="dim" x="0" y="{y + 14:.1f}">{escape(note)}</text>' if note else ""
    return f'<text x="0" y="{y:.1f}"{style}>{escape(text)}</text>{below}'


def _between(frame: Frame, span: Interval, what: str) -> str:
    return f"{what}, {frame.at(span.start_s)} to {frame.at(span.end_s)} ({duration(span.length_s)})"


def _clip(frame: Frame, spans: Spans) -> Spans:
    return clip(spans, frame.from_s, frame.until_s)


def _grid(frame: Frame, top: int, bottom: int) -> str:
    span_s = frame.until_s - frame.from_s
    step_s = _nice(span_s / 12)
    first = math.ceil((frame.from_s - frame.zero_s) / step_s)
    last = math.floor((frame.until_s - frame.zero_s) / step_s)
    digits = max(0, -math.floor(math.log10(step_s)))
    parts = []
    for number in range(first, last + 1):
        at_s = number * step_s
        x = frame.x(frame.zero_s + at_s)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="var(--grid)"/>')
        parts.append(f'<text class="dim" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{at_s:.{digits}f} s</text>')
    return "".join(parts)


def _nice(step_s: float) -> float:
    """The next of 1, 2, 5, 10 ... that is not smaller."""
    power = 10.0 ** math.floor(math.log10(step_s))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step_s * 0.999)


def _touches(frame: Frame, window: FaultWindow) -> bool:
    ends_s = window.healed_s if window.healed_s is not None else math.inf
    return window.injected_s <= frame.until_s and ends_s >= frame.from_s


def _fault(frame: Frame, window: FaultWindow, row: int, bottom: int) -> str:
    from_s = window.called_s or window.injected_s
    until_s = min(window.heal_began_s or window.healed_s or frame.until_s, frame.until_s)
    left, right = frame.x(from_s), frame.x(until_s)
    y = row * FAULT_ROW + 13
    ended = "healed" if window.healed_s is not None else "never healed"
    words = f"{window.label}: from {frame.at(from_s)}, {ended} {frame.at(until_s)} ({duration(until_s - from_s)})"
    anchor, x = ("end", right - 4) if left > WIDTH * 0.8 else ("start", left + 5)
    return (
        f'<rect x="{left:.1f}" y="{y - 12}" width="{max(right - left, 1):.1f}" height="{bottom - y + 12}" '
        f'fill="var(--fault)" pointer-events="none"/>'
        f'<path d="M{left:.1f} {y - 12}V{bottom}M{right:.1f} {y - 12}V{bottom}" stroke="var(--fault-edge)" '
        'stroke-dasharray="3 3" fill="none"/>'
        f'<text class="tiny" x="{x:.1f}" y="{y}" text-anchor="{anchor}" style="fill:var(--bad);font-weight:600">'
        f"{escape(window.label)}<title>{escape(words)}</title></text>"
    )


# --- lanes -----------------------------------------------------------------------------------------


def _node_lane(frame: Frame, node: str, colour: dict[str, str], y: int) -> str:
    place = electorate(frame.history).site_of.get(node, "")
    parts = [_label(y + 17, node, place, colour[node]), _power(frame, node, y), _membership(frame, node, y)]
    addresses = sorted({event.address for event in frame.history.of(AddressAdded)})
    gated = {(event.node, event.address) for event in frame.history.of(GateInstalled)}
    height = 18 / max(1, len(addresses))
    for number, address in enumerate(addresses):
        for at in presence(frame.history, address):
            if at.node != node:
                continue
            bar_y = y + 13 + number * height
            idle = difference(at.present, at.holding)
            parts += [
                _rect(
                    frame,
                    s,
                    _between(frame, s, f"{node}: {address} present, gate closed"),
                    y=bar_y,
                    height=height - 1,
                    fill=colour[node],
                    extra='opacity=".28"',
                )
                for s in _clip(frame, idle)
            ]
            kind = "held" if (node, address) not in gated else "held (present, gate open)"
            parts += [
                _rect(
                    frame,
                    s,
                    _between(frame, s, f"{node}: {address} {kind}"),
                    y=bar_y,
                    height=height - 1,
                    fill=colour[node],
                    extra='rx="2"',
                )
                for s in _clip(frame, at.holding)
            ]
    parts += [_announcement(frame, event, y + 22) for event in frame.history.of(Announced) if event.node == node]
    return "".join(parts)


def _power(frame: Frame, node: str, y: int) -> str:
    lives: list[Interval] = []
    since_s: float | None = None
    events = [e for e in frame.history.of(NodeStarted, NodeStopped) if isinstance(e, NodeStarted | NodeStopped)]
    for event in events:
        if event.node != node:
            continue
        if isinstance(event, NodeStarted):
            since_s = event.t_s
        elif since_s is not None:
            lives.append(Interval(since_s, event.t_s))
            since_s = None
    if since_s is not None or not events:
        lives.append(Interval(frame.from_s if since_s is None else since_s, frame.until_s))
    on = _clip(frame, union(lives))
    off = difference(union([Interval(frame.from_s, frame.until_s)]), on)
    return "".join(
        [
            _rect(frame, span, _between(frame, span, f"{node} has power"), y=y + 12, height=20, fill="var(--lane)")
            for span in on
        ]
        + [
            _rect(
                frame,
                span,
                _between(frame, span, f"{node} without power"),
                y=y + 12,
                height=20,
                fill="url(#off)",
                extra='opacity=".5"',
            )
            for span in off
        ]
    )


def _membership(frame: Frame, node: str, y: int) -> str:
    views = Views(frame.history)
    changes = [frame.from_s, *views.changes(frame.from_s, frame.until_s), frame.until_s]
    parts = []
    for from_s, until_s in pairwise(changes):
        seen = views.at(node, from_s)
        if seen is None or from_s == until_s:
            continue
        fill = "var(--good)" if seen.quorate else "var(--doubt)"
        says = f"{node} is {'' if seen.quorate else 'not '}quorate and sees {', '.join(seen.members) or 'nobody'}"
        parts.append(_rect(frame, Interval(from_s, until_s), says, y=y + 7, height=4, fill=fill))
    return "".join(parts)


def _announcement(frame: Frame, event: Announced, y: float) -> str:
    if not frame.shows(event.t_s):
        return ""
    x = frame.x(event.t_s)
    words = f"gratuitous ARP ({event.form}) by {event.node}, {frame.at(event.t_s)}"
    return (
        f'<path d="M{x:.1f} {y - 6:.1f}l4 6l-4 6l-4 -6z" fill="var(--card)" stroke="var(--ink)">'
        f"<title>{escape(words)}</title></path>"
    )


def _wire_lane(frame: Frame, client: str, colour: dict[str, str], y: int) -> str:
    """Who answered on the wire, in the colour of the node; two rows of colour at once are two answerers."""
    answers: dict[str, list[float]] = {}
    for event in frame.history.of(ArpAnswered, TcpAnswered):
        if isinstance(event, ArpAnswered | TcpAnswered) and event.client == client and frame.shows(event.t_s):
            answers.setdefault(event.node or event.mac, []).append(event.t_s)
    parts = [_label(y + 15, client, "answered by")]
    gap_s = max((frame.until_s - frame.from_s) / BINS * 2, 0.025)
    height = 22 / max(2, len(answers))
    order = sorted(answers, key=lambda name: (list(colour).index(name) if name in colour else len(colour), name))
    for row, name in enumerate(order):
        for span in runs(answers[name], gap_s):
            title = _between(frame, span, f"{name} answered {client}")
            parts.append(
                _rect(
                    frame, span, title, y=y + 5 + row * height, height=height - 1, fill=colour.get(name, "var(--soft)")
                )
            )
    return "".join(parts)


def runs(times_s: Iterable[float], gap_s: float) -> Spans:
    """Instants joined into stretches wherever less than ``gap_s`` lies between them."""
    return union(Interval(t_s, t_s + gap_s) for t_s in times_s)


def _connect_lane(frame: Frame, client: str, y: int) -> str:
    tried = [event for event in frame.history.of(ConnectTried) if event.client == client]
    good = [event.t_s for event in tried if event.ok]
    bad = [event.sent_s for event in tried if not event.ok]
    series = [("answered", "var(--good)", good), ("failed", "var(--bad)", bad)]
    return _label(y + 19, client, "connects") + _histogram(frame, series, y)


def _write_lane(frame: Frame, y: int) -> str:
    writes = writes_of(frame.history)
    colours = (
        ("acknowledged", "var(--node0)", OK),
        ("unknown", "var(--doubt)", UNKNOWN),
        ("failed", "var(--bad)", FAILED),
    )
    series = [(name, fill, writes.invoked_s[writes.outcome == outcome].tolist()) for name, fill, outcome in colours]
    return _label(y + 19, "writes", "acknowledged") + _histogram(frame, series, y)


def _histogram(frame: Frame, series: list[tuple[str, str, list[float]]], y: int) -> str:
    """Counts per bin, stacked, each series with its colour."""
    width_s = _bin_s(frame, [t for _, _, times in series for t in times])
    bins = math.ceil((frame.until_s - frame.from_s) / width_s)
    counts = [
        (name, fill, Counter(int((t - frame.from_s) / width_s) for t in times if frame.shows(t)))
        for name, fill, times in series
    ]
    highest = max((sum(c[b] for _, _, c in counts) for b in range(bins)), default=0) or 1
    parts = []
    room = COUNT_LANE - 8
    for number in range(bins):
        base = y + COUNT_LANE - 3.0
        for name, fill, count in counts:
            if count[number]:
                height = count[number] / highest * room
                base -= height
                span = Interval(frame.from_s + number * width_s, frame.from_s + (number + 1) * width_s)
                parts.append(
                    _rect(
                        frame,
                        span,
                        f"{count[number]} {name} at {frame.at(span.start_s)}",
                        y=base,
                        height=height,
                        fill=fill,
                    )
                )
    return "".join(parts)


def _bin_s(frame: Frame, times_s: list[float]) -> float:
    """The width of a bin: a whole multiple of the usual distance, so that a steady rate looks steady."""
    least_s = (frame.until_s - frame.from_s) / BINS
    ordered = sorted(times_s)
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    usual_s = gaps[len(gaps) // 2] if gaps else 0.0
    return math.ceil(least_s / usual_s - 0.01) * usual_s if usual_s > least_s / 50 else least_s
