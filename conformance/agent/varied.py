"""The decisions of an agent that is varied lawfully (`conformance.agent.variation`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.checklist import ListState
from conformance.agent.decisions import Decisions
from conformance.agent.decisions.gathering import ICE_CHARS, ice_chars
from conformance.agent.rewriting import rewrite, spelt
from conformance.agent.variation import USUAL, Variation
from conformance.wire.attributes import Attribute, RawAttribute, software
from conformance.wire.candidate import priority, tcp_local_preference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.agent.candidates import Base, Foundations, Local
    from conformance.agent.messages import OutgoingCheck
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream
    from conformance.wire.candidate import Candidate

_UNKNOWN = (0xC0DE, 0x8055, 0xFF00, 0xC057)  # comprehension-optional types (RFC 8489 section 14)
_DIRECTIONS = ("active", "passive", "so")
_ORDERS = ((6, 4, 2), (6, 2, 4), (4, 6, 2), (4, 2, 6), (2, 4, 6), (7, 0, 1))
_SECOND = "m=video 0 TCP/RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=mid:spare\r\n"
_ESCAPES = "x\x1b]0;owned\x07\x1b[2J\r\npass    RFC0000 forged line"
_NULL = b"\0\0"  # a frame of length zero (RFC 4571 section 2)


def vary(decisions: type[Decisions], variation: Variation) -> type[Decisions]:
    """Return these decisions, varied."""
    if variation == USUAL:
        return decisions
    return type("Varied", (Varied, decisions), {"variation": variation})


class Varied(Decisions):
    """Decisions that keep within what an agent must do."""

    variation: Variation
    _most = 0  # candidates in a description so far

    # -- descriptions --------------------------------------------------------------------------------------

    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        """Take credentials of another length (RFC 8839 section 5.4)."""
        return ice_chars(random(self.variation.ufrag)), ice_chars(random(self.variation.pwd))

    def shares_credentials(self) -> bool:
        """Have the same credentials in all streams (RFC 8839 section 5.4)."""
        return self.variation.shared_credentials or super().shares_credentials()

    def written(self, text: str) -> str:
        """Say the same with other lines in another order (RFC 8866)."""
        text = super().written(text)
        count = text.count("\na=candidate:")
        self._most = max(self._most, count)
        fewer = count < self._most  # after a nomination its candidate alone is left (RFC 8839 section 4.4.1.2.2)
        varied = replace(self.variation, other_transports=False) if fewer else self.variation
        return self._ended(rewrite(text, varied))

    def offered(self, text: str) -> str:
        """Offer a section that is disabled, too (RFC 3264 section 5.1)."""
        text = super().offered(text)
        return text + self._ended(_SECOND) if self.variation.second_section and text.count("\nm=") == 1 else text

    def _ended(self, text: str) -> str:
        return text.replace("\r\n", "\n") if self.variation.line_feeds else text

    def trickled(self, candidate: Candidate) -> str:
        """Write a candidate differently (RFC 8839 section 5.1)."""
        return super().trickled(spelt(candidate, self.variation))

    def ends_candidates(self) -> bool:
        """Say nothing of the end where candidates trickle (RFC 8838 section 13)."""
        return not self.variation.no_end and super().ends_candidates()

    def describes_hosts_at_once(self) -> bool:
        """Have host candidates in the first description already (RFC 8838 section 4)."""
        return self.variation.early_hosts or super().describes_hosts_at_once()

    # -- candidates ----------------------------------------------------------------------------------------

    def addresses(self) -> tuple[str, ...]:
        """Prefer IPv6 to all of IPv4 (RFC 8421 section 4 leaves the order to the agent)."""
        mine = super().addresses()
        return tuple(sorted(mine, key=lambda ip: ":" not in ip)) if self.variation.ipv6_first else mine

    def more_listeners(self) -> int:
        """Listen on several ports of each address, unless lite (RFC 8445 section 5.2)."""
        return 0 if self.config.lite else self.variation.listeners - 1

    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        """Give host candidates other priorities by the same formula, unique as RFC 6544 section 4.2 asks."""
        found = super().host_candidates(bases, foundations)
        for local in found:
            own = local.candidate
            if own.type == "host" and own.is_tcp and own.tcptype in _DIRECTIONS:
                other = self.variation.other - (8191 - own.other_preference)
                if other < 0:
                    other %= 8192
                direction = _ORDERS[self.variation.directions][_DIRECTIONS.index(own.tcptype)]
                local_preference = tcp_local_preference(direction, other)
                worth = priority(self.variation.type_preference, local_preference, own.component)
                local.candidate = replace(own, priority=worth)
        return found

    def mapping_protocols(self, *, ipv6: bool) -> Sequence[str]:
        """Ask gateways by NAT-PMP first: RFC 6544 section 5.3 leaves it to the agent."""
        protocols = super().mapping_protocols(ipv6=ipv6)
        return protocols[::-1] if self.variation.natpmp_first else protocols

    # -- checks --------------------------------------------------------------------------------------------

    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        """Have fewer attempts outstanding (RFC 6544 section 12)."""
        return len(attempts) < self.variation.attempts and super().may_attempt(attempts)

    # -- messages ------------------------------------------------------------------------------------------

    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        """Have other attributes in a check, in another order."""
        return self._dressed(super().check_attributes(check))

    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        """Have other attributes in a success response, in another order."""
        return self._dressed(super().success_attributes(mapped, user_name))

    def error_attributes(self, *refusal: RawAttribute) -> list[RawAttribute]:
        """Have other attributes in an error response, in another order."""
        attributes = super().error_attributes(*refusal)
        if self.variation.bare_errors:
            attributes = [replace(a, value=a.value[:4]) if a.type == Attribute.ERROR_CODE else a for a in attributes]
        return self._dressed(attributes)

    def _dressed(self, attributes: Sequence[RawAttribute]) -> list[RawAttribute]:
        varied = self.variation
        rng = varied.random("message")
        dressed = [attribute for attribute in attributes if attribute.type != Attribute.SOFTWARE]
        if varied.software:
            text = "".join(rng.choices(ICE_CHARS + " .äß", k=varied.software))[:127]
            dressed.append(software(_ESCAPES if varied.escapes else text))
        dressed += [RawAttribute(kind, rng.randbytes(rng.randrange(40))) for kind in _UNKNOWN[: varied.more_attributes]]
        if varied.shuffle_message:
            rng.shuffle(dressed)
        return dressed

    def says_alive(self) -> bool:
        """Send an indication on each connection that is selected (RFC 8445 section 11)."""
        return self.variation.indication or super().says_alive()

    # -- octets --------------------------------------------------------------------------------------------

    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        """Put null frames round a frame (RFC 4571 section 2)."""
        nulls = self.variation.null_frames
        return _NULL * (nulls > 1) + super().framed(payload, behind_others) + _NULL * (nulls > 0)

    def most(self) -> int:
        """Put another number of octets of a byte stream into a frame."""
        return self.variation.portion

    def pieces(self, octets: bytes) -> Iterator[bytes]:
        """Write a frame's beginning in small pieces."""
        size, position = self.variation.segments, 0
        for _ in range(10 if size else 0):
            if position < len(octets):
                yield octets[position : position + size]
                position += size
        if position < len(octets):
            yield octets[position:]

    # -- data ----------------------------------------------------------------------------------------------

    def secures(self, stream: Stream, connection: Connection) -> bool:
        """Begin DTLS on a valid pair already (RFC 8445 section 12.1)."""
        valid = any(pair.connection is connection for pair in stream.checks.valid)
        return (self.variation.early_dtls and valid) or super().secures(stream, connection)

    def early_carrier(self, stream: Stream, component: int, every: Iterable[Connection]) -> Connection | None:
        """Send data on a valid pair already, unless ICE has failed (RFC 8445 section 12.1)."""
        if not self.variation.early_data or stream.checks.state is ListState.FAILED:
            return super().early_carrier(stream, component, every)
        valid = (pair.connection for pair in stream.checks.valid if pair.component == component)
        return next((connection for connection in valid if connection is not None and connection.is_open), None)

    def delivers(self, stream: Stream, connection: Connection) -> bool:
        """Take data on any candidate, whether a check has come there or not (RFC 5245 section 11.2)."""
        return self.variation.data_from_any or super().delivers(stream, connection)
