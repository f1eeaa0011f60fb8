"""A sequence diagram as SVG: one lane per connection, time downwards, an arrow per segment that is TCP's own or frame.

A frame is a box on its arrow with the number of its octets. Bars across the arrow show where segments end inside the
frame, and a line below says after which octets; frames that came in one segment hang together. What breaks a rule is
marked, with a sign and with words.
"""

from __future__ import annotations

import functools
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from conformance.wire.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TIME, _LEFT, _RIGHT, _WIDTH = 78, 96, 850, 946  # where the columns stand
_MIDDLE = (_LEFT + _RIGHT) // 2
_HEAD, _ROW, _DETAIL = 44, 26, 17
_MOST_ENDS = 10  # ends of segments that are told
_MOST_CUTS = 12  # bars that are drawn on one arrow
_CHARACTER = 7.25  # width of one, at 12 px
_DASHED = {"SYN", "SYN-ACK", "FIN", "RST"}


@dataclass(slots=True)
class Step:
    """One arrow. ``size``: octets of the frame, None for what is TCP's own; ``segments``: how many it came in.

    ``ends``: after how many octets, LENGTH included, the first segments end. ``joined``: it came in the same segment as
    the one before it. ``offending``: which rule it breaks, in words. ``link``: number of the message below the diagram
    that it leads to.
    """

    time_ms: float
    from_left: bool
    label: str
    detail: str = ""
    size: int | None = None
    segments: int = 1
    ends: tuple[int, ...] = ()
    joined: bool = False
    offending: str = ""
    link: int | None = None


@dataclass(slots=True)
class Lane:
    """One connection: who is left and right, what it is, and its steps. ``notes`` stand below it."""

    left: str
    right: str
    title: str = ""
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    offending: str = ""  # what should have come and did not


@dataclass(slots=True)
class Message:
    """What a step carried. ``fields``: offset, length, name, value, and whether it is what breaks a rule.

    ``octets`` in hexadecimal, of very long ones the first; ``size`` is how many there are. ``offending``: the message
    breaks a rule, and no field of it more than another.
    """

    title: str
    octets: str
    size: int
    fields: list[list[Any]] = field(default_factory=list)
    offending: bool = False


@dataclass(slots=True)
class Exchange:
    """What went between the two sides: each connection drawn, and the messages that the drawings name by number."""

    drawings: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def svg(lane: Lane) -> Markup:
    """Return the diagram of a connection for a template."""
    return Markup(drawing(lane))  # noqa: S704  (each text in it went through _text)


def drawing(lane: Lane) -> str:
    """Return the diagram of a connection; every text in it is escaped."""
    y = _HEAD
    parts: list[str] = []
    for step in lane.steps:
        y += _ROW
        parts.append(_arrow(step, y))
        if step.detail or step.offending:
            y += _DETAIL
            parts.append(_details(step, y))
        if step.ends:
            y += _DETAIL
            parts.append(_small(_in_segments(step), y))
    for note, bad in [*((note, False) for note in lane.notes), *([(lane.offending, True)] if lane.offending else [])]:
        y += _ROW
        sign, style = ("✗ ", "bad") if bad else ("", "detail")
        parts.append(f'<text class="{style}" x="{_LEFT + 12}" y="{y}">{sign}{_text(note, 96)}</text>')
    height = y + _ROW
    return "".join(_whole(lane, parts, height))


def _whole(lane: Lane, parts: Iterable[str], height: int) -> Iterator[str]:
    steps = len(lane.steps)
    name = _text(f"{lane.title or 'connection'} of {lane.left} with {lane.right}, {steps} steps", 300)
    yield (
        f'<svg class="sequence" role="img" aria-label="{name}" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">'
    )
    yield f'<text class="end" x="{_LEFT}" y="16">{_text(lane.left, 48)}</text>'
    yield f'<text class="end" x="{_RIGHT}" y="16" text-anchor="end">{_text(lane.right, 48)}</text>'
    yield f'<text class="time" x="{_TIME}" y="34" text-anchor="end">ms</text>'
    if lane.title:
        yield f'<text class="detail" x="{_MIDDLE}" y="34" text-anchor="middle">{_text(lane.title, 80)}</text>'
    for x in (_LEFT, _RIGHT):
        yield f'<path class="life" d="M{x} 24V{height - 8}"/>'
    yield from parts
    yield "</svg>"


def _arrow(step: Step, y: int) -> str:
    side, start, end, back = ("l", _LEFT, _RIGHT, -7) if step.from_left else ("r", _RIGHT, _LEFT, 7)
    bad = " bad" if step.offending else ""
    if step.size is None:
        dashed, label = " tcp", step.label
    else:
        dashed, label = "", f"[{step.size}] {step.label}"
    if bad:
        label = f"✗ {label}"
    if step.joined:  # hangs from the frame before it
        begin = f'<path class="cut" d="M{start} {y - _ROW + 4}V{y}"/>'
    else:
        begin = f'<text class="time" x="{_TIME}" y="{y + 4}" text-anchor="end">{step.time_ms:.3f}</text>'
    width = min(len(label), 88) * _CHARACTER + 16
    place = f'x="{_MIDDLE - width / 2:.0f}" y="{y - 9}" width="{width:.0f}" height="18"'
    drawn = (
        f'{begin}<path class="line {side}{dashed}" d="M{start} {y}H{end}"/>'
        f'<path class="{side}" d="M{end} {y}l{back} -4v8z"/>'
        f'<rect class="frame {side}{bad}" {place} rx="3"/>'
        f'<text class="{bad.strip()}" x="{_MIDDLE}" y="{y + 4}" text-anchor="middle">{_text(label, 88)}</text>'
    )
    if step.segments > 1:
        drawn += _cuts(step.segments, start, end, y)
    if step.link is None:
        return drawn
    return f'<g class="link" tabindex="0" role="link" data-message="{step.link}">{drawn}</g>'


def _cuts(segments: int, start: int, end: int, y: int) -> str:
    shown = min(segments, _MOST_CUTS)
    places = (start + (end - start) * 0.16 * cut / shown for cut in range(1, shown))
    return "".join(f'<path class="cut" d="M{at:.0f} {y - 7}v14"/>' for at in places)


def _details(step: Step, y: int) -> str:
    if step.offending:
        return f'<text class="bad" x="{_MIDDLE}" y="{y + 4}" text-anchor="middle">{_text(step.offending, 100)}</text>'
    return _small(step.detail, y)


def _small(text: str, y: int) -> str:
    return f'<text class="detail" x="{_MIDDLE}" y="{y + 4}" text-anchor="middle">{_text(text, 112)}</text>'


def _in_segments(step: Step) -> str:
    """Return where segments end in a frame, as the list of its fields counts its octets."""
    shown = [str(end) for end in step.ends[:_MOST_ENDS]]
    more = "" if len(shown) == step.segments - 1 else " …"
    octets = "octet" if len(step.ends) == 1 else "octets"
    return f"in {step.segments} segments, cut after {octets} {', '.join(shown)}{more}"


@functools.lru_cache(maxsize=1024)
def _text(text: str, most: int) -> str:
    """Return a text of at most so many characters that XML and a person can read."""
    shown = visible(text)
    return html.escape(shown if len(shown) <= most else f"{shown[: most - 1]}…")
