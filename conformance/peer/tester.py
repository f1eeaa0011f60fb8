"""The lower tester of one case: an ICE-TCP peer that does what its script says.

It has credentials, candidates and connections of its own. What the script leaves open it does as a lawful full agent
would: it accepts connections on its passive candidates and answers valid checks with success. It sends nothing by
itself but those answers; every check, every nomination is the script's.
"""

from __future__ import annotations

import errno
import socket
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from conformance.peer import describe, silence
from conformance.peer.addresses import family_of
from conformance.peer.datagram import DatagramSocket
from conformance.peer.events import BindingSuccess, Expectation, Frame, as_expectation
from conformance.peer.servers import Server
from conformance.peer.shape import USUAL
from conformance.peer.sockets import KernelSockets
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire.candidate import Candidate, priority, tcp_local_preference
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.layers import RFC4571, binding_error, binding_request, binding_success

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from scapy.packet import Packet

    from conformance.peer.channel import Channel, Tap
    from conformance.peer.pixit import Pixit
    from conformance.peer.pump import Pump
    from conformance.peer.segments.pipe import Doorway, Pipe
    from conformance.wire.sdp import SessionDescription

DISCARD = 9
_HOST, _PEER_REFLEXIVE = 126, 110
_DIRECTION = {"active": 6, "passive": 4, "so": 2}


class Credentials(Protocol):
    """What a check needs of the IUT's description."""

    @property
    def ufrag(self) -> str:
        """The user name fragment."""
        ...

    @property
    def pwd(self) -> str:
        """The password."""
        ...

    @property
    def answered_setup(self) -> str | None:
        """What an answer of the IUT says in a=setup; None of an offer."""
        ...

    @property
    def lite(self) -> bool:
        """Whether the IUT sends no checks (RFC 8445 section 6.2)."""
        ...


class Listener:
    """A listening socket of a passive or S-O candidate; what it accepts becomes a channel at once.

    From a port of its own connections can be opened as well, as S-O candidates do it (RFC 6544 appendix B).
    """

    def __init__(self, peer: Peer, component: int, port: int, address: str) -> None:
        self._peer = peer
        self.component = component
        self.socket = peer.sockets.listen(address, port)
        self.port: int = self.socket.getsockname()[1]

    def on_readable(self) -> None:
        """Accept what has come."""
        try:
            connection, _ = self.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        self._peer.adopt(connection, outgoing=False, component=self.component, listener=self)


class Peer:
    """The lower tester. `address` is this case's own; `controlling` follows from who offered (RFC 8445 6.1.1)."""

    def __init__(
        self,
        address: str,
        pump: Pump,
        tap: Tap,
        pixit: Pixit,
        rng: random.Random,
        second_address: Callable[[], str] | None = None,
        sockets: KernelSockets | None = None,
    ) -> None:
        self.address = address
        self.sockets = sockets or KernelSockets()
        self._addresses = {family_of(address): address}
        self._second_address = second_address
        self.pixit = pixit
        self.shape = USUAL  # how the case is carried out
        self.profile = "plain"  # what kind of description the IUT takes
        self.fingerprint = rng.randbytes(32).hex(":").upper()  # of a certificate that nobody will see
        self.settled_setup: str | None = None  # our a=setup in the last exchange that was completed
        self.controlling = False
        self.answering = True  # off: the script answers the IUT's checks itself
        self.ufrag = rng.randbytes(4).hex()
        self.pwd = rng.randbytes(12).hex()
        self._passwords = {self.ufrag: self.pwd}
        self._met: set[str] = set()  # fragments of the IUT's
        self.versions = count(1)  # of our descriptions (RFC 3264 section 8)
        self.tie_breaker = rng.getrandbits(64)
        self.channels: list[Channel] = []
        self.listeners: list[Listener] = []
        self.iut: Credentials | None = None
        self.described_at = 0.0  # `time.monotonic` of our last description: before it the IUT knew nothing of it
        self.before_answer: Callable[[Channel, Frame], None] = lambda _channel, _frame: None
        self._arrivals: list[tuple[Channel, Listener]] = []
        self._held: list[tuple[Channel, Frame]] = []
        self._servers: list[Server] = []
        self._silent: list[silence.SilentPort | Doorway] = []
        self.datagram_sockets: list[DatagramSocket] = []
        self._pump = pump
        self._tap = tap
        self._rng = rng

    def switch_roles(self) -> None:
        """Take the other role, so that our first check makes a conflict which the IUT loses (RFC 8445 7.3.1.1)."""
        self.controlling = not self.controlling
        self.tie_breaker = 2**64 - 1 if self.controlling else 0

    def meet(self, iut: Credentials) -> None:
        """Take the IUT's credentials: from now on its checks must carry them."""
        self.iut = iut
        self._met.add(iut.ufrag)
        if iut.answered_setup in describe.ANSWER_SETUP:
            self.settled_setup = describe.ANSWER_SETUP[iut.answered_setup]

    def renew(self) -> None:
        """Take new credentials, as an ICE restart does; checks with the former ones are still answered."""
        self.ufrag, self.pwd = self._rng.randbytes(4).hex(), self._rng.randbytes(12).hex()
        self._passwords[self.ufrag] = self.pwd

    # -- candidates and descriptions -----------------------------------------------------------------------------

    @property
    def other_address(self) -> str:
        """The tester's address in the other family, for cases that need both; n/a where there is none."""
        for address in self._addresses.values():
            if address != self.address:
                return address
        if self._second_address is None:
            raise NotApplicable("the tester has one address only")
        address = self._second_address()
        self._addresses[family_of(address)] = address
        return address

    def listen(self, component: int = 1, *, port: int = 0, address: str | None = None) -> Listener:
        """Open a listening socket (a passive candidate's base) at `port`, 0: any."""
        try:
            listener = Listener(self, component, port, address or self.address)
        except PermissionError as error:
            raise NotApplicable(
                f"port {port} needs privileges that this run lacks ({error}); run where user namespaces are allowed"
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise NotApplicable(f"port {port} of {self.address}, which other cases share, is in use") from None
        self.listeners.append(listener)
        self._pump.add(listener)
        return listener

    def candidate(
        self,
        tcptype: str,
        *,
        component: int = 1,
        address: str | None = None,
        port: int | None = None,
        other: int = 8191,
        **change: Any,
    ) -> Candidate:
        """Return a host candidate by the recommended formula (RFC 6544 section 4.2).

        A passive one gets a listening socket, an active one port 9. `change` overrides any field.
        """
        address = address or self.address
        if port is None:
            port = DISCARD if tcptype == "active" else self.listen(component, address=address).port
        local = tcp_local_preference(_DIRECTION[tcptype], other)
        fields: dict[str, Any] = {
            "foundation": f"{tcptype}{address}".translate(_NO_PUNCTUATION)[:32],
            "component": component,
            "transport": "TCP",
            "priority": priority(_HOST, local, component),
            "address": address,
            "port": port,
            "type": "host",
            "tcptype": tcptype,
        }
        return Candidate(**{**fields, **change})

    def candidates(self, tcptypes: str, components: int = 1) -> list[Candidate]:
        """Return one candidate per word of `tcptypes` and component."""
        return [
            self.candidate(tcptype, component=component)
            for component in range(1, components + 1)
            for tcptype in tcptypes.split()
        ]

    def offer(
        self,
        tcptypes: str = "active passive",
        *,
        components: int = 1,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an offer with these candidates; the peer becomes controlling, unless it is lite (RFC 8445 6.1.1)."""
        self.controlling = not wishes.get("ice_lite", False)
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes, components) if candidates is None else list(candidates)
        return describe.offer(self, chosen, **wishes)

    def answer(
        self,
        to: SessionDescription,
        tcptypes: str = "active passive",
        *,
        components: int = 1,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an answer that mirrors the IUT's media section; the peer becomes controlled, beside a lite IUT not."""
        self.controlling = to.ice_lite and not wishes.get("ice_lite", False)
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes, components) if candidates is None else list(candidates)
        return describe.answer(self, to, chosen, **wishes)

    def selecting_offer(self, theirs: Candidate) -> SessionDescription:
        """Return a lite agent's new offer that selects the pair of our active candidate and one of the IUT's.

        RFC 6544 section 6.1, RFC 8839 section 4.4.1.3.
        """
        named = f"remote-candidates:{theirs.component} {theirs.address} {theirs.port}"
        ours = [self.candidate("active", component=theirs.component)]
        return describe.offer(self, ours, ice_lite=True, setup="active", attributes=[named])

    def restart_offer(
        self,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return an offer that restarts ICE; the roles stay (RFC 8445 section 9)."""
        self.renew()
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes) if candidates is None else list(candidates)
        return describe.offer(self, chosen, **wishes)

    def restart_answer(
        self,
        to: SessionDescription,
        tcptypes: str = "active passive",
        *,
        candidates: Iterable[Candidate] | None = None,
        **wishes: Any,
    ) -> SessionDescription:
        """Return the answer to an offer that restarts ICE; the roles stay (RFC 8445 section 9)."""
        self.renew()
        self.described_at = time.monotonic()
        chosen = self.candidates(tcptypes) if candidates is None else list(candidates)
        return describe.answer(self, to, chosen, **wishes)

    # -- connections ---------------------------------------------------------------------------------------------

    def connect(self, candidate: Candidate, *, source: Listener | None = None) -> Channel:
        """Connect to a candidate of the IUT, from an S-O base of ours if one is given.

        Preamble, so a refusal is inconclusive.
        """
        try:
            return self._connect(candidate, source)
        except OSError as error:
            raise Inconclusive(f"no connection to the IUT's candidate at {candidate.endpoint}: {error}") from None

    def expect_accept(self, candidate: Candidate, *, source: Listener | None = None) -> Channel:
        """Connect to a candidate of the IUT that must accept (RFC 6544 section 7.2)."""
        try:
            return self._connect(candidate, source)
        except OSError as error:
            raise Failed(
                f"the IUT did not accept a connection to {candidate.endpoint}",
                expected="the IUT accepts the connection",
                actual=str(error),
            ) from None

    def expect_all_accepted(self, candidates: Iterable[Candidate]) -> list[Channel]:
        """Connect to every one of these candidates, all of which must accept."""
        return [self.expect_accept(candidate) for candidate in candidates]

    def connect_if_possible(self, candidate: Candidate) -> Channel:
        """Connect to a candidate that the IUT may have stopped serving, which leaves nothing to judge: n/a."""
        try:
            return self._connect(candidate)
        except OSError as error:
            raise NotApplicable(f"the IUT no longer accepts connections at {candidate.endpoint}: {error}") from None

    def udp(self, component: int = 1) -> DatagramSocket:
        """Open a UDP socket, the base of a UDP candidate."""
        opened = DatagramSocket(self, self._pump, self._tap, component, self.address)
        self.datagram_sockets.append(opened)
        return opened

    def refusing_port(self) -> int:
        """Return a port of ours at which a connection is refused."""
        return self.sockets.refusing_port(self.address)

    def silent_port(self) -> int:
        """Return a port of ours at which a SYN meets no answer."""
        silent = self.sockets.silent_port(self.address)
        self._silent.append(silent)
        return silent.port

    def most_outstanding(self, *, within: float) -> int:
        """Watch for so many seconds how many connection attempts to us are outstanding at once; return the most.

        Inconclusive if the IUT made none.
        """
        if silence.is_shared(self.address):
            raise NotApplicable(f"whose attempts these are cannot be told on {self.address}, which the IUT uses too")
        most = 0

        def look() -> bool:
            nonlocal most
            most = max(most, silence.outstanding_attempts(self.address))
            return False

        end = self._pump.deadline(within)
        while not self._pump.wait(look, min(0.02, self._pump.left(end))) and self._pump.left(end) > 0:
            pass
        if not most:
            raise Inconclusive("the IUT made no connection attempt")
        return most

    def lose(self, selected: Channel, end: str) -> None:
        """End a connection by "FIN" or "RST"; only what connects after this is expected as a connection."""
        self._arrivals.clear()
        selected.close(reset=end == "RST")

    def stop_listening(self) -> None:
        """Refuse connections to our passive candidates from now on."""
        for listener in self.listeners:
            self._pump.remove(listener)
            listener.socket.close()
        self.listeners.clear()

    @property
    def was_met(self) -> bool:
        """Whether a connection has come that no expectation has taken."""
        return bool(self._arrivals)

    def expect_connection(self, listener: Listener | None = None, *, within: float | None = None) -> Channel:
        """Wait for a connection of the IUT to one of our passive candidates (or to this listener).

        Each connection is returned once. Raises `Failed` when none comes in time (default: `pixit.connect`).
        """
        seconds = self.pixit.connect if within is None else within

        def arrived() -> int | None:
            return next((n for n, (_, at) in enumerate(self._arrivals) if listener in (None, at)), None)

        if not self._pump.wait(lambda: arrived() is not None, seconds):
            raise Failed(
                "the IUT did not connect",
                expected="the IUT connects to our passive candidate",
                actual=f"no connection within {seconds:g} s",
            )
        index = arrived()
        assert index is not None
        return self._arrivals.pop(index)[0]

    def await_connection(self) -> Channel:
        """Wait for a connection of the IUT as a preamble: inconclusive if none comes."""
        try:
            return self.expect_connection()
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def expect_no_connection(self, listener: Listener | None = None, *, within: float | None = None) -> None:
        """Watch that the IUT opens no (further) connection to us."""
        seconds = self.pixit.silence if within is None else within

        def unwanted() -> list[Channel]:
            return [channel for channel, at in self._arrivals if listener in (None, at)]

        if self._pump.wait(lambda: bool(unwanted()), seconds):
            raise Failed(
                "the IUT opened a connection that it must not open",
                expected="no further connection from the IUT",
                actual=f"it connected: {unwanted()[0]}",
            )

    def adopt(
        self, connection: socket.socket | Pipe, *, outgoing: bool, component: int, listener: Listener | None = None
    ) -> Channel:
        """Make a channel of a connected socket."""
        kind = self.sockets.channel
        channel = kind(connection, self._pump, self._tap, outgoing=outgoing, component=component)
        channel.divide = self._divide
        self.take_over(channel, listener)
        return channel

    def take_over(self, channel: Channel, listener: Listener | None = None) -> None:
        """Let a channel carry checks from now on; `listener`: where the IUT connected to."""
        channel.on_request = self._on_request
        self.channels.append(channel)
        if listener is not None:
            self._arrivals.append((channel, listener))

    def stun_server(self, *, mapped: str | None = None) -> Server:
        """Be a STUN server as well; `mapped`: say that requests come from this IP address, as behind a NAT."""
        return self._serve(relays=False, mapped=mapped)

    def turn_server(self, *, mapped: str | None = None) -> Server:
        """Be a TURN server for TCP allocations as well."""
        return self._serve(relays=True, mapped=mapped)

    def _serve(self, *, relays: bool, mapped: str | None) -> Server:
        server = Server(self, self._pump, self._tap, self._rng, relays=relays, mapped=mapped)
        self._servers.append(server)
        return server

    def _divide(self, octets: bytes) -> tuple[bytes, Sequence[int], float]:
        return self.shape.divide(octets, self.pixit.drip, self._rng)

    def expect(self, wanted: Expectation | type[Expectation], *, within: float) -> tuple[Channel, Frame]:
        """Wait until any connection brings this; return the connection and the frame."""
        expectation = as_expectation(wanted)

        def where() -> Channel | None:
            return next((channel for channel in self.channels if channel.has(expectation)), None)

        if not self._pump.wait(lambda: where() is not None, within):
            count = len(self.channels)
            raise Failed(
                f"{expectation.text} did not come on any connection",
                expected=expectation.text,
                actual=f"not within {within:g} s on any of {count} connections",
            )
        channel = where()
        assert channel is not None
        return channel, channel.expect(expectation, within=0)

    def checks(self) -> list[Frame]:
        """Return the requests of the IUT so far, on whichever connection."""
        frames = (event for channel in self.channels for event in channel.events if isinstance(event, Frame))
        return [frame for frame in frames if frame.message is not None and frame.message.is_request]

    def wait_until(self, condition: Callable[[], bool], within: float) -> bool:
        """Serve everything until something holds or the time is over; return whether it holds."""
        return self._pump.wait(condition, within)

    def wait(self, seconds: float) -> None:
        """Let time pass while everything is served; for scripts whose timing is their point."""
        self._pump.wait(lambda: False, seconds)

    # -- messages ------------------------------------------------------------------------------------------------

    def check(
        self,
        iut: Credentials,
        *,
        controlling: bool | None = None,
        use_candidate: bool = False,
        component: int = 1,
        **change: Any,
    ) -> Packet:
        """Return a valid connectivity check (RFC 8445 section 7.2.4), unframed.

        `change` overrides arguments of `wire.layers.binding_request` (username, password, priority, attributes,
        transaction_id): each breaks or adds one thing.
        """
        leading = self.controlling if controlling is None else controlling
        local = tcp_local_preference(_DIRECTION["active"], 8191)
        arguments: dict[str, Any] = {
            "username": f"{iut.ufrag}:{self.ufrag}",
            "password": iut.pwd,
            "priority": priority(_PEER_REFLEXIVE, local, component),
            "use_candidate": use_candidate,
            "transaction_id": self._rng.randbytes(12),
            "controlling" if leading else "controlled": self.tie_breaker,
        }
        return binding_request(**{**arguments, **change})

    def success(self, channel: Channel, request: Frame) -> Packet:
        """Return the success response to a request of the IUT (RFC 8445 section 7.3.1.3), unframed."""
        pwd = self._passwords.get(self._fragment(request), self.pwd)
        return binding_success(request.stun.transaction_id, channel.seen_from, pwd)

    def error(self, request: Frame, code: int, reason: str) -> Packet:
        """Return an error response to a request of the IUT, with integrity, unframed."""
        return binding_error(request.stun.transaction_id, code, reason, self.pwd)

    def is_valid(self, request: Frame) -> bool:
        """Whether a request carries our credentials (RFC 8489 section 9.1.3)."""
        theirs = (request.stun.username or "").partition(":")[2]
        pwd = self._passwords.get(self._fragment(request))
        known = not self._met or theirs in self._met
        return pwd is not None and known and check_integrity(request.octets, short_term_key(pwd)) is Check.VALID

    @staticmethod
    def _fragment(request: Frame) -> str:
        return (request.stun.username or "").partition(":")[0]

    def _on_request(self, channel: Channel, request: Frame) -> None:
        self.before_answer(channel, request)
        if self.answering:
            self._answer(channel, request)
        else:
            self._held.append((channel, request))

    def answer_held(self) -> None:
        """Answer what came while `answering` was False, and from now on whatever comes."""
        self.answering = True
        while self._held:
            self._answer(*self._held.pop(0))

    def _answer(self, channel: Channel, request: Frame) -> None:
        if not self.is_valid(request):
            channel.send_between(RFC4571() / self.error(request, 401, "Unauthenticated"))
            return
        channel.send_between(RFC4571() / self.success(channel, request))
        channel.checked = True
        if request.stun.use_candidate and not self.controlling:
            channel.selected = True

    # -- preamble ------------------------------------------------------------------------------------------------

    def complete(self, iut: Credentials, channel: Channel) -> Channel:
        """Bring ICE to its end on this connection: validated both ways and nominated. Preamble: inconclusive."""
        try:
            if self.controlling:
                self._nominate(iut, channel)
            else:
                if not channel.checked:
                    channel.send(RFC4571() / self.check(iut, component=channel.component))
                if not self._pump.wait(lambda: channel.selected, self.pixit.complete):
                    raise Inconclusive(f"the controlling IUT did not nominate {channel}")
        except Failed as failure:
            raise Inconclusive(f"ICE did not complete: {failure}") from failure
        return channel

    def revive(self, iut: Credentials, channel: Channel) -> Channel:
        """Check a connection in a lost one's place both ways (RFC 6544 section 11.1). Preamble: inconclusive.

        Where we control, the pair is nominated once more, for agents that send nothing before that.
        """
        try:
            channel.send(RFC4571() / self.check(iut, component=channel.component))
            channel.expect(BindingSuccess, within=self.pixit.response)
            if not self._pump.wait(lambda: channel.checked, self.pixit.response):
                raise Inconclusive(f"the IUT sent no check of its own on {channel}")
            if self.controlling:
                channel.send(RFC4571() / self.check(iut, component=channel.component, use_candidate=True))
                channel.expect(BindingSuccess, within=self.pixit.response)
        except Failed as failure:
            raise Inconclusive(f"the connection was not validated anew: {failure}") from failure
        return channel

    def complete_any(self, iut: Credentials) -> Channel:
        """Bring ICE to its end on the connection that the controlling side prefers; ours is the last one opened."""
        if self.controlling:
            return self.complete(iut, self.channels[-1])
        if not self._pump.wait(lambda: any(c.selected for c in self.channels), self.pixit.complete):
            raise Inconclusive(f"the controlling IUT nominated none of {len(self.channels)} connections")
        return next(channel for channel in self.channels if channel.selected)

    def expect_others_closed(self, selected: Channel, *, within: float) -> None:
        """Wait until the IUT has ended every connection but this one. Inconclusive if there is no other."""
        others = [channel for channel in self.channels if channel is not selected]
        if not others:
            raise Inconclusive("no second connection came about")
        self._pump.wait(lambda: not any(channel.is_open for channel in others), within)
        still_open = [str(channel) for channel in others if channel.is_open]
        if still_open:
            raise Failed(
                f"{', '.join(still_open)} is still open beside the selected {selected}",
                expected="the IUT closes every connection but the selected one",
                actual=f"after {within:g} s still open: {', '.join(still_open)}",
            )

    def _nominate(self, iut: Credentials, channel: Channel) -> None:
        component = channel.component
        channel.send(RFC4571() / self.check(iut, component=component))
        channel.expect(BindingSuccess, within=self.pixit.response)
        if not (iut.lite or self._pump.wait(lambda: channel.checked, self.pixit.response)):
            raise Inconclusive(f"the IUT sent no check of its own on {channel}")
        channel.send(RFC4571() / self.check(iut, component=component, use_candidate=True))
        channel.expect(BindingSuccess, within=self.pixit.response)
        channel.selected = True

    def close(self) -> None:
        """Close every connection and listening socket."""
        for channel in self.channels:
            channel.close()
        for listener in self.listeners:
            self._pump.remove(listener)
            listener.socket.close()
        for server in self._servers:
            server.close()
        for silent in self._silent:
            silent.close()
        for udp in self.datagram_sockets:
            udp.close()
        self.sockets.close()

    def _connect(self, candidate: Candidate, source: Listener | None = None) -> Channel:
        family = family_of(candidate.address)
        own = self.address if family == family_of(self.address) else self.other_address
        port = 0 if source is None else source.port
        sock = self.sockets.connect(own, (candidate.address, candidate.port), self.pixit.response, port)
        return self.adopt(sock, outgoing=True, component=candidate.component)


_NO_PUNCTUATION = {ord(mark): None for mark in ".:"}
