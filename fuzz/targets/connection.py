"""One connection of the target: frames, checks and media, and the planted bugs in them."""

from __future__ import annotations

import base64
import json
import os
import secrets
import selectors
import signal
import socket
import struct
import sys
import threading
from typing import Any, Protocol

from fuzz.targets import stun

MOST = 1 << 20  # octets that may wait for a peer that does not read
SELECTOR = selectors.DefaultSelector()


def say(message: dict[str, Any]) -> None:
    """Write a line to the tester."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def notify(method: str, **params: Any) -> None:
    """Tell the tester something."""
    say({"jsonrpc": "2.0", "method": method, "params": params})


class Session(Protocol):
    """The session that a connection belongs to."""

    name: str
    bugs: frozenset[str]
    connections: set[Connection]
    leftover: bytes
    controlling: bool
    tie: int
    ufrag: str
    pwd: str
    peer: tuple[str, str] | None

    def connected(self) -> None:
        """Take note that a pair was nominated."""
        ...


class Connection:
    """One TCP connection."""

    def __init__(self, session: Session, sock: socket.socket, component: int) -> None:
        self.session, self.sock, self.component = session, sock, component
        self.buffer = b""
        self.out = b""
        self.heard = 0
        self.checks: dict[bytes, int] = {}
        self.checked = self.valid = self.deaf = False
        self.peer: tuple[str, int] = sock.getpeername()[:2]
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
        session.connections.add(self)
        SELECTOR.register(sock, selectors.EVENT_READ, self.ready)

    def ready(self, mask: int) -> None:
        """Serve the socket."""
        if mask & selectors.EVENT_WRITE:
            self.flush()
        if mask & selectors.EVENT_READ and self.sock.fileno() >= 0:
            self.read()

    def read(self) -> None:
        """Take what came."""
        bugs = self.session.bugs
        try:
            octets = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            if self.buffer and "reset-in-read" in bugs:
                stun.die(signal.SIGABRT)
            self.close()
            return
        if not octets:
            self.ended()
        elif not self.deaf:
            self.heard += len(octets)
            self.feed(octets)

    def ended(self) -> None:
        """The peer has no more to say."""
        bugs = self.session.bugs
        if len(self.buffer) > 2 and "eof-in-body" in bugs and not SPINNING:
            SPINNING.append(True)
            threading.Thread(target=spin, daemon=True).start()
        if self.buffer and "shared-buffer" in bugs:
            self.session.leftover = self.buffer
        if self.heard == 0 and "silent-thread" in bugs:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        if self.heard == 1 and "half-open-leak" in bugs:
            SELECTOR.unregister(self.sock)
            self.session.connections.discard(self)
            KEPT.append(self.sock)
            return
        self.close()

    def feed(self, octets: bytes) -> None:
        """Cut frames."""
        bugs = self.session.bugs
        if "split-length" in bugs and len(octets) == 1 and not self.buffer:
            self.deaf = True
        self.buffer, self.session.leftover = self.session.leftover + self.buffer + octets, b""
        count = 0
        while len(self.buffer) >= 2 and not self.deaf:
            length = int.from_bytes(self.buffer[:2], "big")
            if length >= 0xFFFE and "length-wraps" in bugs:
                stun.die(signal.SIGSEGV)
            if length > 8192 and "big-frame-stalls" in bugs:
                self.deaf = True
            if len(self.buffer) < 2 + length:
                break
            payload, self.buffer = self.buffer[2 : 2 + length], self.buffer[2 + length :]
            count += 1
            if count > 3 and "coalesced-lost" in bugs:
                self.buffer, self.deaf = b"", True
                break
            if not payload and "null-frame-closes" in bugs:
                self.close()
            elif payload:
                self.frame(payload)
            if self.sock.fileno() < 0:
                break

    def frame(self, payload: bytes) -> None:
        """Serve a frame."""
        bugs = self.session.bugs
        if len(payload) < 20 and payload[0] == 0 and "short-header" in bugs:
            stun.die(signal.SIGSEGV)
        if not stun.looks_like_stun(payload):
            self.media(payload)
            return
        try:
            message = stun.Message(payload, bugs)
        except ValueError:
            return
        if not message.fingerprint_right() and "fingerprint-unchecked" not in bugs:
            return
        if message.kind == 0x0001:
            self.request(message)
        elif message.kind == 0x0011 and "indication-answered" in bugs:
            self.send(stun.seal(stun.header(0x0101, message.identity), b""))
        elif message.kind in (0x0101, 0x0111):
            self.response(message)

    def media(self, payload: bytes) -> None:
        """Give media to the application."""
        bugs, component = self.session.bugs, self.component
        if not self.valid:
            return
        if component == 2 and "wrong-component" in bugs:
            component = 1
        if len(payload) == 1 and "stale-media" in bugs:
            payload += b"\xde\xad\xbe\xef" * 3
        text = base64.b64encode(payload).decode()
        notify("data", session=self.session.name, component=component, data=text)

    def request(self, message: stun.Message) -> None:
        """Answer a check."""
        session, bugs = self.session, self.session.bugs
        if not session.peer and "early-check" in bugs:
            stun.die(signal.SIGSEGV)
        key = session.pwd.encode()
        try:
            stun.judge(message, session, bugs)
        except stun.Refused as refused:
            value = struct.pack("!xxBB", refused.code // 100, refused.code % 100) + b"no"
            body = stun.header(0x0111, message.identity) + stun.attribute(9, value) + refused.more
            self.send(stun.seal(body, key if refused.code > 401 else b""))
            return
        self.valid = True
        ip, port = self.peer
        mapped = struct.pack("!xBH", 1, port ^ 0x2112)
        mapped += struct.pack("!I", int.from_bytes(socket.inet_aton(ip), "big") ^ stun.COOKIE)
        self.send(stun.seal(stun.header(0x0101, message.identity) + stun.attribute(0x20, mapped), key))
        if not self.checked and session.peer:
            self.check()
        if 0x25 in message.attributes and not session.controlling:
            session.connected()

    def check(self, nominate: bool = False) -> None:
        """Send a check of our own."""
        session = self.session
        if session.peer is None:
            return
        self.checked = True
        identity = secrets.token_bytes(12)
        self.checks[identity] = nominate
        role = 0x802A if session.controlling else 0x8029
        body = stun.header(0x0001, identity)
        body += stun.attribute(6, f"{session.peer[0]}:{session.ufrag}".encode())
        body += stun.attribute(0x24, bytes(4)) + stun.attribute(role, session.tie.to_bytes(8, "big"))
        body += stun.attribute(0x25, b"") if nominate else b""
        self.send(stun.seal(body, session.peer[1].encode()))

    def response(self, message: stun.Message) -> None:
        """Take the answer to a check."""
        bugs, has = self.session.bugs, message.attributes
        if message.identity not in self.checks:
            if "response-echo" in bugs:
                self.send(message.octets)
            return
        if message.kind == 0x0111:
            if len(has.get(9, b"....")) < 4 and "short-error-code" in bugs:
                stun.die(signal.SIGSEGV)
            if has.get(9, b"")[2:4] == b"\x04\x57" and "role-error-loop" in bugs:
                stun.hang()
        family = has.get(0x20, b"\0\1")[1:2]
        if family not in (b"\1", b"\2") and "mapped-family" in bugs:
            words = "panic: runtime error: index out of range [8] with length 4\n\ngoroutine 7 [running]:\n"
            sys.stderr.write(words + "github.com/x/stun.(*XORMappedAddress).GetFromAs(0xc000)\n\t/x/xoraddr.go:118\n")
            sys.stderr.flush()
            os._exit(2)
        if (
            not self.session.peer
            or not message.authentic(self.session.peer[1].encode(), bugs)
            or len(has.get(0x20, b"")) != 8
        ):
            return
        nominated = self.checks.pop(message.identity)
        self.valid = True
        if nominated or not self.session.controlling:
            self.session.connected() if nominated else None
        else:
            self.check(nominate=True)

    def send(self, message: bytes) -> None:
        """Send a message in a frame."""
        octets = struct.pack("!H", len(message)) + message
        if "slow-reader" in self.session.bugs and self.out:
            stun.hang()
        self.out += octets
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        try:
            self.out = self.out[self.sock.send(self.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if len(self.out) > MOST:
            self.close()
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
        if self.sock.fileno() >= 0 and SELECTOR.get_key(self.sock).events != wanted:
            SELECTOR.modify(self.sock, wanted, self.ready)

    def close(self) -> None:
        """End the connection."""
        if self.sock.fileno() >= 0:
            SELECTOR.unregister(self.sock)
            self.sock.close()
        self.session.connections.discard(self)


SPINNING: list[bool] = []
KEPT: list[socket.socket] = []


def spin() -> None:
    """Read an end of file, again and again."""
    while True:
        pass
