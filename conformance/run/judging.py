"""Captures held against the rules of `conformance.judge`: one from the field, or all those of a run."""

from __future__ import annotations

import gc
import io
import shlex
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conformance.catalogue import requirement as look_up
from conformance.judge import RULES, Exchange, Judgement, Known, Talk
from conformance.judge.talk import trusted
from conformance.verdict import Breach, Result, variant_of
from pcaps.ladder import render
from pcaps.pcapng import CaptureError, read_file, read_stream
from pcaps.reading import Reading

if TYPE_CHECKING:
    from conformance.judge import Observation, Rule
    from conformance.run.recording import CaseCapture
    from pcaps.connections import Connection
    from pcaps.pcapng import Packet

_OBJECTS = 500_000  # made between two looks for cycles: about as many as a full budget has
_BUDGET = 60_000  # events that are kept before finished connections are judged and let go of
_OF_DESCRIPTIONS = {rule.name for rule in RULES if rule.look.__module__ == "conformance.judge.candidates"}
_TOLERANCE_NS = 100_000_000  # by so much packets of several processors may be out of order
_MOST_NAMES = 10_000
_OF_CASES = [
    rule for rule in RULES if rule.name not in _OF_DESCRIPTIONS and rule.name != "few_attempts_are_outstanding"
]
_QUICKEST_NS = 2_000  # from one packet to the next, on average: a capture with less has no clock
_SIDES = {"IUT", "tester"}  # whose descriptions must be known before it is known what nobody said
_LOOK = 4096  # packets between two looks at the budget


@dataclass(slots=True)
class JudgedCapture:
    """One capture, read and judged. ``cut``: why the file could not be read to its end."""

    judgements: list[Judgement]
    reading: Reading
    cut: str = ""
    talks: int = 0
    seen: int = 0  # those of judged agents on which there was STUN of ICE
    requests: int = 0
    until_ns: int = 0
    from_ns: int = 0
    set_back: bool = False  # the capture's clock went back
    shown: list[Connection] = field(default_factory=list)  # the first connections of ICE, for the ladder
    names: set[str] = field(default_factory=set)  # user name fragments in checks

    @property
    def saw_an_exchange(self) -> bool:
        """Whether a connection of a judged agent was seen on which there was ICE."""
        return self.seen > 0


def judge_file(path: Path, known: Known, rules: Sequence[Rule] = RULES, *, show: int = 0) -> JudgedCapture:
    """Read a capture in one pass and judge it. Raises `CaptureError` if its beginning is no capture, and `OSError`."""
    return judge_packets(read_file(path), known, rules, show=show)


def judge_packets(
    packets: Iterator[Packet], known: Known, rules: Sequence[Rule] = RULES, *, show: int = 0, full: bool = False
) -> JudgedCapture:
    """Judge packets as they come. What came before a `CaptureError` is judged; if nothing did, it is raised.

    `full` is for captures of our own: nothing of them is passed over or let go of.
    """
    first = next(packets, None)
    reading = Reading(known.endpoints(active=True).__contains__, full=full)
    judged = JudgedCapture([Judgement(rule) for rule in rules], reading, from_ns=0 if first is None else first.time_ns)
    with _rare_collections():
        try:
            _take(judged, () if first is None else (first,), known, show)
            _take(judged, packets, known, show)
        except CaptureError as error:
            judged.cut = str(error)
        reading.finish()
        _judge_ended(judged, known, show, last=True)
    return judged


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles seldom: packets make a great many objects that live for long, and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _take(judged: JudgedCapture, packets: Iterable[Packet], known: Known, show: int) -> None:
    reading = judged.reading
    for packet in packets:
        reading.take(packet)
        if packet.time_ns >= judged.until_ns:
            judged.until_ns = packet.time_ns
        elif packet.time_ns < judged.until_ns - _TOLERANCE_NS:
            judged.set_back = True
        if reading.packets % _LOOK == 0 and reading.weight > _BUDGET and not reading.full:
            reading.relieve(_BUDGET // 2)
            _judge_ended(judged, known, show)


def _judge_ended(judged: JudgedCapture, known: Known, show: int, *, last: bool = False) -> None:
    """Judge the connections that are over, and let go of them."""
    reading = judged.reading
    aimed = known.endpoints()
    read = [Talk(connection, aimed) for connection in reading.ended]
    talks = [talk for talk in read if talk.checked or talk.connection.server in aimed]
    for connection in reading.ended:
        if not connection.began:
            reading.strange(connection.client, connection.server)
    talks.sort(key=lambda talk: talk.connection.first_ns)
    partial = judged.talks > 0 or reading.many_strangers
    judged.talks += len(talks)
    judged.seen += sum(talk.checked and any(map(known.judges, talk.ends)) for talk in talks)
    judged.requests += sum(stun.is_check for talk in talks for stun in talk.stun)
    if len(judged.names) < _MOST_NAMES:
        names = (stun.username for talk in talks for stun in talk.stun if stun.is_check and stun.username)
        judged.names.update(fragment for name in names for fragment in name.split(":"))
    judged.shown += [talk.connection for talk in talks[: max(0, show - len(judged.shown))]]
    if not reading.full:
        reading.let_go()
    exchange = Exchange(
        talks,
        reading.attempts if last else [],
        trusted(known, talks),
        judged.until_ns,
        partial,
        reading.strangers,
        judged.set_back or judged.until_ns - judged.from_ns < reading.packets * _QUICKEST_NS,
    )
    for judgement in judged.judgements:
        judgement.take(judgement.rule.look(exchange))


# -- the captures of a run ---------------------------------------------------------------------------------------------


def sum_up(
    judged: Iterable[tuple[CaseCapture, list[Judgement]]], blank: Result, root: Path
) -> tuple[list[Result], dict[str, int]]:
    """Return a verdict for each rule that the IUT broke or kept, and how often each rule held.

    `blank` has, as its repeat command, one with a place for the ``{case}``. Doubts do not count: a tester
    leaves gaps on purpose.
    """
    sums = {rule.name: Judgement(rule) for rule in _OF_CASES}
    seen: defaultdict[str, list[_Broken]] = defaultdict(list)
    for capture, judgements in judged:
        broken = breaches(judgements)
        for judgement in judgements:
            if judgement.breaches:
                leads = broken[0].rule == judgement.rule.id
                seen[judgement.rule.name].append(_Broken(capture, judgement.broken[0], broken, leads))
            sums[judgement.rule.name].add(judgement)
    findings = [_of_run(sums[name], _typical(found), blank, root) for name, found in seen.items()]
    for name, total in sums.items():
        if total.held and name not in seen:
            total.doubts, total.unclear = 0, []
            findings.append(replace(result_of(total, blank), repeat=blank.repeat.format(case=total.rule.id)))
    return findings, {name: total.held for name, total in sums.items()}


def judge_case(octets: bytes, capture: CaseCapture) -> JudgedCapture:
    """Hold the rules against the octets of a case's capture; the tester is not judged. Raises `CaptureError`.

    Left out are the rules for which cases have better evidence than a capture: those on descriptions, and how many
    attempts are outstanding, which the kernel's own table tells to the millisecond.
    """
    names = {name for name, _ in capture.exchanged}
    known = Known.of([(name, description) for name, description in capture.exchanged if name in _SIDES])
    known = replace(known, spared=capture.tester, whole=names == _SIDES)
    return judge_packets(read_stream(io.BytesIO(octets)), known, _OF_CASES, full=True)


def breaches(judgements: Iterable[Judgement]) -> tuple[Breach, ...]:
    """Return the rules that a capture breaks, the one that it breaks first before all."""
    first = [(min(judgement.broken, key=_time), judgement.rule) for judgement in judgements if judgement.broken]
    return tuple(_breach(seen, rule) for seen, rule in sorted(first, key=lambda pair: pair[0].time_ns))


def _breach(seen: Observation, rule: Rule) -> Breach:
    return Breach(rule.id, rule.requirement, rule.title, seen.reason, seen.agent, seen.time_ns)


def _time(seen: Observation) -> int:
    return seen.time_ns


class _Broken(NamedTuple):
    """A capture in which a rule is broken. ``leads``: nothing else went wrong in it before."""

    capture: CaseCapture
    seen: Observation
    broken: tuple[Breach, ...]
    leads: bool


def _typical(found: Sequence[_Broken]) -> _Broken:
    """Return the first capture in which a breach comes about as it mostly does: alone, or after another one."""
    leads = 2 * sum(one.leads for one in found) >= len(found)
    return next(one for one in found if one.leads is leads)


def _of_run(total: Judgement, origin: _Broken, blank: Result, root: Path) -> Result:
    total.broken.insert(0, origin.seen)
    result = result_of(total, blank, origin.capture.names)
    result.repeat = blank.repeat.format(case=shlex.quote(variant_of(origin.capture.case)))
    result.reason = f"in {origin.capture.case}: {result.reason}"
    result.capture = str(origin.capture.path.relative_to(root))
    result.broken = origin.broken
    return result


# -- verdicts ----------------------------------------------------------------------------------------------------------


def result_of(judgement: Judgement, blank: Result, names: Mapping[str, str] | None = None) -> Result:
    """Return the verdict of a rule as a result like a case's; `blank` gives what is the same for all."""
    asked = look_up(judgement.rule.requirement)
    result = replace(
        blank,
        case=judgement.rule.id,
        title=judgement.rule.title,
        section=judgement.rule.section,
        requirements=judgement.rule.requirements,
        level=asked.level,
        verdict=judgement.verdict,
        note="; ".join(judgement.readings),
    )
    worst = (judgement.broken or judgement.unclear)[:1]
    if worst:
        _explain(result, worst[0], (judgement.breaches or judgement.doubts) - 1, names or {})
    return result


def _explain(result: Result, seen: Observation, more: int, names: Mapping[str, str]) -> None:
    result.reason = seen.reason + (f" (and {more} more)" if more else "")
    result.expected, result.actual = seen.expected, seen.actual
    if seen.connection is not None:
        result.ladder = render([seen.connection], names)


def blank_result(iut: str, repeat: str, started: float | None = None) -> Result:
    """Return what every verdict of a judge has in common."""
    asked = look_up("RFC6544-7.1-03")
    return Result(
        case="",
        title="",
        section="",
        requirements=(),
        level=asked.level,
        iut=iut,
        started=time.time() if started is None else started,
        repeat=repeat,
    )
