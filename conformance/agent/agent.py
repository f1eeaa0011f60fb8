"""The reference ICE-TCP agent, without input and output of its own.

The driver carries out the commands and reports what happens on the network; both ways pass through `Agent.take`.
Every method that may change something is told the time, in seconds on any clock that does not run backwards; when
nothing happens before, `Agent.handle_timer` is to be called at `Agent.next_timer`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from conformance.agent import lite
from conformance.agent.checks import Checks
from conformance.agent.completion import Completion
from conformance.agent.connections import Connections
from conformance.agent.consent import Consent
from conformance.agent.decisions import Decisions
from conformance.agent.events import AgentError, Note, Rejected, State, Unlisten
from conformance.agent.exchange import Exchange
from conformance.agent.gathering import Gathering
from conformance.agent.handshakes import Handshakes
from conformance.agent.mappings import Mappings
from conformance.agent.media import Data
from conformance.agent.nomination import Nomination
from conformance.agent.relaying import Joined, NotJoined, Relayed, RelayLost
from conformance.agent.reopening import Reopening
from conformance.agent.requests import Requests
from conformance.agent.responses import Responses
from conformance.agent.rfc3489 import is_rfc3489, rfc3489_success
from conformance.agent.roles import Role
from conformance.agent.servers import Servers
from conformance.agent.status import Status
from conformance.agent.trickle import Trickling
from conformance.agent.writer import Writer
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, Method, looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.candidates import Base
    from conformance.agent.config import Config, Media
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection
    from conformance.agent.relaying import Happened
    from conformance.agent.stream import Stream


class Agent:
    """One ICE session. `random(n)` gives n octets that nobody can guess."""

    def __init__(
        self,
        config: Config,
        random: Callable[[int], bytes] = secrets.token_bytes,
        decisions: type[Decisions] = Decisions,
    ) -> None:
        self.config = config
        self.decisions = chosen = decisions(config)
        self._out: list[Output] = []
        self._streams: list[Stream] = []
        out, streams = self._out, self._streams
        self._status = Status(out)
        self._role = role = Role(config, chosen, streams, out, random)
        self._connections = connections = Connections(chosen, out)
        self._requests = Requests(chosen, connections, role, random)
        nomination = Nomination(config, chosen)
        self._checks = Checks(config, chosen, connections, self._requests, nomination, role, streams, out)
        self._responses = Responses(chosen, connections, self._checks, role, streams, out)
        self._completion = Completion(config, chosen, connections, self._checks, role, self._status, streams, out)
        self._consent = Consent(config, chosen, self._requests, self._completion, role, self._status, out, random)
        self._reopening = Reopening(
            config, chosen, connections, self._requests, self._consent, self._completion, self._status, out
        )
        self._data = Data(config, chosen, connections, self._reopening, streams, out)
        self._handshakes = Handshakes(config, chosen, connections, out, random)
        self._servers = Servers(config, chosen, connections, out, random)
        self._mappings = Mappings(config, chosen, out, random)
        self._bases = self._completion.bases
        self._gathering = Gathering(config, chosen, self._servers, self._mappings, self._bases, streams, out)
        self._trickling = Trickling(config, chosen, connections, role, streams, out)
        session_id = int.from_bytes(random(8), "big") >> 2
        writer = Writer(session_id, config, chosen, random(32) if config.secured else b"")
        self._exchange = Exchange(
            config,
            chosen,
            connections,
            self._gathering,
            self._checks,
            self._completion,
            self._consent,
            role,
            self._status,
            writer,
            streams,
            random,
        )

    @property
    def state(self) -> State:
        """The session as the application sees it."""
        return self._status.state

    @property
    def controlling(self) -> bool:
        """Our role (RFC 8445 section 6.1.1)."""
        return self._role.controlling

    def media(self, stream: int = 0) -> Media:
        """Return what a stream carries; an answerer learns it from the offer."""
        known = self._streams[stream].plan if stream < len(self._streams) else self.config.streams[0]
        return known.media

    # -- gathering -----------------------------------------------------------------------------------------

    @property
    def gathered(self) -> bool:
        """Whether all candidates are known."""
        return self._gathering.complete

    def gather(self, now: float, *, trickle: bool = False) -> None:
        """Begin to gather; listening sockets are asked for. Raises `AgentError` for an answerer without an offer.

        ``trickle``: the next description need not wait for all candidates, if the peer can do with that.
        """
        self._require_open()
        if self._consent.restart_wanted and self._exchange.settled:
            self.restart(now)  # RFC 6544 section 11.1
        if self._gathering.begun:
            return
        if not self._streams:
            raise AgentError("an answerer gathers candidates after the offer has come")
        self._gathering.begin(now, trickles=trickle and self._exchange.may_trickle)
        self._advance_gathering(now)

    def listening(self, number: int, port: int, now: float) -> None:
        """Take note of an open listening socket."""
        if self._mappings.owns(number):
            self._mappings.bound(number, now)
        else:
            self._gathering.listening(number, port, now)
        self._advance_gathering(now)

    def listen_failed(self, number: int, why: str, now: float) -> None:
        """Do without the candidate of a listening socket that could not be opened."""
        if self._mappings.owns(number):
            self._mappings.bind_failed(number, why)
        else:
            self._gathering.listen_failed(number, why, now)
        self._advance_gathering(now)

    def _advance_gathering(self, now: float) -> None:
        if self._gathering.hosts_known:
            self._advance(now)

    # -- descriptions --------------------------------------------------------------------------------------

    @property
    def describable(self) -> bool:
        """Whether enough is known for a description."""
        return self._exchange.describable

    @property
    def waits(self) -> bool:
        """Whether the next description waits for checks (RFC 8839 section 4.4.2)."""
        return self._exchange.waits

    def describe(self, now: float) -> tuple[str, str]:
        """Return ("offer" or "answer", SDP). An answerer begins its checks with it (RFC 8839 section 4.3.2).

        Raises `AgentError` before gathering has ended, unless they trickle, or when no candidate could be had.
        """
        self._require_open()
        kind, sdp, begins = self._exchange.describe()
        if begins:
            self._start(now)
        return kind, sdp

    def accept(self, kind: str, sdp: str, now: float) -> None:
        """Take the peer's offer or answer.

        Raises `Rejected` if it cannot be used, `AgentError` if it is not its turn, `Unsupported` for streams that are
        added or removed later.
        """
        self._require_open()
        try:
            begins = self._exchange.accept(kind, sdp, now)
        except Rejected:
            if self._exchange.settled and self.decisions.ends_with_refused_offer():
                self.close()
            raise
        if begins:
            self._start(now)

    def trickle(self, candidate: str, mid: str, now: float) -> None:
        """Take a candidate of the peer's that came after its description; empty: it has no others.

        Raises `Rejected` for what is no candidate or of no stream, `AgentError` if there is no description yet.
        """
        self._require_open()
        for stream in self._exchange.streams_of(candidate, mid):
            self._trickling.receive(stream, candidate, now)
        self._advance(now)

    def restart(self, now: float) -> None:
        """Restart ICE: the next description is an offer with new credentials (RFC 8445 section 9)."""
        self._require_open()
        self._exchange.restart(now)

    def _start(self, now: float) -> None:
        """Begin checks, and take up those of the peer's that came early (RFC 8445 section 7.3)."""
        self._completion.begin(now)
        self._checks.start(now)
        for connection in self._connections:
            early, connection.early = connection.early, []
            self._meet(connection)
            for check in early:
                if self._responses.follow_up(connection, check):
                    self._reopening.checked(connection)
        for stream in self._streams if self._role.both_lite else ():
            lite.begin(stream, self._role.controlling)
        self._advance(now)

    # -- connections ---------------------------------------------------------------------------------------

    def accepted(self, number: int, local: Address, remote: Address, now: float) -> int | None:
        """Take a connection that came to a base; return its number, or None if it is to be closed at once.

        It is accepted at any time, also before the peer's description is there (RFC 6544 section 7.2).
        """
        found = self._bases.get(number)
        if found is None or self.state is State.CLOSED or lite.unnamed(*found):
            return None
        if not self.decisions.admits(*found, remote, self._connections):
            return None
        if not self.decisions.accepts_after(now - self._gathering.begun_at):
            return None
        connection = self._admit(*found, local, remote, now)
        if not self.decisions.listens_on(found[1]):
            self._out.append(Unlisten(number))
        self._advance(now)
        return connection.number

    def _admit(
        self, stream: Stream, base: Base, local: Address, remote: Address, now: float, number: int | None = None
    ) -> Connection:
        strangers = self._connections.strangers()
        if len(strangers) >= self.config.max_strangers:
            self._completion.end(strangers[0], "too many connections on which nobody has authenticated")
        connection = self._connections.accept(stream.index, base, local, remote, now, number)
        if self._checks.started:
            self._meet(connection)
        return connection

    def _meet(self, connection: Connection) -> None:
        """See what a connection of the peer's is for: an S-O pair's, or between lite agents the selected one."""
        self._checks.accepted(connection)
        if self._role.both_lite and not connection.outgoing:
            stream = self._streams[connection.stream]
            lite.arrived(stream, connection, self.decisions)
            if stream.completed_at is not None:
                self._reopening.checked(connection)

    def datagram(self, number: int, remote: Address, octets: bytes, now: float) -> None:
        """Take a datagram that came to the UDP socket of a base; from strangers only STUN is looked at."""
        found = self._bases.get(number)
        if self._mappings.owns(number):
            self._mappings.datagram(number, remote, octets, now)
            self._advance(now)
        elif found is not None and self.state is not State.CLOSED:
            self._flow(*found, remote, octets, now)

    def _flow(self, stream: Stream, base: Base, remote: Address, octets: bytes, now: float) -> None:
        flow = self._connections.flow(base, remote) if octets else None
        if flow is None and looks_like_stun(octets):
            flow = self._admit(stream, base, Address(base.ip, base.port), remote, now)
        if flow is not None:
            self._frame(flow, octets, now)
            self._advance(now)

    def connected(self, number: int, local: Address, now: float) -> None:
        """Use a connection that was asked for and now stands."""
        if self._servers.owns(number):
            self._servers.connected(number, local)
        elif (connection := self._connections.find(number)) is not None:
            self._connections.opened(connection, local)
            self._checks.connected(connection, now)
            self._reopening.connected(connection, now)
        self._advance(now)

    def closed(self, number: int, why: str, now: float) -> None:
        """Do without a connection that could not be opened, or that the peer or the network ended."""
        if self._servers.owns(number):
            self._servers.closed(number, why, now)
        elif (connection := self._connections.find(number)) is not None:
            self._completion.ended(connection, why)
        self._advance(now)

    def received(self, number: int, octets: bytes, now: float) -> None:
        """Take octets that came on a connection."""
        if self._servers.owns(number):
            self._servers.received(number, octets, now)
        elif (connection := self._connections.find(number)) is not None:
            self._octets(connection, octets, now)
        self._advance(now)

    def _octets(self, connection: Connection, octets: bytes, now: float) -> None:
        if connection.speaks_something_else(octets):
            self._checks.not_the_peer(connection)
        for payload in self._connections.payloads(connection, octets, now):
            if not connection.is_open:
                break
            self._frame(connection, payload, now)

    # -- frames --------------------------------------------------------------------------------------------

    def _frame(self, connection: Connection, payload: bytes, now: float) -> None:
        if not payload:  # a null frame is lawful and says nothing (RFC 4571 section 2)
            if not self.decisions.bears_null():
                self._completion.end(connection, "null frame")
        elif self.decisions.takes_for_stun(payload):
            connection.spoke_stun = True
            self._stun(connection, payload, now)
            if self.decisions.stun_is_data_too():
                self._data.deliver(connection, payload)
        elif is_rfc3489(payload) and self.decisions.answers_rfc3489():
            self._connections.send_response(connection, rfc3489_success(payload, connection.remote))
        elif not self.decisions.is_data(payload):
            return
        elif connection.outgoing and not (connection.spoke_stun or connection.is_udp):
            self._checks.not_the_peer(connection)
        elif self.config.secured:
            self._advance(now)  # the check before it in the same segment may have completed ICE
            self._handshakes.frame(connection, payload, now)
        else:
            self._data.deliver(connection, payload)

    def _stun(self, connection: Connection, octets: bytes, now: float) -> None:
        """Process a frame that holds STUN. What is not well formed is discarded (RFC 8489 section 6.3)."""
        try:
            whole = Message.decode(octets)
        except StunError as error:
            self._out.append(Note(f"{connection}: discarded: {error}"))
            if not self.decisions.bears_malformed():
                self._checks.drop(connection)
            return
        if whole.method != Method.BINDING or not self.decisions.fingerprint_holds(octets):
            return  # RFC 8445 section 7.3: FINGERPRINT is a must; other methods mean nothing here
        message = Message(whole.method, whole.cls, whole.transaction_id, self.decisions.honoured(whole))
        if message.is_request:
            if self._responses.answer(connection, octets, message):
                self._reopening.checked(connection)
        elif message.is_indication:
            self._responses.indication(connection, message)
        elif self._checks.owns(message.transaction_id):
            self._checks.response(connection, octets, message, now)
        else:
            self._reopening.response(connection, octets, message, now)

    # -- data ----------------------------------------------------------------------------------------------

    def send(self, component: int, octets: bytes, now: float, stream: int = 0) -> None:
        """Send application data: one packet, or the next octets of a byte stream.

        Before a pair is selected the data is held. Raises `Unsupported` for what can never be sent, `AgentError` for
        what cannot be sent now.
        """
        self._require_open()
        self._data.send(component, octets, stream, now)
        self._advance(now)

    # -- consequences --------------------------------------------------------------------------------------

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._advance(now)

    def next_timer(self) -> float | None:
        """Return when to call `handle_timer`; None: not before something happens."""
        if self.state is State.CLOSED:
            return None
        parts = (self._checks, self._completion, self._handshakes, self._servers, self._mappings, self._consent)
        times = [part.next_time() for part in parts]
        return min((time for time in times if time is not None), default=None)

    def take(self) -> list[Output]:
        """Return commands and events since the last time, in order."""
        taken = self._out[:]
        self._out.clear()
        return taken

    def _advance(self, now: float) -> None:
        if self.state is State.CLOSED:
            return
        self._servers.advance(now)
        self._mappings.advance(now)
        for happened in self._servers.happened():
            self._relay(happened, now)
        for stream, complete in self._gathering.note(
            self._checks.foundations, answered=self._exchange.peer is not None
        ):
            if self._exchange.described:
                self._trickling.tell(stream, complete=complete)
        self._checks.advance(now)
        completed = self._completion.advance(now)
        for stream in completed:
            self._consent.begin(stream, now)
        for stream in [*completed, *self._reopening.advance(now)]:
            for component, connection in stream.selected.items():
                if self.decisions.says_alive():
                    self._requests.indicate(stream, connection)
                self._data.release(stream, component, connection)
        self._handshakes.advance(self._streams, now)
        if self.state is State.COMPLETED:
            selected = [c.base for stream in self._streams for c in stream.selected.values()]
            self._servers.conclude(selected, now)
            self._mappings.conclude(selected)

    def _relay(self, happened: Happened, now: float) -> None:
        """Use what came through a relay, or do without it."""
        match happened:
            case Joined(link, rest):
                connection = self._connections.find(link.number)
                if connection is not None:
                    self._connections.opened(connection, link.allocation.relayed_for(link.peer))
                    self._checks.connected(connection, now)
                else:
                    local = link.allocation.relayed_for(link.peer)
                    passive = next(base for base in link.allocation.bases if base.listens and base.ip == local.ip)
                    connection = self._admit(link.stream, passive, local, link.peer, now, link.number)
                if rest:
                    self._octets(connection, rest, now)
            case NotJoined(number, why):
                if (waiting := self._connections.find(number)) is not None:
                    self._completion.end(waiting, why)
            case Relayed(stream, base, peer, octets):
                self._flow(stream, base, peer, octets, now)
            case RelayLost():  # the next description asks the servers anew (RFC 6544 section 11.2)
                self._consent.restart_wanted = True

    def close(self) -> None:
        """End the session: everything that is open is closed (RFC 6544 section 11.1)."""
        if self.state is not State.CLOSED:
            self._servers.close()
            self._mappings.close()
            self._completion.close()

    def _require_open(self) -> None:
        if self.state is State.CLOSED:
            raise AgentError("the session is closed")
