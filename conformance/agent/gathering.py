"""Gathering candidates: host candidates on each address, then those of NATs and servers (RFC 6544 sections 4.1, 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import restart
from conformance.agent.candidates import Base
from conformance.agent.events import Bind, Listen, Note, Unlisten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Foundations
    from conformance.agent.config import Config
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.mappings import Mappings
    from conformance.agent.servers import Servers
    from conformance.agent.stream import Stream


class Gathering:
    """Opens the sockets of a session and finds its candidates. `bases` are those held, by number."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        servers: Servers,
        mappings: Mappings,
        bases: dict[int, tuple[Stream, Base]],
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self.begun = False
        self.begun_at = 0.0
        self._config = config
        self._decisions = decisions
        self._servers = servers
        self._mappings = mappings
        self._bases = bases
        self._streams = streams
        self._out = out
        self._noted = False  # that all candidates are known
        self._awaited: set[int] = set()
        self._silent: list[int] = []  # bases that do not listen, as was decided
        self._next_base = 1

    # -- progress ------------------------------------------------------------------------------------------

    @property
    def hosts_known(self) -> bool:
        """Whether it is known where we listen."""
        return self.begun and not self._awaited

    @property
    def complete(self) -> bool:
        """Whether all candidates are known."""
        return self.hosts_known and not (self._servers.busy or self._mappings.busy)

    def begin(self, now: float, *, trickles: bool) -> None:
        """Ask for the sockets of streams that have none yet; `trickles`: candidates may be told one after the other."""
        self.begun, self.begun_at, self._noted = True, now, False
        for stream in [stream for stream in self._streams if not (stream.bases or stream.ended)]:
            stream.progress.ours_open = trickles
            for base in self._plan(stream):
                self._open(stream, base)
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
        """Go on to gateways and servers once it is known where we listen."""
        if self.hosts_known:
            streams = [stream for stream in self._streams if not (stream.locals or stream.ended)]
            self._mappings.begin(streams, self._number, now)
            self._servers.begin(streams, now)

    # -- bases ---------------------------------------------------------------------------------------------

    def _plan(self, stream: Stream) -> list[Base]:
        """Decide where host candidates start: each component, address and tcptype (RFC 6544 sections 4.1, 5.1)."""
        directions = self._decisions.directions(stream.plan.media, self._decisions.tcptypes(stream.needs_active))
        mixed = "" in directions and len(directions) > 1
        for component in range(1, self._decisions.components(stream.plan) + 1):
            for rank, ip in enumerate(self._decisions.addresses()):
                for tcptype in directions:
                    lowered = self._decisions.lowered(tcptype, mixed)
                    base = Base(self._number(), component, ip, tcptype, rank, lowered=lowered)
                    restart.settle(stream, base)
                    stream.bases.append(base)
            for rank, ip in enumerate(self._config.addresses * self._decisions.more_listeners()):
                if "passive" in self._config.tcptypes:
                    base = Base(self._number(), component, ip, "passive", len(self._config.addresses) + rank)
                    stream.bases.append(base)
        return stream.bases

    def _number(self) -> int:
        self._next_base += 1
        return self._next_base - 1

    def _open(self, stream: Stream, base: Base) -> None:
        """Ask for the socket of a base, unless a restart goes on with one that is there."""
        base.number = restart.listener((held for _, held in self._bases.values()), base)
        is_there = base.number in self._bases
        self._bases[base.number] = (stream, base)
        if is_there or not base.listens:
            return
        self._awaited.add(base.number)
        self._out.append(Bind(base.number, base.ip) if base.is_udp else self._listen(base))

    def _listen(self, base: Base) -> Listen:
        return Listen(base.number, base.ip, base.port, shared=self._decisions.shares_ports())

    # -- candidates ----------------------------------------------------------------------------------------

    def note(self, foundations: Foundations, *, answered: bool) -> list[tuple[Stream, bool]]:
        """Make candidates of what is known by now; return the streams that may trickle some, and whether all are known.

        `answered`: the peer's description is there.
        """
        done = self.complete and not self._noted
        late = []
        for stream in self._streams:
            trickles = stream.progress.ours_open and self.hosts_known
            if not stream.ended and (trickles or (done and not stream.locals)):
                if not stream.locals:
                    stream.locals = self._decisions.host_candidates(self._usable(stream), foundations)
                self._mappings.add_candidates(stream, foundations)
                self._servers.add_candidates(stream, foundations)
            if trickles:
                late.append((stream, done))
        if done:
            self._noted = True
            self._silent = [n for n, (stream, base) in self._bases.items() if self._is_silent(stream, base, answered)]
            self._out += map(Unlisten, self._silent)
        return late

    def _usable(self, stream: Stream) -> list[Base]:
        bases, alone = stream.bases, self._decisions.does_without_mapping
        return [base for base in bases if not self._mappings.lacks(base) or alone()]

    def _is_silent(self, stream: Stream, base: Base, answered: bool) -> bool:
        return base.listens and not base.is_udp and not self._decisions.listens(stream, base, answered)

    def listen_late(self) -> None:
        """Listen on the bases whose time has come only with the answer: on none, of a lawful agent."""
        for stream, base in [self._bases[number] for number in self._silent if number in self._bases]:
            if self._decisions.listens(stream, base, answered=True):
                self._out.append(self._listen(base))
