"""Media sections that share a stream (BUNDLE, RFC 9143), and what an answer says of the media of a section.

Only an agent whose media goes through DTLS bundles: browsers take no description that takes their bundles apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.wire.sdp import Media as Section

Bundle = tuple[int, ...]  # numbers of sections; the transport of the first one carries them all

_SEMANTICS = "BUNDLE"
_KEPT = ("rtpmap", "fmtp", "sctp-port", "sctpmap", "max-message-size")
_REVERSED = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}
_RTCP_MUX = "rtcp-mux"


def bundles(sections: Sequence[Section]) -> tuple[Bundle, ...]:
    """Return the groups of a description, each without its rejected sections (RFC 9143 sections 7.2 and 7.3).

    The first section of a group that has a transport of its own carries the others, those of port 0 included that say
    a=bundle-only. A section is in one group (section 7.1).
    """
    numbers = {section.mid: number for number, section in enumerate(sections) if section.mid is not None}
    found: list[Bundle] = []
    taken: set[int] = set()
    for value in sections[0].session.attributes("group") if sections else ():
        words = (value or "").split()
        if words[:1] != [_SEMANTICS]:
            continue
        named = [numbers[mid] for mid in dict.fromkeys(words[1:]) if mid in numbers]
        members = [n for n in named if n not in taken and not sections[n].disabled]
        first = next((n for n in members if sections[n].port and sections[n].ufrag is not None), None)
        if first is not None:
            found.append((first, *(n for n in members if n != first)))
            taken.update(members)
    return tuple(found)


def carried(groups: Sequence[Bundle]) -> dict[int, int]:
    """Return which section's transport carries a section, for those that have none of their own."""
    return {number: first for first, *others in groups for number in others}


def mirrored(section: Section) -> list[str]:
    """Return what an answer repeats of an offered section's media: its codecs or SCTP, and the direction, reversed.

    RFC 3264 section 6.1, RFC 8841 section 10.2, RFC 8829 section 5.3.1.
    """
    said = [f"{name}:{value}" for name in _KEPT for value in section.attributes(name)]
    direction = next((name for name in _REVERSED if section.has(name) or section.session.has(name)), None)
    return said if direction is None else [*said, _REVERSED[direction]]


def follower(section: Section, line: str) -> str:
    """Return the answer's section for one that another section's transport carries: without ICE and DTLS of its own.

    `line` is its media line, at the address that is common to all of the bundle. a=rtcp-mux is said again, since
    browsers look for it in each section (RFC 8834 section 4.5).
    """
    said = [f"mid:{section.mid}", *mirrored(section), *([_RTCP_MUX] if section.has(_RTCP_MUX) else [])]
    return "".join([line, *(f"a={attribute}\r\n" for attribute in said)])
