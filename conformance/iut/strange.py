"""Descriptions that say the same in a strange way: all of it lawful, and seen in the field.

RFC 8839 section 5.1 has candidates with host names and unknown transports ignored, RFC 8866 section 5 unknown
attributes; lines may be long, hold blanks at their ends and text of any language, and a section of port 0 is not used.
The name of the session may be a blank (RFC 8866 section 5.3). What a candidate of an unknown transport says behind its
type is of no matter, be it a tcptype that nobody knows. Lines may end with LF alone, which parsers need not take.
"""

from __future__ import annotations

from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription

_NAME = "1b4e28ba-2fa1-41d2-883f-0016d3cca427.local"
_OTHERS = (  # of no use to the IUT, as the first and as the last of a section
    (
        f"candidate:named0 1 UDP 2122260223 {_NAME} 50000 typ host generation 0 network-cost 999",
        "candidate:strange1 1 ssltcp 2105524479 192.0.2.1 443 typ host tcptype sideways",
    ),
    (
        "candidate:named1 1 TCP 2105458942 agent.example 9 typ host tcptype active",
        "candidate:strange2 1 SCTP 16777215 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9",
    ),
)
_SESSION = ("a=charset:UTF-8", "a=x-strange-flag", "a=x-strange-text:Grüße, 今日は, trailing blanks   ")
_SECTION = (f"a=x-strange-line:{'long ' * 120}", "a=x-strange-flag", 'a=x-strange:"\\x1b[31m" ; = : \\')
_SPARE = "m=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=mid:x-spare\r\n"
_LONGEST_FOUNDATION = 32


def strange(description: SessionDescription, *, offered: bool, useless: bool = True, languages: bool = True) -> str:
    """Return the text of a description of ours that says the same.

    `offered`: with a further section of port 0; `useless`: with candidates that the IUT is to ignore; `languages`: with
    text that is not ASCII (RFC 8866 section 5).
    """
    session = ["s= \r\n" if str(line) == "s=-\r\n" else str(line) for line in description.lines]
    session += [f"{line}\r\n" for line in _SESSION if languages or line.isascii()]
    parts = ["".join(session)]
    for media in description.media:
        lines = [str(line) for line in media.lines]
        places = [number for number, line in enumerate(lines) if line.startswith("a=candidate:")]
        for place in places:
            lines[place] = f"a={_long(lines[place])}\r\n"
        if places and useless:
            first, last = ([f"a={other}\r\n" for other in others] for others in _OTHERS)
            lines[places[-1] + 1 : places[-1] + 1] = last
            lines[places[0] : places[0]] = first
        if media.port:
            lines += [f"{line}\r\n" for line in _SECTION]
        parts.append("".join(lines))
    spare = offered and not any(media.disabled for media in description.media)
    return "".join([*parts, _SPARE if spare else ""])


def with_line_feeds(text: str) -> str:
    """Return a description whose lines end with LF alone: a parser should take it (RFC 8866 section 5)."""
    return text.replace("\r\n", "\n")


def _long(text: str) -> str:
    """Return a candidate with as long a foundation as there can be, and further extensions."""
    candidate = Candidate.parse(text.strip())
    foundation = candidate.foundation.ljust(_LONGEST_FOUNDATION, "+")
    head, _, rest = str(candidate).partition(" ")
    assert head == f"candidate:{candidate.foundation}"
    return f"candidate:{foundation} {rest} generation 0 network-id 1 x-strange {'strange' * 30}"
