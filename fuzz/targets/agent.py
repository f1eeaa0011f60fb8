"""A compact ICE-TCP agent that speaks the adapter contract: healthy, or with any of the planted bugs.

    python -m fuzz.targets [--bugs NAME,NAME|all] [--passive] [--fixed] [--list]

It does what the fuzzer's oracles ask for and not much more. Nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import sys
import traceback
from typing import Any

from fuzz.targets import stun
from fuzz.targets.bugs import BUGS, NAMES
from fuzz.targets.connection import SELECTOR, Connection, notify, say

PICS = {
    "offers": ["passive", "active", "so"],
    "connects": ["passive", "active", "so"],
    "obeys": ["addresses", "tcptypes", "transports"],
    "components": 2,
    "restart": True,
    "reports": ["state", "data"],
    "sessions": 256,
}


FIXED: list[tuple[str, str]] = []  # credentials, if they are always to be the same


class Failed(Exception):
    """A call does not work."""

    def __init__(self, code: int, text: str) -> None:
        self.error = {"code": code, "message": text}


class Session:
    """One ICE session."""

    def __init__(self, params: dict[str, Any], bugs: frozenset[str]) -> None:
        self.name, self.bugs = params["session"], bugs
        self.offerer = self.controlling = params["side"] == "offerer"
        self.media, self.tcptypes = params.get("media", "rtp"), params.get("tcptypes") or ["passive"]
        self.tie = 0x7000000000000000 | secrets.randbits(60)
        self.leftover = b""  # of a connection that has ended
        self.ufrag, self.pwd = self.credentials()
        self.peer: tuple[str, str] | None = None
        self.connections: set[Connection] = set()
        self.listeners: list[socket.socket] = []
        self.state = "new"
        for component in range(1, params.get("components", 1) + 1):
            listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            listener.setblocking(False)
            self.listeners.append(listener)
            if "passive" in self.tcptypes:
                SELECTOR.register(listener, selectors.EVENT_READ, lambda _, c=component, s=listener: self.take(s, c))

    def take(self, listener: socket.socket, component: int) -> None:
        """Accept a connection."""
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with contextlib.suppress(OSError):  # it may be gone already
            Connection(self, sock, component)

    def describe(self) -> str:
        """Return the description."""
        kind = "m=audio {} TCP/RTP/AVP 0" if self.media == "rtp" else "m=application {} TCP *"
        ports = [listener.getsockname()[1] for listener in self.listeners]
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", kind.format(ports[0]), "c=IN IP4 127.0.0.1"]
        lines += [f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.pwd}", "a=mid:0", "a=connection:new"]
        lines += ["a=setup:actpass" if self.offerer else "a=setup:active"]
        for component, port in enumerate(ports, 1):
            for kind in self.tcptypes:
                number = 9 if kind == "active" else port
                lines.append(f"a=candidate:1 {component} TCP 2128609279 127.0.0.1 {number} typ host tcptype {kind}")
        return "".join(f"{line}\r\n" for line in lines)

    def accept(self, text: str) -> None:
        """Take the peer's description."""
        if self.peer and "second-description" in self.bugs:
            words = "thread 'main' panicked at src/agent.rs:88:9:\ncalled `Option::unwrap()` on a `None` value\n"
            sys.stderr.write(words)
            sys.stderr.flush()
            os._exit(101)
        lines = [line[2:] for line in text.splitlines() if line.startswith("a=")]
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        try:
            peer = found["ice-ufrag"], found["ice-pwd"]
            if not 4 <= len(peer[0]) <= 256 or not 22 <= len(peer[1]) <= 256:
                raise Failed(-32010, "credentials of a wrong length")
        except KeyError as error:
            raise Failed(-32010, f"no {error}") from None
        targets = [self.candidate(line) for line in lines if line.startswith("candidate:")]
        self.peer = peer
        for component, address, port in filter(None, targets):
            self.connect(component, address, port)
        self.tell("checking")

    def candidate(self, line: str) -> tuple[int, str, int] | None:
        """Return where to connect to, if the candidate is one for that."""
        words = line.split(" ")
        if len(words[0]) > 10 + 32 and "long-foundation" in self.bugs:
            stun.die(signal.SIGSEGV)
        if len(words) < 8:
            raise Failed(-32010, "a candidate that ends too soon")
        try:
            component, port = int(words[1]), int(words[5])
        except ValueError:
            if "port-parse" in self.bugs and not words[5].isdigit():
                traceback.print_exc()
                os._exit(1)
            raise Failed(-32010, "a candidate without numbers") from None
        meets = {"passive": "active", "so": "so"}.get(words[-1])
        active = meets in self.tcptypes and words[4] == "127.0.0.1"
        return (component, words[4], port) if active and 0 < port < 65536 else None

    def connect(self, component: int, address: str, port: int) -> None:
        """Open a connection and send a check on it."""
        sock = socket.socket()
        sock.settimeout(0.2)
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            return
        Connection(self, sock, component).check()

    def connected(self) -> None:
        """A pair was nominated."""
        self.tell("completed")

    def tell(self, state: str) -> None:
        """Report a state."""
        if state != self.state:
            self.state = state
            notify("state", session=self.name, state=state)

    def restart(self) -> None:
        """Take new credentials; connections go on."""
        (self.ufrag, self.pwd), self.peer = self.credentials(), None

    def credentials(self) -> tuple[str, str]:
        """Return new credentials."""
        return FIXED[0] if FIXED else (secrets.token_hex(4), secrets.token_hex(12))

    def close(self) -> None:
        """End everything."""
        for connection in list(self.connections):
            connection.close()
        for listener in self.listeners:
            if "passive" in self.tcptypes:
                SELECTOR.unregister(listener)
            listener.close()


class Adapter:
    """The contract."""

    def __init__(self, bugs: frozenset[str]) -> None:
        self.bugs = bugs
        self.sessions: dict[str, Session] = {}

    def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Serve a call."""
        if method == "hello":
            return {"name": "icetcp fuzz target", "version": "1", "pics": PICS}
        if method == "open":
            self.sessions[params["session"]] = Session(params, self.bugs)
            return {}
        session = self.sessions.get(params.get("session", ""))
        if method not in ("describe", "accept", "restart", "close"):
            raise Failed(-32601, "no such method")
        if session is None:
            raise Failed(-32602, "no such session")
        if method == "describe":
            return {"type": "offer" if session.offerer else "answer", "sdp": session.describe()}
        if method == "accept":
            session.accept(params["sdp"])
        elif method == "restart":
            session.restart()
        else:
            self.sessions.pop(params["session"]).close()
        return {}

    def serve(self, line: bytes) -> None:
        """Serve a line."""
        request = json.loads(line)
        response: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            response["result"] = self.call(request["method"], request["params"])
        except Failed as failed:
            response["error"] = failed.error
        say(response)


def run(bugs: frozenset[str]) -> int:
    """Serve until standard input ends."""
    adapter = Adapter(bugs)
    rest = b""
    SELECTOR.register(0, selectors.EVENT_READ, None)
    while True:
        for key, mask in SELECTOR.select():
            if key.data is None:
                octets = os.read(0, 65536)
                if not octets:
                    return 0
                *lines, rest = (rest + octets).split(b"\n")
                for line in lines:
                    adapter.serve(line)
            else:
                guarded(key.data, mask)


def guarded(serve: Any, mask: int) -> None:
    """Serve a socket. An exception is logged, as event loops do; one is the end."""
    try:
        serve(mask)
    except stun.Fatal:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run the target, or list the bugs."""
    if "--list" in arguments:
        for bug in BUGS:
            sys.stdout.write(f"{bug.name}\t{bug.group}\t{bug.effect}\t{bug.trigger}\n")
        return 0
    wanted = arguments[arguments.index("--bugs") + 1] if "--bugs" in arguments else ""
    if "--passive" in arguments:  # nothing but passive candidates of an offerer, for measurements
        PICS.update(offers=["passive"], connects=[], sides=["offerer"], components=1)
    if "--fixed" in arguments:
        FIXED.append(("f1xedfix", "thepasswordofthetarget00"))
    bugs = NAMES if wanted == "all" else frozenset(filter(None, wanted.split(",")))
    if bugs - NAMES:
        sys.stderr.write(f"no such bugs: {', '.join(sorted(bugs - NAMES))} (--list lists them)\n")
        return 2
    return run(bugs)
