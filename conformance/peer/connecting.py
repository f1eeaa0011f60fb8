"""The lower tester's connections: those it opens, those it accepts, and what is expected of either."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING

from conformance.peer import attempts, silence
from conformance.peer.addresses import family_of, require_address
from conformance.peer.datagram import DatagramSocket
from conformance.peer.events import Expectation, Frame, as_expectation
from conformance.peer.gateway import NAT_PMP, PCP, Gateway
from conformance.peer.identity import Identity
from conformance.peer.listener import Listener
from conformance.peer.recorded import Packet
from conformance.peer.servers import Server
from conformance.peer.shape import USUAL
from conformance.peer.sockets import KernelSockets
from conformance.peer.traffic import unanswered_syn
from conformance.verdict import Failed, Inconclusive, Missing, NotApplicable
from conformance.wire.addresses import flaw
from conformance.wire.attributes import Address, Attribute
from conformance.wire.layers import RFC4571

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Container, Iterable, Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.identity import Credentials
    from conformance.peer.pixit import Pixit
    from conformance.peer.pump import Pump
    from conformance.peer.segments.pipe import Doorway, Pipe
    from conformance.peer.traffic import Tap
    from conformance.wire.candidate import Candidate


CONNECTION = "a connection of the IUT"  # what a case may find missing
_READING = 1.0  # seconds that an IUT may take to read before it is watched

_PORT_WITHIN = 60.0  # seconds to wait for a port that another case has; no case keeps one for longer
_PORT_AGAIN = 0.05


class Connecting(Identity):
    """A peer that opens and accepts connections, and answers the checks on them. `address` is this case's own."""

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
        super().__init__(rng)
        self.address = address
        self.sockets = sockets or KernelSockets()
        self._addresses = {family_of(address): address}
        self._second_address = second_address
        self.pixit = pixit
        self.shape = USUAL  # how the case is carried out
        self.readings: list[str] = []  # which reading of an ambiguous sentence the IUT follows
        self.answering = True  # off: the script answers the IUT's checks itself
        self._answered: Connection | None = None  # the only connection on which they are answered, if there is one
        self.connections: list[Connection] = []
        self._aside: list[Connection] = []
        self.listeners: list[Listener] = []
        self.before_answer: Callable[[Connection, Frame], None] = lambda _connection, _frame: None
        self._arrivals: list[tuple[Connection, Listener]] = []
        self._held: list[tuple[Connection, Frame]] = []
        self.keeps_its_role = False  # the IUT's last valid check claims our role, after it had to take the other
        self.nominated_against_us = False  # the IUT has nominated as the controlling agent, which we were at that time
        self.conflicts = 0  # checks of the IUT's that claimed the role that is ours
        self._servers: list[Server] = []
        self._gateways: list[Gateway] = []
        self._silent: list[silence.SilentPort | Doorway] = []
        self.datagram_sockets: list[DatagramSocket] = []
        self._pump = pump
        self._tap = tap
        self.recorded: Callable[[], list[Packet]] = list  # what was recorded of this case so far
        pump.before_watching = self.let_read
        self.met_at = 0.0  # when the IUT's description was there, in `time.monotonic` seconds

    def meet(self, iut: Credentials, came_at: float = 0.0) -> None:
        """Take the IUT's credentials, which came at that time: from now on its checks must carry them."""
        super().meet(iut)
        self.met_at = came_at or time.monotonic()

    def witness(self) -> list[bytes]:
        """Return what was recorded of this case so far, as IP packets."""
        return [packet.octets for packet in self.recorded()]

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
            listener = self._listener(component, port, address or self.address)
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

    def _listener(self, component: int, port: int, address: str) -> Listener:
        """Open a listening socket; where other cases have the same address, wait until they leave its port free."""
        end = self._pump.deadline(_PORT_WITHIN if port and silence.is_shared(address) else 0.0)
        while True:
            try:
                return Listener(self, component, port, address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or not self._pump.left(end):
                    raise
                self._pump.pause(_PORT_AGAIN)

    def connect(self, candidate: Candidate, *, source: Listener | None = None) -> Connection:
        """Connect to a candidate of the IUT, from an S-O base of ours if one is given.

        Preamble, so a refusal is inconclusive. An S-O candidate may lawfully refuse, so then the case is n/a.
        """
        if candidate.tcptype == "so":
            return self.connect_if_possible(candidate, source=source)
        try:
            return self._connect(candidate, source)
        except OSError as error:
            raise Inconclusive(f"no connection to the IUT's candidate at {candidate.endpoint}: {error}") from None

    def expect_accept(self, candidate: Candidate, *, source: Listener | None = None) -> Connection:
        """Connect to a candidate of the IUT that must accept (RFC 6544 section 7.2)."""
        try:
            return self._connect(candidate, source)
        except OSError as error:
            raise Failed(
                f"the IUT did not accept a connection to {candidate.endpoint}",
                expected="the IUT accepts the connection",
                actual=str(error),
            ) from None

    def expect_all_accepted(self, candidates: Iterable[Candidate]) -> list[Connection]:
        """Connect to every one of these candidates, all of which must accept.

        Those to which nobody here can send are passed over; if there is no other, that is inconclusive.
        """
        every = list(candidates)
        sendable = [candidate for candidate in every if not flaw(candidate.address, candidate.port)]
        return [self.expect_accept(candidate) for candidate in sendable or every]

    def connect_if_possible(self, candidate: Candidate, *, source: Listener | None = None) -> Connection:
        """Connect to a candidate at which the IUT may lawfully refuse: n/a then."""
        try:
            return self._connect(candidate, source)
        except OSError as error:
            raise NotApplicable(f"the IUT does not accept connections at {candidate.endpoint}: {error}") from None

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

    def most_outstanding(self, *, calm: float) -> int:
        """Watch how many connection attempts to us are outstanding at once; see `attempts.most_outstanding`."""
        if self.iut_is_elsewhere:
            raise NotApplicable("the IUT is on another machine: its attempts at silent ports cannot be counted here")
        return attempts.most_outstanding(self._pump, self.address, within=self.pixit.connect, calm=calm)

    def let_read(self) -> None:
        """Give the IUT the time to read what we have sent; where the kernel does not tell, nothing is waited for."""
        end = self._pump.deadline(_READING)
        for connection in self.connections:
            connection.let_read(within=self._pump.left(end))

    def forget_arrivals(self) -> None:
        """Let only what connects after this be expected, or not expected, as a connection."""
        self._arrivals.clear()

    def set_aside(self, connection: Connection) -> None:
        """Leave a connection out of what is asked of all from now on; it stays open until the end."""
        self.connections.remove(connection)
        self._aside.append(connection)

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

    def expect_connection(self, listener: Listener | None = None, *, within: float | None = None) -> Connection:
        """Wait for a connection of the IUT to one of our passive candidates (or to this listener).

        Each connection is returned once. Raises `Failed` when none comes in time (default: `pixit.connect`).
        """
        seconds = self.pixit.connect if within is None else within

        def arrived() -> int | None:
            return next((n for n, (_, at) in enumerate(self._arrivals) if listener in (None, at)), None)

        if not self._pump.wait(lambda: arrived() is not None, seconds):
            self._look_for_connections(listener)
            raise Missing(
                "the IUT did not connect",
                expected="the IUT connects to our passive candidate",
                actual=f"no connection within {seconds:g} s",
                wanted=CONNECTION,
            )
        index = arrived()
        assert index is not None
        return self._arrivals.pop(index)[0]

    def _look_for_connections(self, listener: Listener | None) -> None:
        """Raise `Inconclusive` where a SYN stands in the recording that our kernel has not seen: it did not answer."""
        bases = {Address(at.address, at.port) for at in self.listeners if listener in (None, at)}
        lost = unanswered_syn(self.witness(), bases)
        if lost is not None and not self.sockets.own_tcp:
            raise Inconclusive(
                f"a SYN of the IUT is in the recording but did not reach us ({lost}): it leaves by another interface "
                "than the one that leads to us"
            )

    def await_connection(self, listener: Listener | None = None) -> Connection:
        """Wait for a connection of the IUT as a preamble: inconclusive if none comes."""
        try:
            return self.expect_connection(listener)
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def expect_no_connection(
        self,
        listener: Listener | None = None,
        *,
        beside: Connection | None = None,
        but_from: Container[Address] = (),
        within: float | None = None,
    ) -> None:
        """Watch that the IUT opens no (further) connection to us.

        `beside`: none of the pair of that one. An IUT with several candidates has a pair, and a connection, for each of
        them: they differ in the address, or in the PRIORITY of the checks where unbound sockets share one address.
        `but_from`: from there it may.
        """
        end = self._pump.deadline(self.pixit.silence if within is None else within)

        def is_of_another_pair(connection: Connection) -> bool:
            if beside is None:
                return False
            priorities = {beside.first_priority, connection.first_priority}
            return connection.remote_address.ip != beside.remote_address.ip or len(priorities - {None}) > 1

        def is_unwanted(connection: Connection) -> bool:
            return not is_of_another_pair(connection) and connection.remote_address not in but_from

        def unwanted() -> list[Connection]:
            return [
                connection for connection, at in self._arrivals if listener in (None, at) and is_unwanted(connection)
            ]

        while self._pump.watch(lambda: bool(unwanted()), self._pump.left(end)):
            if beside is not None:  # its first check tells of which pair it is
                self._pump.wait(lambda: all(one.first_priority is not None for one in unwanted()), self.pixit.response)
            if unwanted():
                raise Failed(
                    "the IUT opened a connection that it must not open",
                    expected="no further connection from the IUT",
                    actual=f"it connected: {unwanted()[0]}",
                )

    def adopt(
        self,
        sock: socket.socket | Pipe,
        *,
        outgoing: bool,
        component: int,
        listener: Listener | None = None,
        remote: Address | None = None,
    ) -> Connection:
        """Make a connection of a connected socket."""
        kind = self.sockets.connection
        connection = kind(sock, self._pump, self._tap, outgoing=outgoing, component=component, remote=remote)
        connection.divide = self._divide
        self.take_over(connection, listener)
        return connection

    def take_over(self, connection: Connection, listener: Listener | None = None) -> None:
        """Let a connection carry checks from now on; `listener`: where the IUT connected to."""
        connection.on_request = self._on_request
        self.connections.append(connection)
        if listener is not None:
            self._arrivals.append((connection, listener))

    def stun_server(self, *, mapped: str | None = None, nat: Gateway | None = None) -> Server:
        """Be a STUN server as well; `mapped`: say that requests come from this IP address, as behind a NAT.

        `nat`: behind this one, which may have been asked for mappings.
        """
        return self._serve(relays=False, mapped=mapped, nat=nat)

    @property
    def servers(self) -> Sequence[Server]:
        """The STUN and TURN servers that we are."""
        return self._servers

    def turn_server(self, *, mapped: str | None = None) -> Server:
        """Be a TURN server for TCP allocations as well."""
        return self._serve(relays=True, mapped=mapped)

    def gateway(self, *, speaks: Collection[str] = (PCP, NAT_PMP)) -> Gateway:
        """Be the NAT gateway of the IUT as well, which makes mappings by these protocols."""
        gateway = Gateway(self, self._pump, self._tap, speaks=speaks)
        self._gateways.append(gateway)
        return gateway

    def _serve(self, *, relays: bool, mapped: str | None, nat: Gateway | None = None) -> Server:
        server = Server(self, self._pump, self._tap, self._rng, relays=relays, mapped=mapped)
        server.nat = nat
        self._servers.append(server)
        return server

    def _divide(self, octets: bytes) -> tuple[bytes, Sequence[int], float]:
        return self.shape.divide(octets, self.pixit.drip, self._rng)

    def expect(self, wanted: Expectation | type[Expectation], *, within: float) -> tuple[Connection, Frame]:
        """Wait until any connection brings this; return the connection and the frame."""
        expectation = as_expectation(wanted)

        def where() -> Connection | None:
            return next((connection for connection in self.connections if connection.has(expectation)), None)

        if not self._pump.wait(lambda: where() is not None, within):
            count = len(self.connections)
            raise Missing(
                f"{expectation.text} did not come on any connection",
                expected=expectation.text,
                actual=f"not within {within:g} s on any of {count} connections",
                wanted=expectation,
            )
        connection = where()
        assert connection is not None
        return connection, connection.expect(expectation, within=0)

    def checks(self) -> list[Frame]:
        """Return the requests of the IUT so far, on whichever connection."""
        frames = (event for connection in self.connections for event in connection.events if isinstance(event, Frame))
        return [frame for frame in frames if frame.message is not None and frame.message.is_request]

    def wait_until(self, condition: Callable[[], bool], within: float) -> bool:
        """Serve everything until something holds or the time is over; return whether it holds."""
        return self._pump.poll(condition, within)

    def watch(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether what should not happen happened within so many seconds, in which the IUT has had its turn."""
        return self._pump.watch(condition, within)

    def wait(self, seconds: float) -> None:
        """Let time pass while everything is served, and on a busy machine more of it, until the IUT has had its turn.

        So what has not come by then was not held up by the machine.
        """
        self._pump.watch(lambda: False, seconds)

    def _on_request(self, connection: Connection, request: Frame) -> None:
        if self.controlling and self.shape.roles != "switched" and request.stun.use_candidate:
            self.nominated_against_us |= request.stun.has(Attribute.ICE_CONTROLLING)
        self.before_answer(connection, request)
        if self.answering and self._answered in (None, connection):
            self._answer(connection, request)
        else:
            self._held.append((connection, request))

    def answer_only_on(self, connection: Connection) -> None:
        """Answer checks on this connection alone from now on: the other pairs of an IUT with several addresses wait."""
        self.answering, self._answered = True, connection

    def answer_held(self, on: Connection | None = None) -> None:
        """Answer what came while `answering` was False, and from now on everything; `on` one connection alone."""
        self.answering, self._answered = True, on
        ready = [each for each in self._held if on in (None, each[0])]
        self._held = [each for each in self._held if each not in ready]
        for connection, request in ready:
            self._answer(connection, request)

    def _answer(self, connection: Connection, request: Frame) -> None:
        if not self.is_valid(request):
            if not connection.checked:  # what comes later and looks like a check may be data
                connection.refused = "its USERNAME or MESSAGE-INTEGRITY is not right"
            connection.send_between(RFC4571() / self.error(request, 401, "Unauthenticated"))
            return
        in_conflict = self._in_conflict(request)
        told = self.conflicts > 0 or any(each.had_success for each in self.connections)
        self.keeps_its_role = in_conflict and told  # whichever the connection: the role is the agent's
        if self.shape.roles == "switched" and in_conflict and self._decides_roles():
            self.conflicts += 1
            connection.send_between(RFC4571() / self.error(request, 487, "Role Conflict"))
            return
        connection.send_between(RFC4571() / self.success(connection, request))
        connection.checked = True
        if request.stun.use_candidate and not self.controlling:
            connection.selected = True

    def alike(self, connection: Connection) -> list[Connection]:
        """Return the connections in use that lead to where this one does, itself first.

        Some stacks open several for one pair and go on with any of them.
        """
        others = (one for one in self.connections if one.local_address == connection.local_address)
        return [one for one in dict.fromkeys((connection, *others)) if one.in_use]

    def _decides_roles(self) -> bool:
        """Whether the IUT's checks decide the roles: it has checked first. Else our first check does."""
        return self.conflicts > 0 or not any(connection.has_asked for connection in self.connections)

    def _in_conflict(self, request: Frame) -> bool:
        """Whether a check of the IUT's claims the role that is ours."""
        return request.stun.has(Attribute.ICE_CONTROLLING if self.controlling else Attribute.ICE_CONTROLLED)

    def close(self) -> None:
        """Close every connection and listening socket."""
        for connection in (*self.connections, *self._aside):
            connection.close()
        for listener in self.listeners:
            self._pump.remove(listener)
            listener.socket.close()
        for server in self._servers:
            server.close()
        for gateway in self._gateways:
            gateway.close()
        for silent in self._silent:
            silent.close()
        for udp in self.datagram_sockets:
            udp.close()
        self.sockets.close()

    def _connect(self, candidate: Candidate, source: Listener | None = None) -> Connection:
        require_address(candidate)
        family = family_of(candidate.address)
        own = self.address if family == family_of(self.address) else self.other_address
        port = 0 if source is None else source.port
        sock = self.sockets.connect(own, (candidate.address, candidate.port), self.pixit.response, port)
        remote = Address(candidate.address, candidate.port)
        return self.adopt(sock, outgoing=True, component=candidate.component, remote=remote)
