"""Writes a description of the agent's differently, within RFC 8866 and what builds on it."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.agent.decisions.gathering import ICE_CHARS
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from conformance.agent.variation import Variation

_CREDENTIALS = ("a=ice-ufrag:", "a=ice-pwd:")
_SETUP = ("a=setup:", "a=connection:")
_OTHERS = (
    "a=candidate:other1 1 ssltcp 2130706430 192.0.2.1 443 typ host generation 0",
    "a=candidate:other2 1 SCTP 16777214 192.0.2.1 5000 typ host",
)
_SESSION_LINES = ("i=a session", "u=https://example.org/", "e=nobody@example.org", "p=+1 617 555-6011")


def rewrite(text: str, variation: Variation) -> str:
    """Return a description that says the same."""
    session, *streams = _levels(text.splitlines())
    for stream in streams:
        _candidates(stream, variation)
    if len(streams) == 1:
        if variation.session_credentials:
            _move(streams[0], session, _CREDENTIALS)
        if variation.session_setup:
            _move(streams[0], session, _SETUP)
    _terms(session, streams, variation)
    if variation.more_lines:
        at = next(n for n, line in enumerate(session) if line.startswith("s=")) + 1
        session[at:at] = _SESSION_LINES
        for stream in streams:
            after_c = 1 + sum(line.startswith("c=") for line in stream)
            stream.insert(after_c, "b=AS:512")
            stream.insert(1, "i=a stream")
    for number, level in enumerate((session, *streams)):
        level += [
            f"a=x-lawful{n}" + (f":{number} and more" if n % 2 else "") for n in range(variation.unknown_attributes)
        ]
        _shuffle(level, variation, number)
    lines = [line for level in (session, *streams) for line in level]
    if variation.long_addresses:
        lines = [_long(line) for line in lines]
    return "".join(f"{line}\r\n" for line in lines)


def _terms(session: list[str], streams: list[list[str]], variation: Variation) -> None:
    """Say otherwise at the session level what holds for ICE as a whole, or what each section replaces."""
    if variation.overridden_credentials and all(any(map(_is_pwd, stream)) for stream in streams):
        session += ["a=ice-ufrag:overridden", "a=ice-pwd:overriddenoverriddenoverridden"]
    if variation.more_options:
        session[:] = [f"{line} rtp+ecn x-lawful" if line.startswith("a=ice-options:") else line for line in session]
    if variation.no_pacing:
        session[:] = [line for line in session if not line.startswith("a=ice-pacing:")]


def _is_pwd(line: str) -> bool:
    return line.startswith("a=ice-pwd:")


def _levels(lines: list[str]) -> list[list[str]]:
    """Return the session's lines, then each media section's."""
    levels: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            levels.append([])
        levels[-1].append(line)
    return levels


def _candidates(stream: list[str], variation: Variation) -> None:
    places = [n for n, line in enumerate(stream) if line.startswith("a=candidate:")]
    try:
        written = [f"a={spelt(Candidate.parse(stream[n][2:]), variation)}" for n in places]
    except SdpError:  # what is written is not lawful anyway
        return
    if variation.reverse_candidates:
        written.reverse()
    if variation.other_transports and written:
        written[0] = f"{_OTHERS[0]}\r\n{written[0]}"
        written[-1] = f"{written[-1]}\r\n{_OTHERS[1]}"
    for place, line in zip(places, written, strict=True):
        stream[place] = line


def spelt(candidate: Candidate, variation: Variation) -> Candidate:
    """Return a candidate that is written differently (RFC 8839 section 5.1)."""
    changed: dict[str, Any] = {}
    if variation.lower_transport:
        changed["transport"] = candidate.transport.lower()
    if variation.capital_types:
        changed["type"] = candidate.type.upper()
        changed["tcptype"] = candidate.tcptype and candidate.tcptype.upper()
    more = (("generation", "0"), ("network-id", "1"), ("x-lawful", "a,b;c"))[: variation.extensions]
    changed["extensions"] = (*candidate.extensions, *more)
    if variation.foundation > 1:
        stem = "".join(variation.random("foundation").choices(ICE_CHARS, k=32))
        changed["foundation"] = (candidate.foundation + stem)[: max(variation.foundation, len(candidate.foundation))]
    return replace(candidate, **changed)


def _move(stream: list[str], session: list[str], names: tuple[str, ...]) -> None:
    session += [line for line in stream if line.startswith(names)]
    stream[:] = [line for line in stream if not line.startswith(names)]


def _shuffle(level: list[str], variation: Variation, number: int) -> None:
    if not variation.shuffle_attributes:
        return
    attributes = [line for line in level if line.startswith("a=")]
    level[:] = [line for line in level if not line.startswith("a=")]
    variation.random(f"lines {number}").shuffle(attributes)
    level += attributes


def _long(line: str) -> str:
    """Write the IPv6 addresses of a line out in full (RFC 4291 section 2.2)."""
    return " ".join(_unabridged(word) for word in line.split(" "))


def _unabridged(word: str) -> str:
    try:
        return ipaddress.IPv6Address(word).exploded.upper()
    except ValueError:
        return word
