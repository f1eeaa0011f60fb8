"""interop.html: who works with whom, and the session behind each cell, in one file that needs no network."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.interop.cell import CAPTURE
from conformance.interop.model import OFFERER, SIDES, Kind, Stage
from conformance.interop.outputs import again, by_pair, word
from reports import html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conformance.interop.model import Outcome
    from conformance.interop.plan import Contestant

NAME = "interop.html"
_MARKS = {Kind.WORKS: "pass", Kind.BROKE: "fail", Kind.LAWFUL: "choice", Kind.UNDECIDED: "inconc"}
_IN_A_BLOCK = 20  # cells
_MOST_OF_CAPTURE = 200_000  # octets that the page holds of one capture
_MOST_OF_LOG = 20_000  # characters


def page(outcomes: Sequence[Outcome], stacks: Mapping[str, Contestant], folder: Path, version: str) -> str:
    """Return the page; captures, descriptions and logs are read from the table's folder."""
    names = list(stacks)
    pairs = by_pair(outcomes)
    return html.render(
        "interop.html.j2",
        ("exchange.js", "interop.js"),
        version=version,
        stacks=stacks,
        names=names,
        table=[(one, [_field(one, other, pairs.get((one, other), [])) for other in names]) for one in names],
        counts={kind.value: sum(outcome.kind is kind for outcome in outcomes) for kind in Kind},
        marks={kind.value: mark for kind, mark in _MARKS.items()},
        stages=[stage.label for stage in Stage],
        cells=[_listed(number, outcome) for number, outcome in enumerate(outcomes)],
        blocks=[
            _packed(outcomes[start : start + _IN_A_BLOCK], folder) for start in range(0, len(outcomes), _IN_A_BLOCK)
        ],
    )


def _field(one: str, other: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    said = word(outcomes)
    bad = [outcome for outcome in outcomes if outcome.kind is Kind.BROKE]
    mark = "fail" if bad else "inconc" if said.startswith("?") else "choice" if said.startswith("lawful") else "pass"
    sentences = dict.fromkeys(outcome.sentence for outcome in outcomes if not outcome.ok)
    return {
        "word": said,
        "mark": mark if outcomes else "none",
        "link": f"{one} -> {other}",
        "title": "; ".join(sentences) or "they work together",
    }


def _listed(number: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.cell.id,
        "kind": outcome.kind.value,
        "stage": outcome.stage.label,
        "sentence": outcome.sentence,
        "text": f"{outcome.cell.id} {outcome.sentence}",
        "stacks": " ".join(dict.fromkeys((outcome.cell.offerer, outcome.cell.answerer))),
        "block": number // _IN_A_BLOCK,
        "index": number % _IN_A_BLOCK,
    }


def _packed(outcomes: Sequence[Outcome], folder: Path) -> str:
    octets = msgspec.json.encode([_detail(outcome, folder) for outcome in outcomes])
    return base64.b64encode(zlib.compress(octets)).decode()


def _detail(outcome: Outcome, folder: Path) -> dict[str, Any]:
    own = folder / outcome.folder if outcome.folder else None
    files = {name: _text(own / name) for name in _FILES} if own is not None else {}
    capture = _octets(own / CAPTURE) if own is not None else b""
    said = {
        "sentence": outcome.sentence,
        "reached": outcome.stage.value,
        "goal": outcome.facts.goal.value,
        "versions": [f"{outcome.cell.stack(side)} {outcome.facts.versions.get(side, '')}".strip() for side in SIDES],
        "states": [", ".join(state for _, state in outcome.facts.states.get(side, [])) for side in SIDES],
        "seconds": f"{outcome.facts.seconds:.1f} s",
        "breaches": [
            [outcome.name(b.side), b.requirement, b.level.upper(), b.title, b.text, b.expected, b.blocks, b.times]
            for b in outcome.breaches
        ],
        "files": files,
        "folder": outcome.folder,
        "capturefile": f"{outcome.folder}/{CAPTURE}" if own is not None else "",
        "repeat": again(outcome),
    }
    return {**_shown(said), "exchange": msgspec.Raw(outcome.exchange or b"null"), "capture": capture.hex()}


_FILES = ("offer.sdp", "answer.sdp", "offer-as-passed.sdp", "answer-as-passed.sdp", f"{OFFERER}.log", "answerer.log")


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="backslashreplace")
    except OSError:
        return ""
    return text if len(text) <= _MOST_OF_LOG else f"{text[:_MOST_OF_LOG]}\n… the file has the rest"


def _octets(path: Path) -> bytes:
    try:
        octets = path.read_bytes()
    except OSError:
        return b""
    return octets if len(octets) <= _MOST_OF_CAPTURE else b""


def _shown(value: Any) -> Any:
    """Return a value whose texts show every character of theirs."""
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return html.shown(value)
