"""What a session has, and what follows from whatever happened to it: `Session.advance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.checker import Checker
from conformance.agent.conclusion import Conclusion
from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.connections import Connection, Connections
from conformance.agent.description import PeerDescription, Writer
from conformance.agent.events import (
    AgentError,
    Output,
    State,
    Unlisten,
    Unsupported,
)
from conformance.agent.gathering import Servers
from conformance.agent.security import Security
from conformance.agent.stream import Stream
from conformance.agent.trickle import Trickling
from conformance.agent.upkeep import Upkeep
from conformance.wire.rfc4571 import MAX_FRAME
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.candidates import Base
    from conformance.agent.decisions import Decisions


class Session:
    """The parts of one ICE session. `random(n)` gives n octets that nobody can guess."""

    def __init__(self, config: Config, random: Callable[[int], bytes], decisions: type[Decisions]) -> None:
        self.config = config
        self.decisions = decisions(config)
        self._random = random
        self._out: list[Output] = []
        self._connections = Connections(self.decisions, self._out)
        self._checker = Checker(config, self.decisions, self._connections, self._out, random)
        self._trickling = Trickling(config, self.decisions, self._connections, self._checker, self._out)
        self._conclusion = Conclusion(config, self.decisions, self._connections, self._checker, self._out)
        self._security = Security(config, self.decisions, self._connections, self._out, random)
        self._servers = Servers(config, self.decisions, self._connections, self._out, random)
        self._servers.relays.failed = lambda connection, why, _now: self._conclusion.end(connection, why)
        self._servers.on_loss = self._relay_lost
        self._connections.open_relayed = self._servers.relays.open
        self._upkeep = Upkeep(
            config, self.decisions, self._connections, self._checker, self._conclusion, self._out, random
        )
        self._streams: list[Stream] = []
        self._bases = self._conclusion.bases
        self._awaited: set[int] = set()
        self._silent: list[int] = []  # bases that do not listen, as was decided
        self._peer: PeerDescription | None = None
        self._described = ""
        self._gathering = self._noted = self._peer_trickles = False
        self._offers = config.offerer  # in the exchange that is under way, or was the last
        self._next_base = 1
        session_id = int.from_bytes(random(8), "big") >> 2
        self._writer = Writer(session_id, config, self.decisions, self._random(32) if config.secured else b"")
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

    def _note_gathered(self) -> None:
        done = self.gathered and not self._noted
        for stream in self._streams:
            late = stream.progress.ours_open and self._gathering and not self._awaited
            if late or (done and not stream.locals):
                if not stream.locals:
                    stream.gathered(self._checker.foundations)
                self._servers.add_candidates(stream, self._checker.foundations)
            if late and self._described:
                self._trickling.tell(stream, complete=done)
        if done:
            self._noted = True
            self._silent = [number for number, (stream, base) in self._bases.items() if self._is_silent(stream, base)]
            self._out += map(Unlisten, self._silent)

    def _is_silent(self, stream: Stream, base: Base) -> bool:
        if base.is_udp or not base.listens:
            return False
        return not self.decisions.listens(stream, base, answered=self._peer is not None)

    def _add_streams(self, plans: tuple[StreamPlan, ...]) -> None:
        for plan in plans:
            self._streams.append(Stream(len(self._streams), plan, self.config, self.decisions, *self._credentials()))
        self._checker.streams = self._streams

    def _credentials(self) -> tuple[str, str]:
        return self.decisions.credentials(self._random)

    # -- data --------------------------------------------------------------------------------------------------

    def send(self, component: int, octets: bytes, now: float, stream: int = 0) -> None:
        """Send application data: one packet, or the next octets of a byte stream.

        Before a pair is selected the data is held. Raises `Unsupported` for what can never be sent, `AgentError` for
        what cannot be sent now.
        """
        self._require_open()
        known = 0 <= stream < len(self._streams) and 1 <= component <= self._streams[stream].plan.components
        if not known:
            raise Unsupported(f"there is no component {component} of stream {stream}")
        target = self._streams[self.decisions.outgoing_stream(stream)]
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
        if not self.decisions.sends():
            return
        connection = self.decisions.carrier(connection, self._connections)
        if not self.decisions.frames_data():
            self._connections.write(connection, octets)
        elif stream.plan.media is Media.RTP:
            self._connections.send(connection, octets)
        else:
            rest = self.decisions.ordered(octets)
            while rest:
                portion = self.decisions.portion(rest)
                rest = rest[len(portion) :]
                self._connections.send(connection, portion)

    # -- consequences ------------------------------------------------------------------------------------------

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
                if self.decisions.says_alive():
                    self._checker.indicate(connection)
                for octets in () if self.config.secured or not connection.is_open else stream.release(component):
                    self._transmit(stream, connection, octets)
        self._security.advance(self._streams, now)
        if self.state is State.COMPLETED:
            self._servers.conclude((c.base for stream in self._streams for c in stream.selected.values()), now)

    def _relay_lost(self) -> None:
        """Restart with the next description, which asks the servers anew (RFC 6544 section 11.2)."""
        self._upkeep.restart_wanted = True

    def close(self) -> None:
        """End the session: everything that is open is closed (RFC 6544 section 11.1)."""
        if self.state is not State.CLOSED:
            self._servers.close()
            self._conclusion.close()

    def _require_open(self) -> None:
        if self.state is State.CLOSED:
            raise AgentError("the session is closed")
