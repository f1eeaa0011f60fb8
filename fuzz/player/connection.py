"""One TCP connection of ours to the IUT."""

from __future__ import annotations

import socket
import struct

from fuzz.player.journal import Journal
from fuzz.player.reading import aligned

_COOKIE = b"\x21\x12\xa4\x42"
_CHUNK = 65536
GONE = ("rst", "closed")
SOON = 0.01  # seconds of one read: a longer wait reads several times
_TIMEVAL = struct.Struct("ll")
_GLANCE = _TIMEVAL.pack(0, int(SOON * 1_000_000))
_RST = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def patience_of(sock: socket.socket, seconds: float) -> None:
    """Let connecting and writing take no longer; BlockingIOError tells of it."""
    value = _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


class Connection:
    """One TCP connection of ours: what was sent, and what came, divided into frames and messages."""

    def __init__(
        self,
        sock: socket.socket,
        component: int = 1,
        remote: tuple[str, int] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.sock = sock
        self._journal = journal
        self.component = component
        self.number = 0  # in its case; 0 is the session's own
        self.local: tuple[str, int] = sock.getsockname()[:2]
        self.remote: tuple[str, int] = remote or sock.getpeername()[:2]
        self.sent = bytearray()  # of the case being played
        self.answers: dict[bytes, list[bytes]] = {}
        self.requests: list[bytes] = []
        self.unanswered: list[bytes] = []
        self.media: list[bytes] = []
        self.came = 0
        self.closed = ""  # "fin" or "rst": by the IUT
        self.ended = ""  # by us
        self.rest = b""  # of what a case sends: held back until it says so
        self.late = False  # a valid check was not answered within its deadline
        self._in = bytearray()
        self._written = 0
        self._waited = False
        self._note("opened")

    def _note(self, what: str, octets: bytes = b"", note: str = "") -> None:
        if self._journal is not None:
            self._journal.add(what, self.local, self.remote, octets, note)

    def patience(self, seconds: float) -> None:
        """Set how long a write may take."""
        patience_of(self.sock, seconds)

    def put(self, whole: bytes) -> None:
        """Send octets, as far as the IUT lets us."""
        self.sent += whole
        self._note("sent", whole)
        self._written += 1
        try:
            if self._written == 2:  # the first write goes out at once, and most connections need only one
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.sendall(whole)
        except BlockingIOError:
            self.ended = "stuck"
        except OSError:
            self._closed("rst")

    def _closed(self, how: str) -> None:
        if not self.closed:
            self.closed = how
            self._note("closed", note=how)

    def take(self, octets: bytes) -> None:
        """Divide octets that came into frames."""
        self._note("received", octets)
        buffer = self._in
        buffer += octets
        self.came += len(octets)
        while len(buffer) >= 2:
            end = 2 + (buffer[0] << 8 | buffer[1])
            if len(buffer) < end:
                break
            self._frame(bytes(buffer[2:end]))
            del buffer[:end]

    def _frame(self, payload: bytes) -> None:
        if len(payload) < 20 or payload[0] > 0x3F or payload[4:8] != _COOKIE:
            self.media.append(payload)
        elif payload[0] & 1:
            self.answers.setdefault(payload[8:20], []).append(payload)
        else:
            self.requests.append(payload)
            self.unanswered.append(payload[8:20])

    def receive(self, flags: int = 0) -> bool:
        """Read once; False if nothing came soon."""
        if not (flags or self._waited):  # many a connection never has to wait
            self._waited = True
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _GLANCE)
        try:
            octets = self.sock.recv(_CHUNK, flags)
        except BlockingIOError:
            return False
        except OSError:
            self._closed("rst")
            return True
        if octets:
            self.take(octets)
        else:
            self._closed("fin")
        return True

    @property
    def aligned(self) -> bool:
        """Whether what was sent ends where a frame ends, so that what comes next can be understood."""
        return aligned(self.sent)

    @property
    def pending(self) -> int:
        """Octets of a frame that did not come whole."""
        return len(self._in)

    def drain(self) -> None:
        """Take what is there, without waiting."""
        while not self.closed and self.ended not in GONE and self.receive(socket.MSG_DONTWAIT):
            pass

    def forget(self) -> None:
        """Begin a new case on this connection; what a record has of the last one stays."""
        self.sent, self.answers, self.requests, self.media = bytearray(), {}, [], []

    def record(self) -> Connection:
        """Return what this connection knows now, to be judged while it goes on."""
        known = Connection.__new__(Connection)
        known.__dict__.update(self.__dict__)
        return known

    def end(self, how: str) -> None:
        """End it: "half" (FIN, and go on reading), "rst", or "closed"."""
        if self.ended in GONE:
            return
        self.ended = how
        self._note("ended", note=how)
        try:
            if how == "half":
                self.sock.shutdown(socket.SHUT_WR)
            else:
                if how == "rst":
                    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
                self.sock.close()
        except OSError:
            pass  # it was closed already
