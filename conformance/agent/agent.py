"""The reference ICE-TCP agent, without input and output of its own.

The driver carries out the commands and reports what happens on the network; both ways pass through `Agent.take`.
Every method that may change something is told the time, in seconds on any clock that does not run backwards; when
nothing happens before, `Agent.handle_timer` is to be called at `Agent.next_timer`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from conformance.agent import description, lite, renewal
from conformance.agent.candidates import DISCARD
from conformance.agent.checker import Checker
from conformance.agent.conclusion import Conclusion
from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.connections import Connection, Connections
from conformance.agent.description import PeerDescription, Writer
from conformance.agent.events import (
    AgentError,
    Bind,
    DataReceived,
    Listen,
    Note,
    Output,
    Rejected,
    State,
    Unlisten,
    Unsupported,
)
from conformance.agent.framing import cut_stream
from conformance.agent.gathering import Servers
from conformance.agent.security import Security
from conformance.agent.simultaneous import SO
from conformance.agent.stream import Stream
from conformance.agent.upkeep import Upkeep
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import MAX_FRAME
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Base
    from conformance.agent.relay import DataLink


class Agent:
    """One ICE session. `random(n)` gives n octets that nobody can guess."""

    def __init__(self, config: Config, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.config = config
        self._random = random
        self._out: list[Output] = []
        self._connections = Connections(config, self._out)
        self._checker = Checker(config, self._connections, self._out, random)
        self._conclusion = Conclusion(config, self._connections, self._checker, self._out)
        self._security = Security(config, self._connections, self._out, random)
        self._servers = Servers(config, self._connections, self._out, random)
        self._servers.relays.joined = self._joined
        self._servers.relays.failed = lambda connection, why, _now: self._conclusion.end(connection, why)
        self._servers.on_datagram = self._relayed_datagram
        self._servers.on_loss = self._relay_lost
        self._connections.open_relayed = self._servers.relays.open
        self._upkeep = Upkeep(config, self._connections, self._checker, self._conclusion, self._out, random)
        self._streams: list[Stream] = []
        self._bases = self._conclusion.bases
        self._awaited: set[int] = set()
        self._peer: PeerDescription | None = None
        self._described = ""
        self._gathering = self._noted = False
        self._offers = config.offerer  # in the exchange that is under way, or was the last
        self._next_base = 1
        session_id = int.from_bytes(random(8), "big") >> 2
        self._writer = Writer(session_id, config, self._random(32) if config.secured else b"")
        if config.offerer:
            self._add_streams(config.streams)

    @property
    def state(self) -> State:
        """The session as the application sees it."""
        return self._conclusion.state

    @property
    def controlling(self) -> bool:
        """Our role (RFC 8445 section 6.1.1)."""
        return self._checker.controlling

    @property
    def gathered(self) -> bool:
        """Whether all candidates are known."""
        return self._gathering and not self._awaited and not self._servers.busy

    def media(self, stream: int = 0) -> Media:
        """Return what a stream carries; an answerer learns it from the offer."""
        known = self._streams[stream].plan if stream < len(self._streams) else self.config.streams[0]
        return known.media

    # -- gathering ---------------------------------------------------------------------------------------------

    def gather(self, now: float) -> None:
        """Begin to gather; listening sockets are asked for. Raises `AgentError` for an answerer without an offer."""
        self._require_open()
        if self._upkeep.restart_wanted and self._settled:
            self.restart(now)  # RFC 6544 section 11.1
        if self._gathering:
            return
        if not self._streams:
            raise AgentError("an answerer gathers candidates after the offer has come")
        self._gathering, self._noted = True, False
        for stream in [stream for stream in self._streams if not stream.bases]:
            for base in stream.plan_bases(self._next_base):
                self._next_base = base.number + 1
                self._bases[base.number] = (stream, base)
                if base.is_udp:
                    self._awaited.add(base.number)
                    self._out.append(Bind(base.number, base.ip))
                elif base.listens:
                    self._awaited.add(base.number)
                    shared = base.tcptype == SO or bool(self.config.servers)
                    shared = shared or "connects-from-allocated-port" in self.config.faults
                    self._out.append(Listen(base.number, base.ip, shared=shared))
        self._ask_servers(now)

    def listening(self, number: int, port: int, now: float) -> None:
        """Take note of an open listening socket."""
        self._bases[number][1].port = port
        self._awaited.discard(number)
        self._ask_servers(now)

    def listen_failed(self, number: int, why: str, now: float) -> None:
        """Do without the candidate of a listening socket that could not be opened."""
        stream, base = self._bases.pop(number)
        stream.bases.remove(base)
        self._awaited.discard(number)
        self._out.append(Note(f"no {base.tcptype or 'UDP'} candidate on {base.ip}: {why}"))
        self._ask_servers(now)

    def _ask_servers(self, now: float) -> None:
        """Go on to the servers once it is known where we listen."""
        if self._gathering and not self._awaited:
            self._servers.begin([stream for stream in self._streams if not stream.locals], now)
            self._advance(now)

    def _note_gathered(self) -> None:
        if self.gathered and not self._noted:
            self._noted = True
            for stream in [stream for stream in self._streams if not stream.locals]:
                stream.gathered(self._checker.foundations)
                self._servers.add_candidates(stream, self._checker.foundations)
            self._out += [Unlisten(n) for n, (_, base) in self._bases.items() if base.listens and self._deaf(base)]

    def _deaf(self, base: Base) -> bool:
        """Whether a fault keeps a passive candidate from listening once it has been gathered."""
        faults = self.config.faults
        if base.is_udp:
            return False
        first = next(iter(self._bases.values()))[1]
        return (
            "passive-not-listening" in faults
            or ("so-not-listening" in faults and base.tcptype == SO)
            or ("listens-after-answer" in faults and self._peer is None)
            or ("one-address-listens" in faults and base.ip != first.ip)
            or ("lite-listens-on-default" in faults and self.config.lite and base.ip != first.ip)
        )

    def _add_streams(self, plans: tuple[StreamPlan, ...]) -> None:
        for plan in plans:
            self._streams.append(Stream(len(self._streams), plan, self.config, *self._credentials()))
        self._checker.streams = self._streams

    def _credentials(self) -> tuple[str, str]:
        varied = self.config.variation
        return varied.credential(self._random, varied.ufrag), varied.credential(self._random, varied.pwd)

    # -- descriptions ------------------------------------------------------------------------------------------

    def describe(self, now: float) -> tuple[str, str]:
        """Return ("offer" or "answer", SDP). An answerer begins its checks with it (RFC 8839 section 4.3.2).

        Raises `AgentError` before gathering has ended or when no candidate could be had.
        """
        self._require_open()
        if not self.gathered:
            raise AgentError("candidates are still being gathered")
        if not all(stream.locals for stream in self._streams):
            raise AgentError("no candidate could be gathered")
        if self._settled and self.state is State.COMPLETED:
            self._offers, self._peer, self._described = True, None, ""  # an updated offer (RFC 6544 section 9.1)
        if self._offers:
            self._described = self._described or self._writer.offer(self._streams, controlling=self.controlling)
            return "offer", self._described
        assert self._peer is not None, "without an offer there is nothing to gather"
        if not self._described:
            self._described = self._writer.answer(self._streams, self._peer)
            if not all(stream.formed for stream in self._streams):
                self._start(now)
        return "answer", self._described

    def accept(self, kind: str, sdp: str, now: float) -> None:
        """Take the peer's offer or answer.

        Raises `Rejected` if it cannot be used, `AgentError` if it is not its turn, `Unsupported` for streams that are
        added or removed later.
        """
        self._require_open()
        if kind != ("offer" if self._settled or not self._offers else "answer"):
            raise AgentError(f"{kind!r} is not what this side waits for")
        if self._offers and not self._described:
            raise AgentError("an answer before the offer")
        if not self._offers and self._peer is not None and not self._described:
            raise AgentError("an offer before the last one has its answer")
        peer = description.read(sdp, self.config.faults)
        if self.config.secured:
            description.require_fingerprints(peer)
        if self._settled:
            self._meet_new_offer(peer, now)
            return
        if self._offers and len(peer.streams) != len(self._streams):
            raise Rejected(f"the answer has {len(peer.streams)} media sections, the offer {len(self._streams)}")
        if self._offers and any(stream.remote_ufrag or stream.former for stream in self._streams):
            self._meet_new_answer(peer, now)
            return
        self._note_peer(peer)
        if self._offers:
            self._meet_answer(peer, now)
        else:
            self._meet_offer(peer)

    def _note_peer(self, peer: PeerDescription) -> None:
        known = self._checker.started
        self._peer = peer
        if not known or peer.lite is not self._checker.peer_lite:  # else the roles stay (RFC 8445 section 6.1.1)
            self._checker.meet(peer.lite)
        self._checker.pacing = max(self.config.pacing, peer.pacing or 0.0)

    def _meet_answer(self, peer: PeerDescription, now: float) -> None:
        for stream, theirs in zip(self._streams, peer.streams, strict=True):
            if theirs is None:
                stream.give_up()
            else:
                stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates))
                stream.dtls_client = theirs.section.setup == "passive"
        if "listens-after-answer" in self.config.faults:
            deaf = [(n, base) for n, (_, base) in self._bases.items() if base.listens and not base.is_udp]
            self._out += [Listen(n, base.ip, base.port) for n, base in deaf]
        self._start(now)

    def _meet_offer(self, peer: PeerDescription) -> None:
        wanted = self.config.streams[0].components
        usable = [theirs for theirs in peer.streams if theirs is not None]
        for theirs in usable:
            plan = theirs.plan
            self._add_streams((StreamPlan(plan.media, min(wanted, plan.components), plan.mid),))
            self._streams[-1].needs_active = (theirs.section.setup or "").lower() == "passive"
            self._streams[-1].meet(theirs.ufrag, theirs.pwd, list(theirs.candidates))

    # -- later descriptions --------------------------------------------------------------------------------------

    @property
    def _settled(self) -> bool:
        """Whether no offer waits for its answer, after the first exchange."""
        return self._peer is not None and bool(self._described)

    def restart(self, now: float) -> None:
        """Restart ICE: the next description is an offer with new credentials (RFC 8445 section 9)."""
        self._require_open()
        if not self._settled:
            raise AgentError("ICE restarts only when no offer waits for its answer")
        self._offers, self._peer, self._described = True, None, ""
        self._renew(self._streams, now)

    def _renew(self, streams: Sequence[Stream], now: float) -> None:
        for stream in streams:
            renewal.renew(stream, *self._credentials())
            for connection in renewal.unneeded(stream, self._connections):
                self._conclusion.end(connection, "ICE restarts")
            if "restart-closes-selected" in self.config.faults:
                for connection in stream.selected.values():
                    self._conclusion.end(connection, "ICE restarts")
        self._upkeep.restart_wanted = False
        self._gathering = False
        self._conclusion.begin(now)

    def _meet_new_offer(self, peer: PeerDescription, now: float) -> None:
        """Take an offer of later: a restart where the credentials are new (RFC 8839 section 4.4.1.1.1)."""
        pairs = renewal.matched(self._streams, peer)
        fresh = renewal.restarted(pairs)
        self._offers, self._described = False, ""
        if fresh:
            self._renew([stream for stream, _ in fresh], now)
        self._note_peer(peer)
        for stream, theirs in fresh:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates))
        for stream, theirs in pairs if self.config.lite and peer.lite and not fresh else ():
            for connection in lite.mismatched(stream, theirs.section, self.config.faults):
                self._conclusion.end(connection, "it is not that of the new offer's pair")
                self._upkeep.restart_wanted = True  # RFC 6544 section 6.1

    def _meet_new_answer(self, peer: PeerDescription, now: float) -> None:
        """Take the answer to an offer of later; to a restart it has new credentials as well (RFC 8839 4.4.2.1)."""
        for stream, theirs in renewal.matched(self._streams, peer):
            before = stream.former or stream
            new = (theirs.ufrag, theirs.pwd) != (before.remote_ufrag, before.remote_pwd)
            if new is not (stream.remote_ufrag == ""):
                raise Rejected("the answer restarts ICE for other streams than the offer does")
        self._note_peer(peer)
        waiting = [(s, theirs) for s, theirs in renewal.matched(self._streams, peer) if not s.remote_ufrag]
        for stream, theirs in waiting:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates))
        if waiting:
            self._start(now)

    def _start(self, now: float) -> None:
        self._conclusion.begin(now)
        self._checker.start(now)
        self._advance(now)

    # -- the network -------------------------------------------------------------------------------------------

    def accepted(self, number: int, local: Address, remote: Address, now: float) -> int | None:
        """Take a connection that came to a base; return its number, or None if it is to be closed at once.

        It is accepted at any time, also before the peer's description is there (RFC 6544 section 7.2).
        """
        found = self._bases.get(number)
        if found is None or self.state is State.CLOSED or self._refuses(*found, remote):
            return None
        connection = self._admit(*found, local, remote, now)
        if "listens-once" in self.config.faults:
            self._out.append(Unlisten(number))
        self._advance(now)
        return connection.number

    def _admit(
        self, stream: Stream, base: Base, local: Address, remote: Address, now: float, number: int | None = None
    ) -> Connection:
        strangers = self._connections.strangers()
        if len(strangers) >= self.config.max_strangers:
            self._conclusion.end(strangers[0], "too many connections on which nobody has authenticated")
        connection = self._connections.accept(stream.index, base, local, remote, now, number)
        self._checker.accepted(connection)
        return connection

    def datagram(self, number: int, remote: Address, octets: bytes, now: float) -> None:
        """Take a datagram that came to the UDP socket of a base; from strangers only STUN is looked at."""
        found = self._bases.get(number)
        if found is None or self.state is State.CLOSED or not octets:
            return
        self._flow(*found, remote, octets, now)

    def _relayed_datagram(self, allocation: Allocation, remote: Address, octets: bytes, now: float) -> None:
        if octets:
            self._flow(allocation.place.stream, allocation.bases[0], remote, octets, now)

    def _relay_lost(self) -> None:
        """Restart with the next description, which asks the servers anew (RFC 6544 section 11.2)."""
        self._upkeep.restart_wanted = True

    def _flow(self, stream: Stream, base: Base, remote: Address, octets: bytes, now: float) -> None:
        flow = self._connections.flow(base, remote)
        if flow is None and looks_like_stun(octets):
            flow = self._admit(stream, base, Address(base.ip, base.port), remote, now)
        if flow is not None:
            self._frame(flow, octets, now)
            self._advance(now)

    def _refuses(self, stream: Stream, base: Base, remote: Address) -> bool:
        if lite.unnamed(stream, base):
            return True
        if "active-port-believed" in self.config.faults and remote.port != DISCARD:
            return True
        if "so-connection-refused" in self.config.faults and base.tcptype == SO:
            return True
        if "broken-connection-shuts-all" in self.config.faults and self._conclusion.broke_early:
            return True
        if "second-connection-refused" in self.config.faults:
            return any(connection.base is base for connection in self._connections)
        return False

    def connected(self, number: int, local: Address, now: float) -> None:
        """Use a connection that was asked for and now stands."""
        if self._servers.owns(number):
            self._servers.connected(number, local)
        elif (connection := self._connections.find(number)) is not None:
            self._checker.connected(connection, local, now)
            self._upkeep.connected(connection, now)
        self._advance(now)

    def closed(self, number: int, why: str, now: float) -> None:
        """Do without a connection that could not be opened, or that the peer or the network ended."""
        if self._servers.owns(number):
            self._servers.closed(number, why, now)
        elif (connection := self._connections.find(number)) is not None:
            self._conclusion.ended(connection, why)
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
            self._checker.not_the_peer(connection)
        for payload in connection.inbound.feed(octets):
            if not connection.is_open:
                break
            self._frame(connection, payload, now)

    def _joined(self, link: DataLink, rest: bytes, now: float) -> None:
        """Use a connection through a relay, ours or a peer's, that now stands."""
        allocation = link.allocation
        if link.connection is not None:
            self._checker.connected(link.connection, allocation.relayed, now)
        else:
            passive = next(base for base in allocation.bases if base.listens)
            self._admit(allocation.place.stream, passive, allocation.relayed, link.peer, now, link.number)
        connection = self._connections.find(link.number)
        if rest and connection is not None:
            self._octets(connection, rest, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._advance(now)

    def next_timer(self) -> float | None:
        """Return when to call `handle_timer`; None: not before something happens."""
        if self.state is State.CLOSED:
            return None
        parts = (self._checker, self._conclusion, self._security, self._servers, self._upkeep)
        times = [part.next_time() for part in parts]
        return min((time for time in times if time is not None), default=None)

    def take(self) -> list[Output]:
        """Return commands and events since the last time, in order."""
        taken = self._out[:]
        self._out.clear()
        return taken

    # -- frames ------------------------------------------------------------------------------------------------

    def _frame(self, connection: Connection, payload: bytes, now: float) -> None:
        if not payload:  # a null frame is lawful and says nothing (RFC 4571 section 2)
            if "null-frame-closes" in self.config.faults:
                self._conclusion.end(connection, "null frame")
            return
        if looks_like_stun(payload):
            connection.spoke_stun = True
            self._checker.stun(connection, payload, now)
            if "stun-delivered-as-data" in self.config.faults:
                self._data(connection, payload)
        elif connection.outgoing and not (connection.spoke_stun or connection.is_udp):
            self._checker.not_the_peer(connection)
        elif self.config.secured:
            self._advance(now)  # the check before it in the same segment may have completed ICE
            self._security.frame(connection, payload, now)
        else:
            self._data(connection, payload)

    def _data(self, connection: Connection, payload: bytes) -> None:
        """Give data to the application once the peer has authenticated on the connection (RFC 6544 section 12)."""
        if not connection.authenticated and "unvalidated-data-delivered" not in self.config.faults:
            return
        if "media-not-delivered" in self.config.faults:
            return
        if "frame-ends-become-newlines" in self.config.faults:
            payload += b"\n"
        component = connection.component
        if "components-mixed-up" in self.config.faults:
            component = 1
        self._out.append(DataReceived(connection.stream, component, payload))

    def send(self, component: int, octets: bytes, now: float, stream: int = 0) -> None:
        """Send application data: one packet, or the next octets of a byte stream.

        Before a pair is selected the data is held. Raises `Unsupported` for what can never be sent, `AgentError` for
        what cannot be sent now.
        """
        self._require_open()
        known = 0 <= stream < len(self._streams) and 1 <= component <= self._streams[stream].plan.components
        if not known:
            raise Unsupported(f"there is no component {component} of stream {stream}")
        target = self._streams[stream]
        if target.plan.media is Media.RTP and (len(octets) > MAX_FRAME or looks_like_stun(octets)):
            raise Unsupported("a packet is at most 65535 octets and looks nothing like STUN")
        connection = target.selected.get(component)
        if connection is not None and not connection.is_open:
            self._upkeep.wanted(target, component, octets, now)
        elif connection is None or self.config.secured:
            target.hold(component, octets)
        else:
            self._transmit(target, connection, octets)
        self._advance(now)

    def _transmit(self, stream: Stream, connection: Connection, octets: bytes) -> None:
        if "media-not-sent" in self.config.faults:
            return
        if "media-without-frame" in self.config.faults:
            self._connections.write(connection, octets)
        elif stream.plan.media is Media.RTP:
            self._connections.send(connection, octets)
        else:
            for portion in cut_stream(octets, self.config.faults, self.config.variation.portion):
                self._connections.send(connection, portion)

    # -- consequences ------------------------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        if self.state is State.CLOSED:
            return
        self._servers.advance(now)
        self._note_gathered()
        self._checker.advance(now)
        completed = self._conclusion.advance(now)
        for stream in completed:
            self._upkeep.begin(stream, now)
        for stream in [*completed, *self._upkeep.advance(now)]:
            for component, connection in stream.selected.items():
                if self.config.variation.indication:
                    self._checker.indicate(connection)
                for octets in () if self.config.secured or not connection.is_open else stream.release(component):
                    self._transmit(stream, connection, octets)
        self._security.advance(self._streams, now)
        if self.state is State.COMPLETED:
            self._servers.conclude((c.base for stream in self._streams for c in stream.selected.values()), now)

    def close(self) -> None:
        """End the session: everything that is open is closed (RFC 6544 section 11.1)."""
        if self.state is not State.CLOSED:
            self._servers.close()
            self._conclusion.close()

    def _require_open(self) -> None:
        if self.state is State.CLOSED:
            raise AgentError("the session is closed")
