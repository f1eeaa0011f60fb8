"""A played cell as its files show it: descriptions, connections by side, breaches, and how far it came."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance import verdict
from conformance.catalogue import requirement as look_up
from conformance.interop.cell import CAPTURE, FACTS
from conformance.interop.model import SIDES, Breach, Facts, Stage
from conformance.judge import Exchange, Known, Talk, judge
from conformance.wire.errors import SdpError
from conformance.wire.sdp import SessionDescription
from pcaps.pcapng import CaptureError, read_file
from pcaps.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conformance.interop.model import Cell
    from conformance.judge import Judgement, Observation
    from conformance.judge.talk import Stun
    from pcaps.connections import Connection

_DESCRIPTIONS = {"offerer": "offer.sdp", "answerer": "answer.sdp"}


class Unreadable(Exception):
    """The files of a cell cannot be read; the message says which."""


@dataclass(slots=True)
class Evidence:
    """All there is to judge a cell by. ``until_ns``: the capture's end. ``silent``: connections without a frame."""

    cell: Cell
    facts: Facts
    described: dict[str, SessionDescription]
    known: Known
    talks: list[Talk]
    connections: list[Connection]
    until_ns: int
    breaches: list[Breach] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    marks: list[verdict.Breach] = field(default_factory=list)  # the same breaches, for drawings

    def side_at(self, ip: str) -> str:
        """Return which side has an address."""
        return next((side for side in SIDES if ip in self.facts.addresses.get(side, ())), "")

    def side(self, talk: Talk, *, client: bool) -> str:
        """Return which side is the client of a connection, or the server."""
        return self.side_at(talk.address(client=client).ip)

    def name(self, side: str) -> str:
        """Return what a side is called in sentences."""
        stack = self.cell.stack(side)
        return f"{stack} ({side})" if self.cell.offerer == self.cell.answerer else stack

    def is_lite(self, side: str) -> bool:
        """Whether a side is lite: it sends no checks."""
        return side in self.described and self.described[side].ice_lite

    def checks(self) -> Iterator[tuple[Talk, Stun, str]]:
        """Yield the checks that a receiver can read, with who sent them."""
        for talk in self.talks:
            for stun in talk.stun:
                if stun.is_check and stun.valid:
                    yield talk, stun, self.side(talk, client=stun.from_client)

    @property
    def stage(self) -> Stage:
        """How far the session came."""
        if all(self.facts.received.get(side) for side in SIDES):
            return Stage.MEDIA
        if self._is_selected:
            return Stage.SELECTION
        answered = [
            request for talk in self.talks for client in (True, False)
            for request, _ in talk.successes(self.known, client=client)
        ]  # fmt: skip
        if any(request.message.use_candidate for request in answered):
            return Stage.NOMINATION
        if answered:
            return Stage.SUCCESS
        if any(True for _ in self.checks()):
            return Stage.CHECK
        events = {event.what for connection in self.connections for event in connection.events}
        if "syn-ack" in events:
            return Stage.CONNECTED
        if events:
            return Stage.SYN
        return Stage.DESCRIBED if len(self.described) == len(SIDES) and self.facts.described_ns else Stage.NOTHING

    @property
    def _is_selected(self) -> bool:
        """Whether both sides say that they are connected, or the wire shows it of those who never say."""
        told = [side for side in SIDES if self.facts.reports(side, "state")]
        if any(self.facts.said(side, "connected", "completed") is None for side in told):
            return False
        return any(
            request.message.use_candidate
            for talk in self.talks
            for client in (True, False)
            for request, _ in talk.successes(self.known, client=client)
        )

    def payload(self, side: str) -> bytes:
        """Return what a side's application was told to send."""
        return base64.b64decode(self.facts.payloads.get(side, ""))


def read(cell: Cell, folder: Path) -> Evidence:
    """Read what a played cell has left and hold the judge's rules against it. Raises `Unreadable`."""
    facts = _facts(folder)
    described = dict(_described(folder))
    known = replace(Known.of(list(described.items())), whole=not cell.nat and len(described) == len(SIDES))
    reading, last_ns = _reading(folder / CAPTURE)
    until_ns = max(last_ns, facts.described_ns + int(facts.waited * 1e9))  # recorded was until then, also silence
    aimed = known.endpoints()
    read_all = [Talk(connection, aimed) for connection in reading.ended]
    talks = sorted(
        (talk for talk in read_all if talk.checked or talk.connection.server in aimed),
        key=lambda talk: talk.connection.first_ns,
    )
    exchange = Exchange(talks, reading.attempts, known, until_ns, False, reading.strangers, False)
    evidence = Evidence(cell, facts, described, known, talks, _between_both(reading, facts), until_ns)
    evidence.judgements = judge(exchange)
    evidence.marks = [
        verdict.Breach(
            judgement.rule.id,
            judgement.rule.requirement,
            judgement.rule.title,
            observation.reason,
            observation.agent,
            observation.time_ns,
        )
        for judgement in evidence.judgements
        for observation in judgement.broken
    ]
    evidence.breaches = _counted(sorted(_breaches(evidence), key=lambda breach: breach.at_ns))
    return evidence


def _facts(folder: Path) -> Facts:
    try:
        return Facts.of(json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise Unreadable(f"{folder / FACTS} cannot be read: {error}") from None


def _described(folder: Path) -> Iterator[tuple[str, SessionDescription]]:
    for side, name in _DESCRIPTIONS.items():
        path = folder / name
        if path.exists():
            try:
                yield side, SessionDescription.parse(path.read_bytes())
            except (OSError, SdpError) as error:
                raise Unreadable(f"{path} cannot be read: {error}") from None


def _reading(path: Path) -> tuple[Reading, int]:
    reading, until_ns = Reading(full=True), 0
    try:
        for packet in read_file(path):
            reading.take(packet)
            until_ns = max(until_ns, packet.time_ns)
    except CaptureError:
        if not reading.packets:  # nothing was sent: a capture without a packet
            return reading, 0
        raise Unreadable(f"{path} breaks off") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from None
    reading.finish()
    return reading, until_ns


def _between_both(reading: Reading, facts: Facts) -> list[Connection]:
    """Return the connections from one side to the other, and what was tried of them."""
    both = {ip for ips in facts.addresses.values() for ip in ips}
    return [c for c in reading.connections if c.client.ip in both and c.server.ip in both]


def _breaches(evidence: Evidence) -> Iterator[Breach]:
    for judgement in evidence.judgements:
        for observation in judgement.broken:
            side = _whose(evidence, observation)
            if side:
                asked = look_up(judgement.rule.requirement)
                text = observation.reason.removeprefix(observation.agent).removeprefix(":").strip()
                yield Breach(
                    side,
                    asked.id,
                    asked.level.value,
                    text,
                    judgement.rule.title,
                    observation.expected,
                    observation.time_ns,
                    rule=judgement.rule.name,
                )


def _counted(breaches: Iterable[Breach]) -> list[Breach]:
    """Return each breach once, with how often its side broke the rule."""
    found: dict[tuple[str, str], Breach] = {}
    for breach in breaches:
        first = found.setdefault((breach.side, breach.rule), breach)
        first.times += first is not breach
    return list(found.values())


def _whose(evidence: Evidence, observation: Observation) -> str:
    """Return the side that an observation is about: it names a side, or the address of an agent."""
    if observation.agent in SIDES:
        return observation.agent
    return evidence.side_at(observation.agent.rpartition(":")[0].strip("[]"))
