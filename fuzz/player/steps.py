"""Plays the steps of cases in a session. What was sent and what came back is the outcome, which others judge."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from fuzz.player.connection import GONE, SOON, Connection
from fuzz.player.description import fill, mid_of
from fuzz.player.outcome import PLAN, Outcome, SessionFailed, Upper
from fuzz.player.reading import code_of
from fuzz.player.render import check, frame, pieces, request
from fuzz.player.session import Session

_MUTE = (*GONE, "half")  # ends after which we can send nothing more
_SERVED = 0.003  # seconds for the IUT to serve its other connections


class Player(Session):
    """A session in which cases are played, one after the other."""

    def __init__(self, upper: Upper, plan: dict[str, Any], within: float = 1.0) -> None:
        super().__init__(upper, plan, within)
        # By the place of frames in memory: the frames, what they were made for, their octets, the last id.
        self._made: dict[int, tuple[list[dict[str, Any]], tuple[bytes, bool], bytes, bytes]] = {}
        self._later: list[tuple[Connection, bytes, bool]] = []  # connection, id, whether it is that of the case itself

    def foresee(self, steps: list[dict[str, Any]]) -> None:
        """Prepare a later case: connect, and make the octets that do not depend on what comes before."""
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
        """Return frames as octets. Those made ahead are used once, since a repetition needs new ids."""
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
        first = self.connections.get(0)
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
        """Put the connections into the outcome. Those of the case, and those of no more use, end here."""
        for number in list(self.connections):
            connection = self.connections[number]
            if number or connection.ended or connection.closed or not connection.aligned:
                if connection not in outcome.connections:
                    outcome.connections.append(connection)
                if not connection.ended:
                    connection.drain()
                connection.end("closed")
                del self.connections[number]
            elif connection.sent:
                outcome.settle(connection, connection.record())

    def _do_send(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send frames, cut as the schedule says; "probe": then a valid check, and wait for its answer.

        "later": wait only when all neighbouring steps with that word were done. "stop": send only so many octets;
        `rest` sends the others. A step without frames probes the IUT after traffic on other connections, so the IUT
        gets a moment to serve them.
        """
        connection = self.connection(step["on"], step.get("component", 1), candidate=step.get("candidate", 0))
        if connection is None or connection.ended in _MUTE:
            return
        if connection.unanswered:
            self.env.peer_id = connection.unanswered[-1]
            self.know_peer(connection)
        if not step["frames"]:
            time.sleep(_SERVED)
        whole = self._make(step["frames"])
        if "stop" in step:
            stop = step["stop"] % (len(whole) or 1)
            connection.rest = whole[stop:]
            self._write(connection, whole[:stop], b"", step)
        else:
            self._finish(connection, whole, step, outcome)

    def _do_rest(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send what was held back."""
        connection = self.connections.get(step["on"])
        if connection is not None and connection.ended not in _MUTE:
            whole, connection.rest = connection.rest, b""
            self._finish(connection, whole, step, outcome)

    def _finish(self, connection: Connection, whole: bytes, step: dict[str, Any], outcome: Outcome) -> None:
        wanted = step.get("probe")
        if "later" in step:
            self._send_ahead(connection, whole, step, outcome)
            return
        if wanted == "silent" and self._answers(connection, whole, outcome):
            return
        probe = b""
        if wanted:
            probe = check(self.env)
            outcome.checks.add(probe[2:])
        self._write(connection, b"" if wanted == "silent" else whole, probe, step)
        if wanted and connection.aligned:
            identity = self.env.last_id
            outcome.probes.append((connection, identity, self.listen(connection, identity)))

    def _write(self, connection: Connection, whole: bytes, probe: bytes, step: dict[str, Any]) -> None:
        """Write octets and then the check: in one segment, or cut as the step says."""
        cuts, gap = step.get("cuts"), step.get("gap", 0)
        if not (self.separate or cuts):
            whole, probe = whole + probe, b""
        for piece in pieces(whole, cuts) if cuts else (whole,):
            connection.put(piece)
            if gap:
                time.sleep(gap / 1000)
        if probe:
            if self.separate:
                time.sleep(0.002)
            connection.put(probe)

    def _answers(self, connection: Connection, whole: bytes, outcome: Outcome) -> bool:
        """Send a request and wait for its answer, which shows as much as the answer to a separate check."""
        connection.put(whole)
        if not connection.aligned:
            return False
        identity = self.env.last_id
        self.eager += 1
        patient = 8 * self.silent <= self.eager  # do not wait for an IUT that often does not answer
        if patient and self.listen(connection, identity, SOON):
            outcome.probes.append((connection, identity, True))
            return True
        self.silent += 1
        return False

    def _send_ahead(self, connection: Connection, whole: bytes, step: dict[str, Any], outcome: Outcome) -> None:
        """Send frames, then a check unless the frames need an answer; `_await` waits for the answers."""
        probe, wanted = b"", step.get("probe")
        silent = wanted == "silent" and 8 * self.silent <= self.eager
        if wanted and not silent:
            probe = check(self.env)
            outcome.checks.add(probe[2:])
        self._write(connection, whole, probe, step)
        if wanted and connection.aligned:
            self._later.append((connection, self.env.last_id, silent))

    def _await(self, outcome: Outcome) -> None:
        """Wait for the answers to what was sent ahead. Send a check where a case's own message was not answered."""
        later, self._later = self._later, []
        if later:
            self.pause()
        for connection, identity, silent in later:
            if identity not in connection.answers:
                connection.receive(socket.MSG_DONTWAIT)
            self.eager += silent
            if silent and not self.listen(connection, identity, SOON):
                self.silent += 1
                probe = check(self.env)
                identity = self.env.last_id
                outcome.checks.add(probe[2:])
                connection.put(probe)
            outcome.probes.append((connection, identity, self.listen(connection, identity)))

    def _do_role(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Find out which role the IUT has, and take the other: it lets us control if it is controlled, and only then.

        The least tie-breaker wins no conflict (RFC 8445 section 7.3.1.1), so that asking changes nothing.
        """
        connection = self.connections.get(0)
        if connection is None or connection.ended or connection.closed:
            return
        asked = request()
        asked["attributes"][2] = {"type": 0x802A, "value": "00*8"}
        whole = frame({"message": asked}, self.env)
        connection.put(whole)
        outcome.asked = whole[2:]
        outcome.checks.add(outcome.asked)
        identity = self.env.last_id
        if self.listen(connection, identity) and (code := code_of(connection.answers[identity][0])) in (0, 487):
            outcome.controlling = self.env.controlling = code == 0

    def _do_raw(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send octets without a frame."""
        connection = self.connection(step["on"])
        if connection is not None and connection.ended not in _MUTE:
            connection.put(bytes.fromhex(step["octets"]))

    def _do_hear(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Wait for a check of the IUT; the next step may answer it."""
        connection = self.connection(step["on"], step.get("component", 1))
        if connection is None:
            return
        answering, self.answering = self.answering, False
        deadline = time.monotonic() + min(self.within, 0.15)
        while not connection.unanswered and not connection.closed and time.monotonic() < deadline:
            connection.receive()
        self.answering = answering

    def _do_end(self, step: dict[str, Any], outcome: Outcome) -> None:
        connection = self.connection(step["on"], step.get("component", 1))
        if connection is not None:
            connection.end(step["how"])
            if step["how"] in GONE:
                outcome.connections.append(self.connections.pop(step["on"]))

    def _do_open(self, step: dict[str, Any], outcome: Outcome) -> None:
        for number in range(step["on"], step["on"] + step.get("count", 1)):
            self.connection(number, step.get("component", 1), candidate=step.get("candidate", 0))

    def _do_urgent(self, step: dict[str, Any], outcome: Outcome) -> None:
        connection = self.connection(step["on"])
        if connection is not None and not connection.ended:
            with contextlib.suppress(OSError):
                connection.sock.send(bytes.fromhex(step["octets"]), socket.MSG_OOB)
                # By default a receiver does not get the urgent octet in the stream, so we cannot model what it reads.
                connection.ended = "urgent"

    def _do_flood(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Send a frame many times, read nothing, and give the IUT the time to take it in."""
        connection = self.connection(step["on"], small=True)
        if connection is None:
            return
        connection.patience(0.05)
        for _ in range(step["times"]):
            if connection.ended or connection.closed:
                break
            connection.put(frame(step["frame"], self.env))
        connection.patience(self.within)
        first = self.connections.get(0)
        for _ in range(step["times"] // 500):
            if first is None or not self.probe(first):
                break

    def _do_wait(self, step: dict[str, Any], outcome: Outcome) -> None:
        time.sleep(step["ms"] / 1000)

    def _do_accept(self, step: dict[str, Any], outcome: Outcome) -> None:
        try:
            self.accept()
        except SessionFailed as error:
            outcome.refused(error)

    def _do_call(self, step: dict[str, Any], outcome: Outcome) -> None:
        try:
            self._call(step["method"], **step.get("params", {}))
        except SessionFailed as error:
            outcome.refused(error)

    def _do_trickle(self, step: dict[str, Any], outcome: Outcome) -> None:
        """Give the IUT a candidate line."""
        try:
            line = fill(step["line"], self.env, self.port)
            self._call("trickle", candidate=line.removeprefix("a="), mid=mid_of(self.offer))
        except SessionFailed as error:
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
        except SessionFailed as error:
            outcome.refused(error)


def timeless(spec: dict[str, Any]) -> bool:
    """Whether a frame does not depend on the last request of either side."""
    message = spec.get("message")
    if message is None or message.get("id", "")[:1] == "$":
        return False
    return all(one["value"] != "$mapped" for one in message["attributes"])


__all__ = ["PLAN", "Connection", "Outcome", "Player", "SessionFailed", "Upper"]
