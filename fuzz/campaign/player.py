"""Plays cases: a session of the IUT, our connections to it, and what came back.

A stage is one session, set up as a plan says. Cases are played on it one after the other; what they sent and what
came back is handed over as an outcome, to be judged elsewhere. Nothing but the standard library is used: this text is
also a part of every finding's `replay.py`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Any

from fuzz.campaign.link import GONE, Link, patience_of
from fuzz.campaign.offer import ADDRESS, ADDRESSES, description, fill, learn, mid_of
from fuzz.campaign.outcome import PLAN, Outcome, StageFailed, Upper
from fuzz.render import Env, check, frame, pieces, request, success

_SOON = 0.01  # seconds in which an answer comes if there is to be one, or else a check goes behind
_SERVED = 0.003  # seconds in which the IUT comes to what arrived on other connections
_HEARS = ("", "half", "urgent")


class Stage:
    """One session of the IUT, as a plan sets it up."""

    def __init__(self, upper: Upper, plan: dict[str, Any], within: float = 1.0) -> None:
        self.upper, self.plan, self.within = upper, plan, within
        self.env = Env("tstr", "testertestertestertester", plan["side"] == "answerer")
        self.candidates: list[tuple[int, str, str, int]] = []  # component, tcptype, address, port
        self.links: dict[int, Link] = {}
        self.answering = plan["state"] in ("checked", "completed")
        self.calls = 5.0  # seconds for a call of the adapter
        self.separate = False  # send probes in segments of their own
        self.accepted = False
        self.offer = ""
        self.on_link: Any = None  # called with every new connection
        self.meanwhile: Any = None  # called once, while the IUT is busy with what was sent
        self.silent = self.eager = 0  # cases that were to be answered; those that were not
        self._listener: socket.socket | None = None

    # -- setting up ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the session and bring it to the plan's state. Raises `StageFailed`."""
        plan, upper = self.plan, self.upper
        addresses = list(ADDRESSES[: plan.get("addresses", 1)])
        wishes = {"addresses": addresses, "transports": ["tcp"], "tcptypes": [plan["iut"]]}
        self._call("open", side=plan["side"], agent="full", components=plan["components"], media=plan["media"],
                   ice_servers=[], **wishes)  # fmt: skip
        if plan["iut"] == "active":
            self._listener = socket.create_server((ADDRESS, 0))
            self._listener.settimeout(self.within)
        if plan["side"] == "offerer":
            self._learn()
            if plan["state"] != "early":
                self.accept()
        else:
            self.accept()
            self._learn()
        if plan["iut"] == "passive" and not any(kind == "passive" for _, kind, _, _ in self.candidates):
            raise StageFailed("the IUT's description has no passive candidate")
        if upper.death():
            raise StageFailed(upper.death())
        self._preamble()

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.upper.call(method, self.calls, **params)

    def _learn(self) -> None:
        text = self._call("describe", trickle=False).get("sdp", "")
        ufrag, pwd, self.candidates = learn(text)
        self.offer = text
        if not ufrag or not pwd:
            raise StageFailed("the IUT's description has no credentials")
        self.env.learn(ufrag, pwd)

    @property
    def _port(self) -> int:
        """Where we listen; an active candidate has port 9 (RFC 6544 section 4.5)."""
        return int(self._listener.getsockname()[1]) if self._listener else 9

    def accept(self) -> None:
        """Give the IUT our description."""
        kind = "answer" if self.plan["side"] == "offerer" else "offer"
        self._call("accept", type=kind, sdp=description(self.plan, self.offer, self.env, self._port))
        self.accepted = True

    def _preamble(self) -> None:
        first = self.link(0)
        if first is None:
            raise StageFailed("no connection")
        if self.plan["state"] != "early" and not self.probe(first):
            raise StageFailed("a valid check was not answered")
        if self.plan["state"] == "completed":
            self._complete(first)
        elif self.plan["state"] == "checked":
            self._attend(first, lambda: bool(first.requests))
        first.forget()

    def _attend(self, link: Link, done: Any) -> None:
        """Answer the IUT's checks until something is so, or it has been long enough."""
        deadline = time.monotonic() + self.within
        link.patience(0.003)
        while not done() and not link.closed and time.monotonic() < deadline:
            self._answer(link)
            link.receive()
        self._answer(link)
        link.patience(self.within)

    def _complete(self, link: Link) -> None:
        """Nominate, or let the IUT nominate."""
        if self.env.controlling:
            link.put(frame({"message": request({"type": 0x25, "value": ""})}, self.env))
        nominated = self.env.last_id
        self._attend(link, lambda: self.upper.state() in ("connected", "completed"))
        self.listen(link, nominated)  # or its answer would come in the first case

    # -- connections -----------------------------------------------------------------------------------------------

    def link(self, number: int, component: int = 1, *, small: bool = False, candidate: int = 0) -> Link | None:
        """Return a connection, opened if need be; None if that does not work. `small`: it soon takes no more."""
        known = self.links.get(number)
        if known is not None:
            return known
        sock = None
        try:
            if self._listener is not None:
                sock, _ = self._listener.accept()
            else:
                sock = socket.socket()
                patience_of(sock, self.within)
                if small:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect(self._target(component, candidate))
            made = self.links[number] = Link(sock, component)
            made.number = number
            if self._listener is not None:
                made.patience(self.within)
            if self.on_link is not None:
                self.on_link(made)
        except OSError:
            if sock is not None:
                sock.close()
            return None
        return made

    def _target(self, component: int, candidate: int = 0) -> tuple[str, int]:
        """Return a passive candidate's address that an IPv4 socket can connect to, those on loopback first."""
        passive = [(c, address, port) for c, kind, address, port in self.candidates if kind == "passive"]
        passive = [one for one in passive if ":" not in one[1]]
        passive.sort(key=lambda one: not one[1].startswith("127."))
        chosen = [target for target in passive if target[0] == component] or passive
        if not chosen:
            raise StageFailed("nowhere to connect to")
        return chosen[candidate % len(chosen)][1:]

    def probe(self, link: Link, within: float = 0.0) -> bool:
        """Send a valid check; return whether it was answered."""
        link.put(check(self.env))
        return self.listen(link, self.env.last_id, within)

    def listen(self, link: Link, wanted: bytes, within: float = 0.0) -> bool:
        """Wait for the answer to a request of ours."""
        if self.meanwhile is not None:
            work, self.meanwhile = self.meanwhile, None
            work()
        if within == _SOON:
            return self._listen_soon(link, wanted)
        deadline = time.monotonic() + (within or self.within)
        while wanted not in link.answers and not link.closed and link.ended in _HEARS:
            if not link.receive() or time.monotonic() > deadline:
                break
            if self.answering and link.unanswered:
                self._answer(link)
        return wanted in link.answers

    def _listen_soon(self, link: Link, wanted: bytes) -> bool:
        """Wait for an answer that most likely comes at once, or is there already."""
        ready: Any = None
        while wanted not in link.answers and not link.closed:
            if not link.receive(socket.MSG_DONTWAIT):
                if ready is None:
                    ready = select.poll()
                    ready.register(link.sock, select.POLLIN)
                if not ready.poll(_SOON * 1000):
                    break
            if self.answering and link.unanswered:
                self._answer(link)
        return wanted in link.answers

    def _answer(self, link: Link) -> None:
        for identity in link.unanswered:
            self.env.peer_id = identity
            sent = len(link.sent)
            self._know_peer(link)
            link.put(frame({"message": success()}, self.env))
            del link.sent[sent:]  # not the case's doing
        link.unanswered.clear()

    def _know_peer(self, link: Link) -> None:
        self.env.peer_address = struct.pack("!xBH4s", 1, link.remote[1], socket.inet_aton(link.remote[0]))

    # -- playing ---------------------------------------------------------------------------------------------------

    def play(self, steps: list[dict[str, Any]]) -> Outcome:
        """Play a case's steps."""
        outcome = Outcome()
        begun = time.perf_counter()
        first = self.links.get(0)
        if first is not None:
            first.forget()
        for step in steps:
            getattr(self, "_do_" + step["do"])(step, outcome)
            if self.upper.death():
                break
        self._collect(outcome)
        outcome.seconds = time.perf_counter() - begun
        return outcome

    def _collect(self, outcome: Outcome) -> None:
        """Hand over the connections; those of the case alone, and those that are of no more use, end here."""
        for number in list(self.links):
            link = self.links[number]
            if number or link.ended or link.closed or not link.aligned:
                if link not in outcome.links:
                    outcome.links.append(link)
                if not link.ended:
                    link.drain()
                link.end("closed")
                del self.links[number]
            elif link.sent:
                outcome.settle(link, link.record())

    def _do_send(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send frames, cut as the schedule says; "probe": and a valid check, whose answer is waited for.

        "stop": only so many octets for the moment; the rest is for `rest`, or never comes. Without frames it is to be
        seen how the IUT does after what came on other connections, which it is left a moment for.
        """
        link = self.link(step["on"], step.get("component", 1), candidate=step.get("candidate", 0))
        if link is None or link.ended in GONE:
            return
        if link.unanswered:
            self.env.peer_id = link.unanswered[-1]
            self._know_peer(link)
        if not step["frames"]:
            time.sleep(_SERVED)
        whole = b"".join([frame(one, self.env) for one in step["frames"]])
        if "stop" in step:
            stop = step["stop"] % (len(whole) or 1)
            link.rest = whole[stop:]
            self._write(link, whole[:stop], b"", step)
        else:
            self._finish(link, whole, step, outcome)

    def _do_rest(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send what was held back."""
        link = self.links.get(step["on"])
        if link is not None and link.ended not in GONE:
            whole, link.rest = link.rest, b""
            self._finish(link, whole, step, outcome)

    def _finish(self, link: Link, whole: bytes, step: dict[str, Any], outcome: Outcome) -> None:
        wanted = step.get("probe")
        if wanted == "silent" and self._answers(link, whole, outcome):
            return
        probe = b""
        if wanted:
            probe = check(self.env)
            outcome.checks.add(probe[2:])
        self._write(link, b"" if wanted == "silent" else whole, probe, step)
        if wanted and link.aligned:
            identity = self.env.last_id
            outcome.probes.append((link, identity, self.listen(link, identity)))

    def _write(self, link: Link, whole: bytes, probe: bytes, step: dict[str, Any]) -> None:
        """Write octets and the check behind them: in one segment, or as the step says."""
        cuts, gap = step.get("cuts"), step.get("gap", 0)
        if not (self.separate or cuts):
            whole, probe = whole + probe, b""
        for piece in pieces(whole, cuts) if cuts else (whole,):
            link.put(piece)
            if gap:
                time.sleep(gap / 1000)
        if probe:
            if self.separate:
                time.sleep(0.002)
            link.put(probe)

    def _answers(self, link: Link, whole: bytes, outcome: Outcome) -> bool:
        """Send a request that is to be answered; whether it is: that tells as much as that to a check behind it."""
        link.put(whole)
        identity = self.env.last_id
        self.eager += 1
        patient = 8 * self.silent <= self.eager  # an IUT that often says nothing is not waited for
        if patient and self.listen(link, identity, _SOON):
            outcome.probes.append((link, identity, True))
            return True
        self.silent += 1
        return False

    def _do_raw(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send octets of the stream, in no frame."""
        link = self.link(step["on"])
        if link is not None and link.ended not in GONE:
            link.put(bytes.fromhex(step["octets"]))

    def _do_hear(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Wait for a check of the IUT, to answer it with what comes next."""
        link = self.link(step["on"], step.get("component", 1))
        if link is None:
            return
        answering, self.answering = self.answering, False
        deadline = time.monotonic() + min(self.within, 0.15)
        link.patience(0.05)
        while not link.unanswered and not link.closed and time.monotonic() < deadline:
            link.receive()
        link.patience(self.within)
        self.answering = answering

    def _do_end(self, step: dict[str, Any], outcome: Outcome) -> None:
        link = self.link(step["on"], step.get("component", 1))
        if link is not None:
            link.end(step["how"])
            if step["how"] in GONE:
                outcome.links.append(self.links.pop(step["on"]))

    def _do_open(self, step: dict[str, Any], outcome: Outcome) -> None:
        for number in range(step["on"], step["on"] + step.get("count", 1)):
            self.link(number, step.get("component", 1), candidate=step.get("candidate", 0))

    def _do_urgent(self, step: dict[str, Any], outcome: Outcome) -> None:
        link = self.link(step["on"])
        if link is not None and not link.ended:
            with contextlib.suppress(OSError):
                link.sock.send(bytes.fromhex(step["octets"]), socket.MSG_OOB)
                # The urgent octet leaves the stream of a receiver that does not ask for it inline; so no model of it.
                link.ended = "urgent"

    def _do_flood(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send a frame over and over, read nothing, and leave the IUT the time to take it in."""
        link = self.link(step["on"], small=True)
        if link is None:
            return
        link.patience(0.05)
        for _ in range(step["times"]):
            if link.ended or link.closed:
                break
            link.put(frame(step["frame"], self.env))
        link.patience(self.within)
        first = self.links.get(0)
        for _ in range(step["times"] // 500):
            if first is None or not self.probe(first):
                break

    def _do_wait(self, step: dict[str, Any], outcome: Outcome) -> None:
        time.sleep(step["ms"] / 1000)

    def _do_accept(self, step: dict[str, Any], outcome: Outcome) -> None:
        try:
            self.accept()
        except StageFailed as error:
            outcome.refused(error)

    def _do_call(self, step: dict[str, Any], outcome: Outcome) -> None:
        try:
            self._call(step["method"], **step.get("params", {}))
        except StageFailed as error:
            outcome.refused(error)

    def _do_trickle(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Give the IUT a candidate line."""
        try:
            line = fill(step["line"], self.env, self._port)
            self._call("trickle", candidate=line.removeprefix("a="), mid=mid_of(self.offer))
        except StageFailed as error:
            outcome.refused(error)

    def _do_restart(self, step: dict[str, Any], outcome: Outcome) -> None:
        """New credentials on both sides; the connections go on."""
        try:
            self.env.ufrag = f"t{self.env.count:x}str"
            if self.plan["side"] == "offerer":
                self._call("restart")
                self._learn()
                self.accept()
            else:
                self.accept()
                self._learn()
        except StageFailed as error:
            outcome.refused(error)

    # -- ending ----------------------------------------------------------------------------------------------------

    def alive(self, within: float) -> bool:
        """Whether the session still answers: on the standing connection, or on a new one."""
        first = self.links.get(0)
        if first is not None and not first.closed and not first.ended:
            first.patience(within)
            if self.probe(first, within):
                first.forget()
                return True
        if self._listener is not None:
            return False
        fresh = self.links.pop(-1, None)
        if fresh is not None:
            fresh.end("closed")
        fresh = self.link(-1)
        if fresh is None:
            return False
        fresh.patience(within)
        answered = self.probe(fresh, within)
        if answered:
            old = self.links.pop(0, None)
            if old is not None:
                old.end("closed")
            self.links[0] = self.links.pop(-1)
            self.links[0].number = 0
            self.links[0].patience(self.within)
            self.links[0].forget()
        return answered

    def close(self, tell: bool = True) -> None:
        """Close the connections, and the session."""
        for link in self.links.values():
            link.end("closed")
        self.links.clear()
        if self._listener is not None:
            self._listener.close()
        if tell and not self.upper.death():
            with contextlib.suppress(StageFailed):
                self._call("close")


__all__ = ["ADDRESS", "PLAN", "Link", "Outcome", "Stage", "StageFailed", "Upper"]
