"""One TCP connection to the IUT, spoken in RFC 4571 frames over a kernel socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.peer.events import Data, End, Event, Expectation, Frame, as_expectation
from conformance.peer.kernel_tables import unread
from conformance.verdict import Failed, Inconclusive, Missing
from conformance.wire.attributes import Address
from conformance.wire.errors import FramingError, StunError
from conformance.wire.rfc4571 import Deframer
from conformance.wire.stun import MAGIC_COOKIE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scapy.packet import Packet

    from conformance.peer.identity import Credentials
    from conformance.peer.pump import Pump
    from conformance.peer.segments.pipe import Pipe
    from conformance.peer.traffic import Splitter, Tap

_CHUNK = 65536
_APART = 8  # parts that the IUT has surely read one by one; of many the rest go as they come
_LOOK, _LONGEST_LOOK = 0.002, 0.016  # seconds between two looks at the kernel's table, each twice the one before
_MOMENT = 0.5  # seconds that an answer's first part, or all parts, may take to be read
_WHOLE = 2  # bounds of what is not cut
_STALL = 5.0  # seconds without taking a single octet after which the IUT counts as not reading
_DATA = Data()
OPEN = "a selected connection that stays open"  # what a case may find missing
_COOKIE = struct.pack("!I", MAGIC_COOKIE)
_HEADER = 20


class Connection:
    """A connection with the IUT: send octets exactly as scripted, expect what comes.

    ``outgoing`` tells who opened it: True, we did; ``remote`` is the other end, needed if the IUT may have reset it
    already. ``selected`` is set once a check with USE-CANDIDATE has succeeded on it, whichever side sent it.
    """

    def __init__(
        self,
        sock: socket.socket | Pipe,
        pump: Pump,
        tap: Tap,
        *,
        outgoing: bool,
        component: int,
        splitter: Splitter | None = None,
        remote: Address | None = None,
    ) -> None:
        self.socket: socket.socket | Pipe = sock
        self.outgoing = outgoing
        self.component = component
        self.look = pump.looks  # in which look at all sockets the tester had it
        self.opened_at = time.monotonic()  # when the tester had it; the kernel had it at that time or before
        self.selected = False
        self.iut: Credentials | None = None  # those of its stream, where ICE was completed on it
        self.checked = False  # the IUT's own check on this connection was answered with success
        self.refused = ""  # why a check of the IUT's here was refused, if one was
        self.events: list[Event] = []
        self.octets = bytearray()  # all that has come, as it came
        self.divide: Callable[[bytes], tuple[bytes, Sequence[int], float]] = lambda octets: (octets, (), 0.0)
        self.on_request: Callable[[Connection, Frame], None] = lambda _connection, _frame: None
        self.on_indication: Callable[[Connection, Frame], None] = lambda _connection, _frame: None
        self._pump = pump
        self._tap = tap
        self._taken: set[int] = set()
        self._asked: dict[bytes, bytes] = {}  # our requests, by their transaction ids
        self._asked_last: set[bytes] = set()  # those of the last send() that had a request in it
        self._deframer: Splitter = splitter or Deframer()
        self._frames = 0
        self._open = True
        self._iut_ended = False
        self._sent_something = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local_address = _address(sock.getsockname())
        self.remote_address = _peer_of(sock, remote)
        self.seen_from = self.remote_address  # where the IUT is to us: of a relayed connection, the relayed address
        tap.opened(self.local_address, self.remote_address, outgoing, time.time_ns())
        pump.add(self)

    def __str__(self) -> str:
        arrow = "->" if self.outgoing else "<-"
        return f"{self.local_address} {arrow} {self.remote_address}"

    def __repr__(self) -> str:  # as a failed assertion shows it
        return f"<{self}>"

    @property
    def _key(self) -> tuple[Address, Address]:
        return self.local_address, self.remote_address

    # -- what the script does ------------------------------------------------------------------------------------

    def send(self, data: bytes | Packet, *, cut: Sequence[int] = (), pause: float = 0.0) -> None:
        """Send octets; `cut` are the offsets at which they are divided into writes of their own.

        Where the script does not cut, the shape of the case may (`divide` returns octets, cuts and pause). With `pause`
        (seconds) the IUT gets that long, and until it has read each part, before the next is sent; without it, it gets
        until it has read the first part. Else a busy IUT would read all parts as one. It also gets the time to read the
        last one before anything is sent on another connection: two that it reads by halves in turn are a provocation of
        their own. The octets go out as given:
        `frame()` is the script's. Sending on a connection that the IUT has closed is not an error here; the expectation
        that follows reports it.
        """
        octets = bytes(data)
        if not cut:
            octets, cut, pause = self.divide(octets)
        self._remember_requests(octets)
        bounds = [0, *sorted(position % len(octets) for position in cut), len(octets)] if octets else []
        with self._pump.sending():
            for number, (begin, end) in enumerate(pairwise(bounds)):
                if number and pause:
                    self._pump.pause(pause)
                    if number <= _APART:
                        self.await_read(within=_STALL)
                elif number == 1:
                    self.let_read(within=_STALL)
                if end > begin and not self._write(octets[begin:end]):
                    return
            if len(bounds) > _WHOLE:
                self.let_read(within=_MOMENT)

    def await_read(self, *, within: float) -> None:
        """Wait until the IUT has read all that was sent (preamble). Where the kernel cannot tell, wait no longer."""
        if not self.let_read(within=within):
            raise Inconclusive(f"the IUT did not read on {self} what was sent by itself within {within:g} s")

    def let_read(self, *, within: float) -> bool:
        """Give the IUT the time to read all that was sent; return whether it has, so far as the kernel tells."""
        if not (self._sent_something and self._open and self.is_open):
            return True
        end = self._pump.deadline(within)
        look = _LOOK
        while unread(self.remote_address, self.local_address):
            if self._pump.left(end) <= 0:
                return False
            self._pump.poll(lambda: not self.is_open, look)
            look = min(2 * look, _LONGEST_LOOK)
        return True

    def send_between(self, data: bytes | Packet) -> None:
        """Send whole frames that the script did not ask for: never in the middle of what it is sending."""
        octets = bytes(data)
        self._pump.between(lambda: self._send_at_once(octets))

    def _send_at_once(self, octets: bytes) -> None:
        octets, cuts, _ = self.divide(octets)
        bounds = [0, *cuts, len(octets)]
        with self._pump.sending():
            for number, (begin, end) in enumerate(pairwise(bounds)):
                if number == 1:
                    self._stand_until_read()
                self._write(octets[begin:end])
            if len(bounds) > _WHOLE:
                self._stand_until_read()

    def _stand_until_read(self) -> None:
        """Give the IUT the time to read the first part of an answer by itself, as a part that the script sends.

        Answers are sent while what came is looked at. Nothing else is served meanwhile, so that it stays in its order.
        """
        end, look = time.monotonic() + _MOMENT, _LOOK
        while unread(self.remote_address, self.local_address) and time.monotonic() < end:
            time.sleep(look)
            look = min(2 * look, _LONGEST_LOOK)

    def expect(self, wanted: Expectation | type[Expectation], *, within: float) -> Frame:
        """Wait for an event and return its frame; each event fulfils one expectation only.

        A response fulfils an expectation that names no request only if it is to one of those sent last: what answers an
        earlier question answers no later one. Raises `Failed` when something rules it out or `within` seconds pass.
        """
        event = self._expect(as_expectation(wanted), within)
        assert isinstance(event, Frame), "use expect_end() for the end of a connection"
        return event

    def expect_data(self, octets: bytes, *, within: float) -> list[Frame]:
        """Wait until the data frames, in order, have brought exactly these octets; return those frames.

        A byte stream may be divided among frames as the IUT likes (RFC 6544 section 10.1).
        """

        def frames() -> list[Frame]:
            new = (event for event in self.events if id(event) not in self._taken)
            return [event for event in new if isinstance(event, Frame) and _DATA.fulfilled_by(event)]

        def got() -> bytes:
            return b"".join(frame.octets for frame in frames())

        def settled() -> bool:
            return len(got()) >= len(octets) or not octets.startswith(got()) or not self.is_open

        self._pump.wait(settled, within)
        if got() != octets:
            raise Missing(
                f"the data did not come as sent on {self}",
                expected=f"frames with the {len(octets)} octets that the application sent",
                actual=f"{len(frames())} frames with {len(got())} octets within {within:g} s: {got()[:24]!r}",
                wanted=_DATA,
                on=self,
            )
        taken = frames()
        self._taken.update(map(id, taken))
        return taken

    def pass_over(self, *, transaction_id: bytes) -> None:
        """Let what has come of a transaction fulfil no expectation."""
        self._taken.update(map(id, self.messages(transaction_id=transaction_id)))

    def pass_over_all(self) -> None:
        """Let what has come so far fulfil no expectation: none of it can be the answer to what is sent now."""
        self._taken.update(map(id, self.events))

    def begin_anew(self, *, selected: bool = False) -> None:
        """Let what has come so far fulfil no expectation of later, as when ICE restarts on the connection.

        `selected`: it is still the selected connection.
        """
        self.pass_over_all()
        if not selected:
            self.selected = self.checked = False

    @property
    def asked(self) -> frozenset[bytes]:
        """The transaction ids of our requests."""
        return frozenset(self._asked)

    def has(self, wanted: Expectation) -> bool:
        """Whether an event that no expectation has taken yet fulfils this one."""
        return self._find(wanted) is not None

    def expect_end(self, *, within: float) -> End:
        """Wait for the IUT to end the connection (FIN or RST)."""
        if not self._pump.wait(lambda: not self.is_open, within):
            raise Failed(
                f"connection {self} is still open",
                expected="the IUT closes the connection",
                actual=f"it is still open after {within:g} s",
            )
        return next(event for event in self.events if isinstance(event, End))

    def await_frame(self, wanted: Expectation | type[Expectation], *, within: float) -> Frame:
        """Wait for a frame as a preamble: inconclusive if it does not come."""
        try:
            return self.expect(wanted, within=within)
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def wait_for_end(self, *, within: float) -> bool:
        """Give the IUT the time to end the connection; return whether it has."""
        return self._pump.wait(lambda: not self.is_open, within)

    def wait_for(self, wanted: Expectation | type[Expectation], *, within: float) -> bool:
        """Give something the time to come, without taking it and without demanding it."""
        expectation = as_expectation(wanted)
        return self._pump.wait(lambda: self.has(expectation), within)

    def messages(self, *, transaction_id: bytes) -> list[Frame]:
        """Return the messages of a transaction that have come so far."""
        return [
            event
            for event in self.events
            if isinstance(event, Frame) and event.message is not None and event.message.transaction_id == transaction_id
        ]

    def expect_open(self, *, within: float) -> None:
        """Watch for `within` seconds that the IUT does not end the connection."""
        if self._pump.watch(lambda: not self.is_open, within):
            end = self.events[-1]
            raise Failed(f"{self}: {end}", expected="the connection stays open", actual=str(end), wanted=OPEN, on=self)

    def expect_nothing(self, of: Expectation | type[Expectation], *, within: float) -> None:
        """Watch for `within` seconds that nothing of this kind comes; the connection may end meanwhile."""
        unwanted = as_expectation(of)
        if self._pump.watch(lambda: self._next(unwanted.fulfilled_by) is not None, within):
            event = self._next(unwanted.fulfilled_by)
            raise Failed(f"{event} came on {self}", expected=f"no {_bare(unwanted.text)}", actual=f"{event} came")

    @property
    def in_conflict(self) -> bool:
        """Whether the IUT has refused a check of ours with 487 (Role Conflict)."""
        responses = (event for event in self.events if isinstance(event, Frame) and event.solicited)
        return any(event.has_code(487) for event in responses)

    @property
    def denied(self) -> list[bytes]:
        """Our checks that the IUT has answered with 401 (Unauthenticated)."""
        frames = (event for event in self.events if isinstance(event, Frame) and event.solicited)
        return [self._asked[frame.stun.transaction_id] for frame in frames if frame.has_code(401)]

    @property
    def had_success(self) -> bool:
        """Whether the IUT has answered a check of ours with success."""
        frames = (event for event in self.events if isinstance(event, Frame) and event.solicited)
        return any(frame.stun.is_success for frame in frames)

    @property
    def first_had_success(self) -> bool | None:
        """Whether the IUT has answered our first request with success; None: we have sent none."""
        first = next(iter(self._asked), None)
        return None if first is None else any(frame.stun.is_success for frame in self.messages(transaction_id=first))

    def lasts_longer_than(self, seconds: float) -> bool:
        """Whether the IUT has not ended the connection, or has after so many seconds."""
        end = self.events[-1] if self.events else None
        return not isinstance(end, End) or end.time - self.opened_at > seconds

    @property
    def first_priority(self) -> int | None:
        """PRIORITY of the first request that came; None if there was none, or it cannot be read."""
        requests = (event.message for event in self.events if isinstance(event, Frame) and event.message is not None)
        first = next((message for message in requests if message.is_request), None)
        with contextlib.suppress(StunError):
            return None if first is None else first.priority
        return None

    @property
    def is_open(self) -> bool:
        """Whether the IUT has ended the connection neither by FIN nor by RST."""
        return not self._iut_ended

    @property
    def has_asked(self) -> bool:
        """Whether we have sent a request on the connection."""
        return bool(self._asked)

    @property
    def in_use(self) -> bool:
        """Whether neither side has ended the connection."""
        return self._open and self.is_open

    def close(self, *, reset: bool = False) -> None:
        """End the connection from our side, by FIN or by RST. Closing twice is harmless."""
        if not self._open:
            return
        self._open = False
        self._pump.remove(self)
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self._tap.closed(self._key, False, reset, time.time_ns())

    def half_close(self) -> None:
        """Send FIN but go on reading."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            self._tap.closed(self._key, False, False, time.time_ns())

    # -- what the pump does --------------------------------------------------------------------------------------

    def on_readable(self) -> None:
        """Take in what has arrived, decode it and let the automatic answers happen."""
        try:
            octets = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._ended(reset=True)
            return
        if not octets:
            self._ended(reset=False)
            return
        self._tap.received(self._key, octets, time.time_ns())
        self.octets += octets
        for payload in self._deframer.feed(octets):
            self._took_in(payload)

    def speak_frames(self, already: bytes) -> None:
        """Take what comes from now on for frames, beginning with octets that are here (RFC 6062 section 4.3)."""
        self._deframer = Deframer()
        self._frames = 0
        self.octets = bytearray(already)
        for payload in self._deframer.feed(already):
            self._took_in(payload)

    def _took_in(self, payload: bytes) -> None:
        self._frames += bool(payload)
        frame = Frame.of(payload, self._frames, time.monotonic())
        frame.look, frame.way = self._pump.looks, (self.remote_address, self.local_address)
        message = frame.message
        if message is not None and (message.is_success or message.is_error):
            frame.solicited = message.transaction_id in self._asked
        self.events.append(frame)
        if message is not None and message.is_request:
            self.on_request(self, frame)
        elif message is not None and message.is_indication:
            self.on_indication(self, frame)

    def _ended(self, *, reset: bool) -> None:
        self._pump.remove(self)
        self._tap.closed(self._key, True, reset, time.time_ns())
        with contextlib.suppress(FramingError):  # the script's expectation says what is missing
            self._deframer.finish()
        self.events.append(End(reset, time.monotonic()))
        self._iut_ended = True

    # -- inner works ---------------------------------------------------------------------------------------------

    def _expect(self, wanted: Expectation, within: float) -> Event:
        def settled() -> bool:
            return self._find(wanted) is not None or self._ruled_out(wanted) is not None

        self._pump.wait(settled, within)
        event = self._take(wanted)
        if event is not None:
            return event
        against = self._ruled_out(wanted)
        actual = str(against) if against is not None else self._instead(within)
        text = f"{wanted.text} did not come on {self}: {actual}"
        raise Missing(text, expected=wanted.text, actual=actual, wanted=wanted, on=self)

    def _instead(self, within: float) -> str:
        others = [str(event) for event in self.events if id(event) not in self._taken]
        pending = self._deframer.pending
        tail = f", then {pending} octets of an unfinished frame" if pending else ""
        if not others:
            return f"nothing within {within:g} s{tail}"
        return f"not within {within:g} s; what came: " + ", ".join(others[-3:]) + tail

    def _find(self, wanted: Expectation) -> Event | None:
        return self._next(lambda event: wanted.fulfilled_by(event) and self._concerns(wanted, event))

    def _ruled_out(self, wanted: Expectation) -> Event | None:
        return self._next(lambda event: wanted.ruled_out_by(event) and self._concerns(wanted, event))

    def _next(self, suits: Callable[[Event], bool]) -> Event | None:
        return next((event for event in self.events if id(event) not in self._taken and suits(event)), None)

    def _concerns(self, wanted: Expectation, event: Event) -> bool:
        """Whether an event has to do with what is expected: no response to an earlier request, where none is named."""
        if not (wanted.to_latest and isinstance(event, Frame) and event.solicited):
            return True
        return event.stun.transaction_id in self._asked_last

    def _take(self, wanted: Expectation) -> Event | None:
        event = self._find(wanted)
        if event is not None:
            self._taken.add(id(event))
        return event

    def _remember_requests(self, octets: bytes) -> None:
        """Note the transaction ids of requests in what we send, wherever their frames begin."""
        found = {}
        position = octets.find(_COOKIE)
        while position >= 4:
            if octets[position - 4] & 0xC1 == 0 and octets[position - 3] & 0x10 == 0:
                length = _HEADER + int.from_bytes(octets[position - 2 : position], "big")
                found[octets[position + 4 : position + 16]] = octets[position - 4 : position - 4 + length]
            position = octets.find(_COOKIE, position + 4)
        self._asked |= found
        self._asked_last = set(found) or self._asked_last

    def _write(self, octets: bytes) -> bool:
        """Give everything to the kernel, serving the pump when its buffer is full; False: the connection is gone."""
        view = memoryview(octets)
        deadline = time.monotonic() + _STALL
        while view:
            try:
                written = self.socket.send(view)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                self._pump.serve(0.005)  # the buffer is full: read meanwhile, so that the IUT can drain it
                continue
            except OSError:
                return False
            deadline = time.monotonic() + _STALL
            self._sent_something = True
            self._tap.sent(self._key, bytes(view[:written]), time.time_ns())
            view = view[written:]
        return True


def _address(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    return Address(name[0], name[1])


def _peer_of(sock: socket.socket | Pipe, remote: Address | None) -> Address:
    """Return the other end; of a connection that was reset meanwhile the kernel no longer tells it."""
    try:
        return _address(sock.getpeername())
    except OSError:
        if remote is None:
            raise
        return remote


def _bare(text: str) -> str:
    return text.removeprefix("a ").removeprefix("an ")
