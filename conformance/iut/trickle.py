"""Descriptions whose candidates come later (RFC 8838; the words of RFC 8840 and RFC 8839 for it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.sdp import Line, SessionDescription

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTION, END = "trickle", "end-of-candidates"
_DISCARD = "9"
_NOWHERE = {"IP4": "0.0.0.0", "IP6": "::"}  # noqa: S104  (RFC 8839 section 4.3.2: no default candidate)


def without_candidates(description: SessionDescription) -> SessionDescription:
    """Return a description that holds no candidate, not even a default one, and says that they trickle."""
    lines = list(_options(description.lines))
    for media in description.media:
        for line in media.lines:
            pair = line.attribute
            if pair is None or pair[0].lower() not in ("candidate", END):
                lines.append(_nowhere(line))
    return SessionDescription.parse("".join(map(str, lines)))


def _options(session: list[Line]) -> Iterator[Line]:
    """Yield the session level's lines, trickle being among the options."""
    found = False
    for line in session:
        pair = line.attribute
        if pair is not None and pair[0] == "ice-options":
            found = True
            words = dict.fromkeys([*(pair[1] or "").split(), OPTION])
            yield Line("a", f"ice-options:{' '.join(words)}", line.end)
        else:
            yield line
    if not found:
        yield Line("a", f"ice-options:{OPTION}")


def _nowhere(line: Line) -> Line:
    """Return a line of a media section without a place to send to; port 0 stays, as it disables the stream."""
    words = line.value.split(" ")
    if line.type == "m" and len(words) > 1 and words[1] != "0":
        return Line("m", " ".join([words[0], _DISCARD, *words[2:]]), line.end)
    if line.type == "c" and len(words) == 3:
        return Line("c", " ".join([*words[:2], _NOWHERE.get(words[1], words[2])]), line.end)
    return line
