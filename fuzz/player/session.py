"""A session of the IUT, set up as a plan says, and our connections to it."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

from fuzz.player.connection import SOON, Connection, patience_of
from fuzz.player.description import ADDRESS, ADDRESSES, description, learn
from fuzz.player.journal import Journal
from fuzz.player.outcome import SessionFailed, Upper
from fuzz.player.render import Env, check, frame, request, success

_FORESEEN = 0.5  # seconds that a connection opened ahead of its case may wait
_AGAIN = 0.0005  # seconds between two looks at connection and adapter
_LATE = 8  # after a missed deadline, the next ones are this many times shorter
_PATIENT = 10  # so many deadlines at most, while answers to earlier requests come
_HEARS = ("", "half", "urgent")


class Session:
    """One session of the IUT."""

    def __init__(self, upper: Upper, plan: dict[str, Any], within: float = 1.0) -> None:
        self.upper, self.plan, self.within = upper, plan, within
        self.journal = Journal()
        self.env = Env("tstr", "testertestertestertester", plan["side"] == "answerer")
        self.candidates: list[tuple[int, str, str, int]] = []  # component, tcptype, address, port
        self._passive: list[tuple[int, str, int]] = []  # component, address, port of those to connect to
        self.connections: dict[int, Connection] = {}
        self._spare: dict[tuple[int, int], tuple[Connection, float]] = {}  # opened ahead, by component and candidate
        self.answering = plan["state"] in ("checked", "completed")
        self.calls = 5.0  # seconds for a call of the adapter
        self.separate = False  # send probes in segments of their own
        self.accepted = False
        self.offer = ""
        self.port = 9  # where we listen; an active candidate has port 9 (RFC 6544 section 4.5)
        self.meanwhile: Any = None  # called once, while the IUT is busy with what was sent
        self.silent = self.eager = 0  # cases that got no answer, of those that were to be answered
        self._listener: socket.socket | None = None

    # -- setting up ------------------------------------------------------------------------------------------------

    def prepare(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the calls that `open` begins with. Listen, if the IUT is to connect."""
        plan = self.plan
        if plan["iut"] != "passive" and self._listener is None:
            self._listener = socket.create_server((ADDRESS, 0))
            self._listener.settimeout(self.within)
            self.port = self._listener.getsockname()[1]
        wishes = {
            "addresses": list(ADDRESSES[: plan.get("addresses", 1)]),
            "transports": ["tcp"],
            "tcptypes": [plan["iut"]],
        }
        opening = {"side": plan["side"], "agent": "full", "components": plan["components"], "media": plan["media"],
                   "ice_servers": [], **wishes}  # fmt: skip
        calls = [("open", opening)]
        if plan["side"] == "answerer":
            calls.append(("accept", self._description()))
        return [*calls, ("describe", {"trickle": False})]

    def open(self) -> None:
        """Open the session and bring it to the plan's state. Raises `SessionFailed`."""
        plan, upper = self.plan, self.upper
        *calls, _ = self.prepare()
        for method, params in calls:
            self._call(method, **params)
        self._learn()
        if plan["side"] == "answerer":
            self.accepted = True
        elif plan["state"] != "early":
            self.accept()
        if plan["iut"] == "passive" and not any(kind == "passive" for _, kind, _, _ in self.candidates):
            raise SessionFailed("the IUT's description has no passive candidate")
        if upper.death():
            raise SessionFailed(upper.death())
        self._preamble()

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self.journal.add("call", note=method)
        return self.upper.call(method, self.calls, **params)

    def _learn(self) -> None:
        text = self._call("describe", trickle=False).get("sdp", "")
        ufrag, pwd, self.candidates = learn(text)
        passive = [(one[0], *one[2:]) for one in self.candidates if one[1] == "passive" and ":" not in one[2]]
        self._passive = sorted(passive, key=lambda one: not one[1].startswith("127."))
        self.offer = text
        if not ufrag or not pwd:
            raise SessionFailed("the IUT's description has no credentials")
        self.env.learn(ufrag, pwd)

    def _description(self) -> dict[str, Any]:
        kind = "answer" if self.plan["side"] == "offerer" else "offer"
        return {"type": kind, "sdp": description(self.plan, self.offer, self.env, self.port)}

    def accept(self) -> None:
        """Give the IUT our description."""
        self._call("accept", **self._description())
        self.accepted = True

    def _preamble(self) -> None:
        first = self.connection(0)
        if first is None:
            raise SessionFailed("no connection")
        if self.plan["state"] != "early" and not self.probe(first):
            raise SessionFailed("a valid check was not answered")
        if self.plan["state"] == "completed":
            self._complete(first)
        elif self.plan["state"] == "checked":
            self._attend(first, lambda: bool(first.requests))
        first.forget()

    def _attend(self, connection: Connection, done: Any) -> None:
        """Answer the IUT's checks until something is so, or it has been long enough."""
        deadline = time.monotonic() + self.within
        while not done() and not connection.closed and time.monotonic() < deadline:
            self._answer(connection)
            if not connection.receive(socket.MSG_DONTWAIT):
                time.sleep(_AGAIN)
        self._answer(connection)

    def _complete(self, connection: Connection) -> None:
        """Nominate, or let the IUT nominate."""
        if self.env.controlling:
            connection.put(frame({"message": request({"type": 0x25, "value": ""})}, self.env))
        nominated = self.env.last_id
        self._attend(connection, lambda: self.upper.state() in ("connected", "completed"))
        self.listen(connection, nominated)  # else its answer would come during the first case

    # -- connections -----------------------------------------------------------------------------------------------

    def connection(
        self, number: int, component: int = 1, *, small: bool = False, candidate: int = 0
    ) -> Connection | None:
        """Return a connection, opened if need be; None if that fails. `small`: with a small receive buffer."""
        known = self.connections.get(number)
        if known is not None:
            return known
        spare, where = self._spare.pop((component, candidate), None), (component, candidate)
        if spare is None or small or number < 0 or time.monotonic() - spare[1] > _FORESEEN:
            if spare is not None:
                spare[0].end("closed")
            made = self._connect(where, small=small)
            if made is None:
                return None
        else:
            made = spare[0]
        made.number = number
        self.connections[number] = made
        return made

    def foresee(self, steps: list[dict[str, Any]]) -> None:
        """Open the connection of a later case, while the IUT is busy with another case."""
        first = steps[0] if steps else {}
        if first.get("do") == "send" and "later" not in first and first["on"] > 0 and self._listener is None:
            where = first.get("component", 1), first.get("candidate", 0)
            if where not in self._spare and (made := self._connect(where)) is not None:
                self._spare[where] = made, time.monotonic()

    def _connect(self, where: tuple[int, int], *, small: bool = False) -> Connection | None:
        sock = remote = None
        try:
            if self._listener is not None:
                sock, _ = self._listener.accept()
                patience_of(sock, self.within)
            else:
                remote = self._target(*where)
                sock = socket.socket()
                patience_of(sock, self.within)
                if small:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect(remote)
            return Connection(sock, where[0], remote, self.journal)
        except OSError:
            if sock is not None:
                sock.close()
            return None

    def _target(self, component: int, candidate: int = 0) -> tuple[str, int]:
        """Return a passive candidate's address that an IPv4 socket can connect to, those on loopback first."""
        chosen = [target for target in self._passive if target[0] == component] or self._passive
        if not chosen:
            raise SessionFailed("nowhere to connect to")
        return chosen[candidate % len(chosen)][1:]

    def probe(self, connection: Connection, within: float = 0.0) -> bool:
        """Send a valid check; return whether it was answered."""
        connection.put(check(self.env))
        return self.listen(connection, self.env.last_id, within)

    def listen(self, connection: Connection, wanted: bytes, within: float = 0.0) -> bool:
        """Wait for the answer to a request of ours. The wait is short if an earlier one was not answered."""
        self.pause()
        patience = within or self.within / (_LATE if connection.late else 1)
        begun, answers = time.monotonic(), len(connection.answers)
        deadline = begun + patience
        while wanted not in connection.answers and not connection.closed and connection.ended in _HEARS:
            if (not connection.receive() and within == SOON) or time.monotonic() > deadline:
                break
            if self.answering and connection.unanswered:
                self._answer(connection)
            if len(connection.answers) > answers:  # it is still busy with earlier requests
                answers = len(connection.answers)
                deadline = min(time.monotonic() + patience, begun + _PATIENT * patience)
        answered = wanted in connection.answers
        if answered or within != SOON:
            connection.late = not answered
        return answered

    def pause(self) -> None:
        """Do the work that was put off until the IUT is busy."""
        if self.meanwhile is not None:
            work, self.meanwhile = self.meanwhile, None
            work()

    def _answer(self, connection: Connection) -> None:
        for identity in connection.unanswered:
            self.env.peer_id = identity
            sent = len(connection.sent)
            self.know_peer(connection)
            connection.put(frame({"message": success()}, self.env))
            del connection.sent[sent:]  # this does not belong to the case
        connection.unanswered.clear()

    def know_peer(self, connection: Connection) -> None:
        """Let XOR-MAPPED-ADDRESS be that of the IUT on this connection."""
        self.env.peer_address = struct.pack("!xBH4s", 1, connection.remote[1], socket.inet_aton(connection.remote[0]))

    # -- ending ----------------------------------------------------------------------------------------------------

    def alive(self, within: float) -> bool:
        """Whether the session still answers: on the standing connection, or on a new one."""
        first = self.connections.get(0)
        if first is not None and not first.closed and not first.ended and self.probe(first, within):
            first.forget()
            return True
        if self._listener is not None:
            return False
        fresh = self.connections.pop(-1, None)
        if fresh is not None:
            fresh.end("closed")
        fresh = self.connection(-1)
        if fresh is None:
            return False
        answered = self.probe(fresh, within)
        if answered:
            old = self.connections.pop(0, None)
            if old is not None:
                old.end("closed")
            self.connections[0] = self.connections.pop(-1)
            self.connections[0].number = 0
            self.connections[0].forget()
        return answered

    def close(self, tell: bool = True) -> None:
        """Close the connections, and the session."""
        for connection in (*self.connections.values(), *(spare for spare, _ in self._spare.values())):
            connection.end("closed")
        self.connections.clear()
        self._spare.clear()
        if self._listener is not None:
            self._listener.close()
        if tell and not self.upper.death():
            with contextlib.suppress(SessionFailed):
                self._call("close")
