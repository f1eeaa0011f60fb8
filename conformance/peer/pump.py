"""The event pump of one case: sockets are served while, and only while, the case waits.

Every case runs in a thread of its own and is single-threaded inside: its sockets, the answers that the lower tester
gives by itself and the adapter's notifications are all handled by the wait that the script is in. So the script sees
one order of events, needs no lock, and a breakpoint stops its whole world.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_CALM = 0.1  # of a deadline: an adapter that answers sooner is not held up by the machine
_LONGEST = 3  # times a deadline is what a machine may take in addition
_LONGEST_LAG = 2.0  # seconds; an adapter that takes longer is not waited for: it may be hung
_BREATH = 0.02  # seconds that an IUT gets behind its adapter's answer


class Aborted(BaseException):
    """The run was interrupted (Ctrl-C); deliberately no ``Exception``, so that no script swallows it."""


class Source:
    """Something other than a kernel socket that tells by itself when it can be read: connections made of segments."""

    def __init__(self) -> None:
        self.on_readable: Callable[[], None] | None = None


class Readable(Protocol):
    """What the pump can serve."""

    @property
    def socket(self) -> socket.socket | Source:
        """The non-blocking socket to watch."""
        ...

    def on_readable(self) -> None:
        """Take in what has arrived."""
        ...


class Ticking(Protocol):
    """What has things to do at times of its own."""

    def left(self, now: float) -> float:
        """In how many seconds `tick` has something to do."""
        ...

    def tick(self, now: float) -> None:
        """Do it."""
        ...


class Pump:
    """Waits for conditions while it serves the registered sockets.

    ``ask``: sends the IUT's adapter a question that costs its stack nothing, and returns whether it was answered. Where
    it is set, deadlines are extended while even the adapter answers late, so that load cannot cause a failure.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._aborted = False
        self._ticking: list[Ticking] = []
        self.watched = 0.0  # seconds in which nothing was to come, as asked for: no matter of the machine's load
        self.looks = 0  # how often the sockets were looked at: what only a later look shows has come later
        self.ask: Callable[[], Callable[[], bool]] | None = None
        self.before_watching: Callable[[], None] = lambda: None  # lets what was sent take effect
        self._sending = 0
        self._afterwards: deque[Callable[[], None]] = deque()

    def add(self, readable: Readable) -> None:
        """Serve this from now on."""
        if isinstance(readable.socket, Source):
            readable.socket.on_readable = readable.on_readable
        else:
            self._selector.register(readable.socket, selectors.EVENT_READ, readable)

    def remove(self, readable: Readable) -> None:
        """Serve this no longer; unknown ones are ignored."""
        if isinstance(readable.socket, Source):
            readable.socket.on_readable = None
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(readable.socket)

    def keep_time(self, ticking: Ticking) -> None:
        """Let something do what it does at times of its own."""
        self._ticking.append(ticking)

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Let nothing else be sent meanwhile, on whichever connection, that can wait until this is over.

        Halves of frames on two connections in turn are a provocation of its own.
        """
        self._sending += 1
        try:
            yield
        finally:
            self._sending -= 1
            while self._afterwards and not self._sending:
                self._afterwards.popleft()()

    def between(self, act: Callable[[], None]) -> None:
        """Do this now, or when what is being sent has been."""
        if self._sending:
            self._afterwards.append(act)
        else:
            act()

    def wake(self) -> None:
        """Make a wait look at its condition again. Callable from any thread."""
        with contextlib.suppress(OSError):  # full: a wake-up is under way; closed: nobody waits
            self._wake_out.send(b"\0")

    def abort(self) -> None:
        """End the present and every later wait with `Aborted`. Callable from any thread."""
        self._aborted = True
        self.wake()

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Serve until the condition holds or `within` seconds have passed; return whether it holds.

        Where the IUT gets so little of a busy machine that its adapter is late as well, it is waited for longer, at
        most four times as long.
        """
        if self._serve_until(condition, within):
            return True
        end = time.monotonic() + _LONGEST * within
        while self.ask is not None and time.monotonic() < end:
            lag = self._lag(condition)
            if self._serve_until(condition, max(_BREATH, 2 * lag)):
                return True
            if lag < _CALM * within:
                break
        return condition()

    def watch(self, condition: Callable[[], bool], within: float) -> bool:
        """Serve for `within` seconds, or until what should not come has come; return whether it has.

        They begin when the IUT has read what it was sent. When they are over it has had its turn on the machine at
        least once more.
        """
        self.before_watching()
        if self._serve_until(condition, within):
            return True
        self.watched += within
        return self.ask is not None and self._serve_until(condition, max(_BREATH, 2 * self._lag(condition)))

    def pause(self, seconds: float) -> None:
        """Let exactly this time pass while everything is served."""
        self._serve_until(lambda: False, seconds)
        self.watched += seconds

    def poll(self, condition: Callable[[], bool], within: float) -> bool:
        """Serve until the condition holds or exactly `within` seconds have passed; return whether it holds."""
        return self._serve_until(condition, within)

    def _serve_until(self, condition: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while True:
            if self._aborted:
                raise Aborted
            if condition():
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self.serve(0)
                return condition()
            self.serve(remaining)

    def _lag(self, condition: Callable[[], bool]) -> float:
        """Return how many seconds the adapter takes for an answer; no longer than until the condition holds."""
        assert self.ask is not None
        begun = time.monotonic()
        answered = self.ask()
        self._serve_until(lambda: answered() or condition(), _LONGEST_LAG)
        return time.monotonic() - begun

    @staticmethod
    def deadline(within: float) -> float:
        """Return the moment, on the clock of `left`, that lies so many seconds ahead."""
        return time.monotonic() + within

    @staticmethod
    def left(deadline: float) -> float:
        """Return the seconds left until a moment, 0 when it is past."""
        return max(0.0, deadline - time.monotonic())

    def serve(self, timeout: float) -> None:
        """Serve what is ready, waiting for at most `timeout` seconds for something to be."""
        if self._ticking:
            now = time.monotonic()
            timeout = max(0.0, min(timeout, *(ticking.left(now) for ticking in self._ticking)))
        ready = self._selector.select(timeout)
        self.looks += 1
        for key, _ in ready:
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake_in.recv(4096)
            else:
                key.data.on_readable()
        for ticking in self._ticking:
            ticking.tick(time.monotonic())

    def close(self) -> None:
        """Release the descriptors; registered sockets stay their owners' business."""
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
