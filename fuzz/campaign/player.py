"""Plays cases on a stage; what they sent and what came back is handed over as an outcome, to be judged elsewhere.

Nothing but the standard library is used: this text is also a part of every finding's `replay.py`.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from fuzz.campaign.link import GONE, SOON, Link
from fuzz.campaign.offer import fill, mid_of
from fuzz.campaign.outcome import PLAN, Outcome, StageFailed, Upper
from fuzz.campaign.stage import Stage
from fuzz.render import check, code_of, frame, pieces, request

_MUTE = (*GONE, "half")  # how we ended a connection that takes nothing from us any more
_SERVED = 0.003  # seconds in which the IUT comes to what arrived on other connections


class Player(Stage):
    """A stage that cases are played on, one after the other."""

    def __init__(self, upper: Upper, plan: dict[str, Any], within: float = 1.0) -> None:
        super().__init__(upper, plan, within)
        # By the place of frames in memory: the frames, what they were made for, their octets, the last id.
        self._made: dict[int, tuple[list[dict[str, Any]], tuple[bytes, bool], bytes, bytes]] = {}
        self._later: list[tuple[Link, bytes, bool]] = []  # connection, id, whether it is that of the case itself

    def foresee(self, steps: list[dict[str, Any]]) -> None:
        """Do what can be done of a case before its turn: connect, and make octets that do not depend on the moment."""
        super().foresee(steps)
        env = self.env
        last = env.last_id
        self._made.clear()
        for place, step in enumerate(steps):
            frames = step.get("frames")
            if frames and (place == 0 or "later" in step) and all(map(timeless, frames)):
                whole = b"".join([frame(one, env) for one in frames])
                self._made[id(frames)] = frames, (env.key, env.controlling), whole, env.last_id
        env.last_id = last

    def _make(self, frames: list[dict[str, Any]]) -> bytes:
        """Return frames as octets. What was made ahead serves once: another time they get ids of their own."""
        env = self.env
        made = self._made.pop(id(frames), None)
        if made is not None and made[0] is frames and made[1] == (env.key, env.controlling):
            env.last_id = made[3]
            return made[2]
        return b"".join([frame(one, env) for one in frames])

    def play(self, steps: list[dict[str, Any]]) -> Outcome:
        """Play a case's steps."""
        outcome = Outcome()
        begun = time.perf_counter()
        first = self.links.get(0)
        if first is not None:
            first.forget()
        for step in steps:
            if self._later and "later" not in step:
                self._await(outcome)
            getattr(self, "_do_" + step["do"])(step, outcome)
            answered = outcome.probes and outcome.probes[-1][2]
            if not answered and "later" not in step and self.upper.death():
                break
        self._await(outcome)
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

        "later": what is to come back is waited for when all the steps with that word next to each other were done.
        "stop": only so many octets for the moment; the rest is for `rest`, or never comes. Without frames it is to be
        seen how the IUT does after what came on other connections, which it is left a moment for.
        """
        link = self.link(step["on"], step.get("component", 1), candidate=step.get("candidate", 0))
        if link is None or link.ended in _MUTE:
            return
        if link.unanswered:
            self.env.peer_id = link.unanswered[-1]
            self.know_peer(link)
        if not step["frames"]:
            time.sleep(_SERVED)
        whole = self._make(step["frames"])
        if "stop" in step:
            stop = step["stop"] % (len(whole) or 1)
            link.rest = whole[stop:]
            self._write(link, whole[:stop], b"", step)
        else:
            self._finish(link, whole, step, outcome)

    def _do_rest(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send what was held back."""
        link = self.links.get(step["on"])
        if link is not None and link.ended not in _MUTE:
            whole, link.rest = link.rest, b""
            self._finish(link, whole, step, outcome)

    def _finish(self, link: Link, whole: bytes, step: dict[str, Any], outcome: Outcome) -> None:
        wanted = step.get("probe")
        if "later" in step:
            self._send_ahead(link, whole, step, outcome)
            return
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
        if not link.aligned:
            return False
        identity = self.env.last_id
        self.eager += 1
        patient = 8 * self.silent <= self.eager  # an IUT that often says nothing is not waited for
        if patient and self.listen(link, identity, SOON):
            outcome.probes.append((link, identity, True))
            return True
        self.silent += 1
        return False

    def _send_ahead(self, link: Link, whole: bytes, step: dict[str, Any], outcome: Outcome) -> None:
        """Send frames, and a check behind them unless they are to be answered; `_await` is for what comes back."""
        probe, wanted = b"", step.get("probe")
        silent = wanted == "silent" and 8 * self.silent <= self.eager
        if wanted and not silent:
            probe = check(self.env)
            outcome.checks.add(probe[2:])
        self._write(link, whole, probe, step)
        if wanted and link.aligned:
            self._later.append((link, self.env.last_id, silent))

    def _await(self, outcome: Outcome) -> None:
        """Wait for the answers to what was sent ahead; a check goes where the case's own message was not answered."""
        later, self._later = self._later, []
        if later:
            self.pause()
        for link, identity, silent in later:
            if identity not in link.answers:
                link.receive(socket.MSG_DONTWAIT)
            self.eager += silent
            if silent and not self.listen(link, identity, SOON):
                self.silent += 1
                probe = check(self.env)
                identity = self.env.last_id
                outcome.checks.add(probe[2:])
                link.put(probe)
            outcome.probes.append((link, identity, self.listen(link, identity)))

    def _do_role(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Find out which role the IUT has, and take the other: it lets us control if it is controlled, and only then.

        The least tie-breaker wins no conflict (RFC 8445 section 7.3.1.1), so that asking changes nothing.
        """
        link = self.links.get(0)
        if link is None or link.ended or link.closed:
            return
        asked = request()
        asked["attributes"][2] = {"type": 0x802A, "value": "00*8"}
        whole = frame({"message": asked}, self.env)
        link.put(whole)
        outcome.asked = whole[2:]
        outcome.checks.add(outcome.asked)
        identity = self.env.last_id
        if self.listen(link, identity) and (code := code_of(link.answers[identity][0])) in (0, 487):
            outcome.controlling = self.env.controlling = code == 0

    def _do_raw(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send octets of the stream, in no frame."""
        link = self.link(step["on"])
        if link is not None and link.ended not in _MUTE:
            link.put(bytes.fromhex(step["octets"]))

    def _do_hear(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Wait for a check of the IUT, to answer it with what comes next."""
        link = self.link(step["on"], step.get("component", 1))
        if link is None:
            return
        answering, self.answering = self.answering, False
        deadline = time.monotonic() + min(self.within, 0.15)
        while not link.unanswered and not link.closed and time.monotonic() < deadline:
            link.receive()
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
            line = fill(step["line"], self.env, self.port)
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


def timeless(spec: dict[str, Any]) -> bool:
    """Whether a frame is the same now and later: a message that is not about the last request of either side."""
    message = spec.get("message")
    if message is None or message.get("id", "")[:1] == "$":
        return False
    return all(one["value"] != "$mapped" for one in message["attributes"])


__all__ = ["PLAN", "Link", "Outcome", "Player", "StageFailed", "Upper"]
