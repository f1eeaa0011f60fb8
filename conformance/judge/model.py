"""What the rules look at: connections with their STUN messages, and what offer and answer told.

A rule is a generator over an `Exchange` that says what it saw: `HELD` where the requirement was met, `broken(...)`
where it was not, `unclear(...)` where there was something to judge and the capture does not hold enough for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from conformance.catalogue import requirement as look_up
from conformance.judge.known import Known
from conformance.judge.talk import Stun, Talk
from conformance.verdict import Verdict
from conformance.wire.attributes import Address
from conformance.wire.text import visible
from pcaps.connections import Connection, Event
from pcaps.reading import Attempt


@dataclass(slots=True)
class Exchange:
    """All there is to judge: connections of ICE, attempts, and what is known. ``until_ns``: the capture's end.

    ``partial``: earlier connections of a very large capture were judged already and are no longer here. ``strangers``:
    ends of connections whose beginning the capture does not hold and that do not show what they are. ``untimed``: the
    capture's clock went back or stood still, so that connections cannot be put in order.
    """

    talks: Sequence[Talk]
    attempts: Sequence[Attempt] = ()
    known: Known = field(default_factory=Known)
    until_ns: int = 0
    partial: bool = False
    strangers: Collection[tuple[Address, Address]] = ()
    untimed: bool = False

    found: dict[str, object] = field(default_factory=dict)  # what several rules of a topic ask for
    _sides: list[tuple[Talk, bool]] | None = None  # many rules ask for the same
    _checks: list[tuple[Talk, Stun]] | None = None
    _answers: list[tuple[Talk, Stun]] | None = None
    _responses: list[tuple[Talk, Stun, list[Stun]]] | None = None
    _all_answers: list[tuple[Talk, Stun, list[Stun]]] | None = None

    def sides(self) -> list[tuple[Talk, bool]]:
        """Return each connection with each side of it that is judged (true: the client)."""
        if self._sides is None:
            judges = self.known.judges
            both = ((talk, client) for talk in self.talks for client in (True, False))
            self._sides = [(talk, client) for talk, client in both if judges(talk.address(client=client))]
        return self._sides

    def checks(self) -> list[tuple[Talk, Stun]]:
        """Return the connectivity checks of judged agents."""
        if self._checks is None:
            sides = self.sides()
            self._checks = [(talk, s) for talk, client in sides for s in talk.sent(client=client) if s.is_check]
        return self._checks

    def answers(self) -> list[tuple[Talk, Stun]]:
        """Return the responses of judged agents to connectivity checks, errors included."""
        if self._answers is None:
            self._answers = [(talk, stun) for talk, stun, _ in self._to_checks() if stun.valid]
        return self._answers

    def responses(self) -> list[tuple[Talk, Stun, list[Stun]]]:
        """Return the success responses of judged agents to connectivity checks, with the checks they may answer."""
        if self._responses is None:
            self._responses = [answer for answer in self._to_checks() if answer[1].is_success]
        return self._responses

    def _to_checks(self) -> list[tuple[Talk, Stun, list[Stun]]]:
        """Return the responses of judged agents to connectivity checks, whatever they are, with these checks."""
        if self._all_answers is None:
            sides = self.sides()
            mine = ((talk, s) for talk, client in sides for s in talk.sent(client=client) if s.is_response)
            asked = ((talk, stun, talk.requests_for(stun)) for talk, stun in mine)
            self._all_answers = [answer for answer in asked if any(request.is_check for request in answer[2])]
        return self._all_answers


# -- what a rule says --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Observation:
    """One thing that a rule saw. ``agent`` is the address of who is judged, ``connection`` where it was seen.

    Nobody changes one. It is not frozen because each doubt about each message makes one, and freezing doubles its cost.
    """

    verdict: Verdict
    reason: str = ""
    expected: str = ""
    actual: str = ""
    connection: Connection | None = None
    time_ns: int = 0
    agent: str = ""

    def __post_init__(self) -> None:
        """Escape what came from the wire or from a description: it goes to terminals and reports."""
        if not (self.reason + self.expected + self.actual).isprintable():
            self.reason, self.expected, self.actual = map(visible, (self.reason, self.expected, self.actual))


HELD = Observation(Verdict.PASS)


def reading(text: str) -> Observation:
    """Return that the requirement is met by one of two honest readings of it."""
    return Observation(Verdict.PASS, text)


def broken(talk: Talk, stun: Stun | Event, reason: str, *, expected: str, actual: str = "") -> Observation:
    """Return that the sender of a message broke the requirement."""
    event = stun.event if isinstance(stun, Stun) else stun
    agent = str(talk.address(client=event.from_client))
    return Observation(
        Verdict.FAIL, f"{agent} {reason}", expected, actual or reason, talk.connection, event.time_ns, agent
    )


def unclear(reason: str, talk: Talk | None = None) -> Observation:
    """Return that there was something to judge, and why it could not be."""
    where = f" ({talk})" if talk is not None else ""
    return Observation(Verdict.INCONC, reason + where, connection=talk.connection if talk else None)


def hole(talk: Talk) -> str:
    """Return, in words, what a connection's capture lacks."""
    if not talk.hole:
        talk.hole = _hole(talk)
    return talk.hole


def _hole(talk: Talk) -> str:
    connection = talk.connection
    if connection.clipped:
        return f"{connection.clipped} of the connection's events were too many to be kept"
    if connection.lossy:
        return "octets are missing from the capture"
    if any(talk.complete[side] and not talk.legible(client=side) for side in (True, False)):
        return "what one side sent cannot be read"
    if connection.disordered and all(talk.complete.values()):
        return "the packets' times contradict their order"
    return "the capture does not hold the connection's beginning"


Looker = Callable[[Exchange], Iterable[Observation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it is called, what it holds an exchange against, and how.

    ``requirements``: first the sentence itself, then the sentence of RFC 6544 that asks for it, if there is one.
    """

    name: str
    requirements: tuple[str, ...]
    title: str
    look: Looker

    @property
    def requirement(self) -> str:
        """The sentence itself."""
        return self.requirements[0]

    @property
    def section(self) -> str:
        """RFC and section of the sentence."""
        return self.requirement.rpartition("-")[0]

    @property
    def id(self) -> str:
        """What the rule is called in reports."""
        return f"{self.section}/judge_{self.name}"


RULES: list[Rule] = []


def rule_of(name: str) -> Rule | None:
    """Return the rule of an id, or of a name with or without "judge_"; None: there is none."""
    short = name.strip().rpartition("/")[2].removeprefix("judge_")
    found = next((entry for entry in RULES if entry.name == short), None)
    return found if found is not None and name.strip() in (found.id, found.name, f"judge_{found.name}") else None


def rule(*requirements: str, title: str) -> Callable[[Looker], Looker]:
    """Make a function a rule of these requirements; its name is the rule's."""
    for requirement in requirements:
        look_up(requirement)

    def register(function: Looker) -> Looker:
        RULES.append(Rule(function.__name__, requirements, title, function))
        return function

    return register
