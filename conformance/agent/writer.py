"""Our offers and answers (RFC 8839, RFC 6544 sections 4.3 and 4.5, RFC 4145)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent import updates
from conformance.agent.bundles import carried, follower, mirrored
from conformance.agent.candidates import DISCARD, default_candidate
from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.decisions.description import NO_RTCP
from conformance.agent.description import END, OPTION
from conformance.wire.frozen import frozen
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.bundles import Bundle
    from conformance.agent.candidates import Base, Local
    from conformance.agent.decisions.description import Description
    from conformance.agent.description import PeerDescription
    from conformance.agent.stream import Stream
    from conformance.wire.candidate import Candidate

_OPTIONS = f"ice-options:ice2 {OPTION}"
_RTCP_MUX = "rtcp-mux"
_PCMU = "rtpmap:0 PCMU/8000"
_BYTES_LINE = ("application", "TCP", ("octet-stream",))
_RTP_LINE = ("audio", "TCP/RTP/AVP", ("0",))
_DTLS_LINE = ("audio", "UDP/TLS/RTP/SAVPF", ("0",))  # RFC 8829 section 5.1.2, whatever the transport
# RFC 5763 section 5: with DTLS the answerer had better be the client.
_DTLS_ANSWERS = {"actpass": "active", "passive": "active", "active": "passive"}
_UDP_LINE = ("audio", "RTP/AVP", ("0",))


@frozen
class _Line:
    """What the media line of a section says, its mid, and with DTLS what else is said of its media."""

    kind: str
    proto: str
    formats: tuple[str, ...]
    mid: str | None
    said: tuple[str, ...] = ()

    def at(self, port: int) -> str:
        """Return the line itself, and one that names no address."""
        return f"m={self.kind} {port} {self.proto} {' '.join(self.formats)}\r\nc=IN IP4 0.0.0.0\r\n"


class Writer:
    """Writes our descriptions of one session."""

    def __init__(self, session_id: int, config: Config, decisions: Description, fingerprint: bytes = b"") -> None:
        self._session_id = session_id
        self._config = config
        self._decisions = decisions
        self._version = 0
        self._from: str | None = None  # how the first o= line ends: network, family, address
        self._lines: list[_Line] = []  # of each media section, as it was offered or answered last
        self._fingerprint = fingerprint  # of a certificate, where media goes through DTLS
        self._bundles: tuple[Bundle, ...] = ()
        self._followers: dict[int, SessionDescription] = {}  # of bundles: the sections without a stream of their own

    def offer(self, streams: Sequence[Stream], *, controlling: bool = False) -> str:
        """Return the offer: an active default where there is an active candidate, for a lite agent a passive one.

        RFC 6544 section 4.3.
        """
        self._version += 1
        used = {stream.section: stream for stream in streams if not stream.ended}
        parts, lines = [], []
        for number in range(max(len(self._lines), *(stream.section + 1 for stream in streams))):
            before = self._lines[number] if number < len(self._lines) else None
            if number in used:
                lines.append(self._line_of(used[number], before))
                parts.append(self._offered(used[number], lines[-1], controlling=controlling))
            elif number in self._followers and carried(self._bundles)[number] in used:
                lines.append(self._lines[number])
                parts.append(self._followers[number])
            elif before is not None:
                lines.append(before)
                parts.append(_disabled(before))
        self._lines = lines
        self._bundles = tuple(bundle for bundle in self._bundles if bundle[0] in used)
        if self._fingerprint and len(parts) == 1:
            self._bundles = ((0,),)  # browsers take no offer without (RFC 8829 section 4.1.1)
        return self._decisions.offered(self._join(parts))

    def _line_of(self, stream: Stream, before: _Line | None) -> _Line:
        """Return a stream's media line: what was negotiated stays, but for the transport (RFC 3264 section 8)."""
        kind, proto, formats = self._line(stream)
        if before is not None and _is_tcp(before.proto) is _is_tcp(proto):
            return before
        formats = self._decisions.formats(stream.plan, formats)
        said = (_PCMU,) if self._fingerprint and "0" in formats else ()
        return _Line(kind, proto, formats, stream.plan.mid, said)

    def _offered(self, stream: Stream, line: _Line, *, controlling: bool) -> SessionDescription:
        wanted = self._decisions.default_direction(self._default_is_udp(stream))
        default = default_candidate(stream.locals, 1, wanted)
        if updates.settled(stream):
            default = updates.default(stream)
        setup = default.tcptype if default else "holdconn"
        if default is None and stream.progress.ours_open:
            setup = "passive" if wanted == "passive" else "active"  # as the default candidate to come
        if setup == "so":
            setup = "actpass"
        if self._fingerprint:
            setup = "actpass"  # RFC 5763 section 5
        naming = controlling and updates.settled(stream)
        more = [*line.said, *([updates.remote_candidates(stream)] if naming else [])]
        if self._fingerprint and stream.plan.components == 1:
            more.append(_RTCP_MUX)  # browsers take no audio section without it (RFC 8834 section 4.5)
        return self._media(stream, (line.kind, line.proto, line.formats), default, setup, more=more)

    @staticmethod
    def _starts(stream: Stream) -> list[Base]:
        """Return where our candidates start, those included that are still to come."""
        return [local.base for local in stream.locals] or (stream.bases if stream.progress.ours_open else [])

    def _default_is_udp(self, stream: Stream) -> bool:
        """Whether the offer's default candidate is UDP: for a real-time stream that has any (RFC 6544 section 4.3)."""
        if updates.settled(stream):
            return updates.default(stream).base.is_udp
        return self._decisions.default_over_udp({base.is_udp for base in self._starts(stream)})

    def _line(self, stream: Stream) -> tuple[str, str, tuple[str, ...]]:
        if self._fingerprint:
            return _DTLS_LINE
        if stream.plan.media is not Media.RTP:
            return _BYTES_LINE
        return _UDP_LINE if self._default_is_udp(stream) else _RTP_LINE

    def answer(self, streams: Sequence[Stream], offer: PeerDescription) -> str:
        """Return the answer: a section for each of the offer's, setup within RFC 4145's constraints."""
        self._version += 1
        self._lines = [
            _Line(s.kind, s.proto, tuple(s.formats), s.mid, tuple(mirrored(s)) if self._fingerprint else ())
            for s in offer.sections
        ]
        parts = []
        used = {stream.section: stream for stream in streams if not stream.ended}
        self._bundles = tuple(bundle for bundle in offer.bundles if bundle[0] in used)
        shared = carried(self._bundles)
        self._followers = {
            number: SessionDescription.parse("v=0\r\n" + follower(section, self._lines[number].at(DISCARD)))
            for number, section in enumerate(offer.sections)
            if number in shared
        }
        for number, (section, theirs) in enumerate(zip(offer.sections, offer.streams, strict=True)):
            if theirs is None or number not in used:
                parts.append(self._followers.get(number) or _disabled(self._lines[number]))
                continue
            stream = used[number]
            setup = self._answer_setup(section.setup or "active", stream)
            if self._fingerprint:
                setup = _DTLS_ANSWERS.get(section.setup or "active", "holdconn")
                stream.dtls_client = setup == "active"
            wanted = "active" if setup == "active" else "passive"
            default = default_candidate(stream.locals, 1, wanted if _is_tcp(section.proto) else "")
            if updates.settled(stream):
                default = updates.default(stream)
            line = (section.kind, section.proto, tuple(section.formats))
            more = [*self._lines[number].said, *(["ice-mismatch"] if self._decisions.answers_mismatch(section) else [])]
            if self._fingerprint and stream.plan.components == 1 and section.has(_RTCP_MUX):
                more.append(_RTCP_MUX)
            parts.append(self._media(stream, line, default, setup, offered=section.connection, more=more))
        return self._decisions.written_answer(self._join(parts))

    def _answer_setup(self, offered: str, stream: Stream) -> str:
        able = {base.tcptype for base in self._starts(stream)} | {"holdconn"}
        if "so" in able:
            able |= {"active", "passive"}
        return self._decisions.answer_setup(offered, able)

    def _media(
        self,
        stream: Stream,
        line: tuple[str, str, Sequence[str]],
        default: Local | None,
        setup: str,
        *,
        offered: str | None = None,
        more: Sequence[str] = (),
    ) -> SessionDescription:
        kind, proto, formats = line
        over_tcp = _is_tcp(proto)
        directed = over_tcp or bool(self._fingerprint)
        address, port = "0.0.0.0", DISCARD  # noqa: S104  (RFC 8839 section 4.3.2: no default in this transport)
        if default is not None and default.base.is_udp is over_tcp:
            default = None
        if default is not None:
            address, port = default.candidate.address, default.candidate.port
        connection = self._decisions.connection(updates.settled(stream), offered)
        return SessionDescription.build(
            kind=kind,
            proto=proto,
            formats=formats,
            address=address,
            port=port,
            ufrag=stream.ufrag,
            pwd=stream.pwd,
            candidates=updates.candidates(stream) if updates.settled(stream) else self._candidates(stream),
            setup=setup if directed and self._decisions.states_setup() else None,
            connection=connection if over_tcp else None,
            mid=stream.plan.mid,
            bandwidth=self._bandwidth(stream.plan),
            ice_lite=self._config.lite and self._decisions.declares_lite(),
            session_attributes=self._session_attributes(),
            attributes=[*self._attributes(stream, formats, default), *more],
            session_id=self._session_id,
            version=self._version,
        )

    def _candidates(self, stream: Stream) -> list[Candidate]:
        mine = [local for local in stream.locals if local.candidate.type != "prflx"]
        return [local.candidate for local in mine if self._decisions.states(local, mine)]

    def _bandwidth(self, plan: StreamPlan) -> tuple[str, ...]:
        without_rtcp = plan.media is Media.RTP and plan.components == 1 and not self._fingerprint
        return NO_RTCP if without_rtcp else ()

    def _session_attributes(self) -> tuple[str, ...]:
        if self._config.lite:  # who makes no checks has no pace for them (RFC 8839 section 4.3.1)
            return (_OPTIONS,)
        return _OPTIONS, f"ice-pacing:{round(self._config.pacing * 1000)}"

    def _attributes(self, stream: Stream, formats: Sequence[str], default: Local | None) -> list[str]:
        attributes = [END] if not stream.progress.ours_open and self._decisions.ends_candidates() else []
        if stream.plan.media is not Media.RTP:
            return attributes
        attributes += [_PCMU] if "0" in formats and not self._fingerprint else []
        if self._fingerprint:
            attributes.append(self._certified)
        rtcp = None if default is None else default_candidate(stream.locals, 2, default.tcptype)
        if updates.settled(stream):
            rtcp = stream.chosen[2].local if 2 in stream.chosen else None
        if rtcp is not None:
            family = "IP6" if ":" in rtcp.candidate.address else "IP4"
            attributes.append(f"rtcp:{rtcp.candidate.port} IN {family} {rtcp.candidate.address}")
        return attributes

    @property
    def _certified(self) -> str:
        return "fingerprint:sha-256 " + self._fingerprint.hex(":").upper()

    def _join(self, parts: Sequence[SessionDescription]) -> str:
        """Put all media sections under one session level."""
        session = next((part for part in parts if part.values("o")), None)
        if session is None:
            origin = f"o=- {self._session_id} {self._version} IN IP4 0.0.0.0"
            session = SessionDescription.parse(f"v=0\r\n{origin}\r\ns=-\r\nt=0 0\r\n")
        session = self._of_one_origin(session)
        mids = [[line.mid for n in bundle if (line := self._lines[n]).mid is not None] for bundle in self._bundles]
        told = "".join(f"a=group:BUNDLE {' '.join(named)}\r\n" for named in mids if named)
        if self._followers:  # they have none of their own, and Firefox looks for one (RFC 8122 section 5)
            told += f"a={self._certified}\r\n"
        group = SessionDescription.parse(f"v=0\r\n{told}").lines[1:]
        lines = [*session.lines, *group, *(line for part in parts for media in part.media for line in media.lines)]
        return self._decisions.written("".join(map(str, lines)))

    def _of_one_origin(self, session: SessionDescription) -> SessionDescription:
        """Return a session level whose o= line differs from the first one's in its version alone (RFC 3264 section 8).

        The default destination, whose address it has at first, changes with the selected pair.
        """
        lines = list(session.lines)
        at = next(index for index, line in enumerate(lines) if line.type == "o")
        said, written_from = lines[at].value.split(maxsplit=3)[:3], lines[at].value.split(maxsplit=3)[3]
        self._from = self._from or written_from
        lines[at] = replace(lines[at], value=" ".join([*said, self._from]))
        return replace(session, lines=lines)


def _is_tcp(proto: str) -> bool:
    """Whether a media line's protocol runs over TCP."""
    return proto.upper().startswith("TCP")


def _disabled(line: _Line) -> SessionDescription:
    """Return a section that is not in use: port 0 (RFC 3264 sections 6 and 8.2)."""
    text = f"v=0\r\n{line.at(0)}"
    if line.mid is not None:
        text += f"a=mid:{line.mid}\r\n"
    return SessionDescription.parse(text)
