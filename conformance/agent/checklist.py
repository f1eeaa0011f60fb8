"""Check lists, the set they form, and whose turn it is (RFC 8445 sections 6.1.2.6, 6.1.4 and 8.1.2)."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conformance.agent.pairs import OPEN_STATES, Pair, PairEvent, PairState, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.wire.candidate import Candidate


class ListState(enum.Enum):
    """RFC 8445 section 6.1.2.1."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ListEvent(enum.Enum):
    """What happens to a check list."""

    SELECTED = "each component has its selected pair"
    EXHAUSTED = "nothing can succeed any more"
    TRIGGERED = "a triggered check is queued"


_R, _C, _F = ListState.RUNNING, ListState.COMPLETED, ListState.FAILED
# RFC 8445 sections 6.1.2.1, 8.1.2 and 8.3; a check of the peer's brings a failed list back to life (RFC 8863).
TRANSITIONS: dict[ListState, dict[ListEvent, ListState]] = {
    _R: {ListEvent.SELECTED: _C, ListEvent.EXHAUSTED: _F, ListEvent.TRIGGERED: _R},
    _C: {ListEvent.SELECTED: _C, ListEvent.EXHAUSTED: _F, ListEvent.TRIGGERED: _C},
    _F: {ListEvent.SELECTED: _C, ListEvent.EXHAUSTED: _F, ListEvent.TRIGGERED: _R},
}


class Choices(Protocol):
    """What is decided about the pairs of check lists; see `decisions.pairing`."""

    def gives_way(self, lists: Sequence[CheckList], most: int) -> CheckList | None:
        """Return the list that has to give up its lowest pair."""
        ...

    def waits_for_foundation(self, pair: Pair) -> bool:
        """Whether a pair is frozen while another one of its foundation is checked."""
        ...

    def thaws(self, pair: Pair) -> bool:
        """Whether a frozen pair is checked when nothing waits."""
        ...

    def thaws_with_success(self, pair: Pair) -> bool:
        """Whether a frozen pair may be checked once one of its foundation succeeded."""
        ...

    def triggered_first(self) -> bool:
        """Whether triggered checks go before all others."""
        ...

    def goes_first(self, pair: Pair) -> int:
        """Return what counts for more than a pair's priority."""
        ...


@dataclass(slots=True, eq=False)
class CheckList:
    """The pairs of one stream, those that wait for a triggered check, and those found valid."""

    components: int = 0
    pairs: list[Pair] = field(default_factory=list)
    triggered: deque[Pair] = field(default_factory=deque)
    valid: list[Pair] = field(default_factory=list)
    nominated: dict[int, Pair] = field(default_factory=dict)  # by component; members of `valid`
    state: ListState = ListState.RUNNING
    discarded: int = 0  # pairs, for the limit of the set
    concludes: bool = True  # a nomination ends its component's checks

    @property
    def running(self) -> bool:
        """Whether checks are still to be made."""
        return self.state is ListState.RUNNING

    def note(self, event: ListEvent) -> None:
        """Change the state as something happens."""
        self.state = TRANSITIONS[self.state][event]

    def insert(self, pair: Pair) -> None:
        """Put a pair in its place by priority."""
        self.pairs.append(pair)
        self._sort()

    def reprioritise(self, controlling: bool) -> None:
        """Compute all priorities anew, after a change of role (RFC 8445 section 7.3.1.1)."""
        for pair in (*self.pairs, *self.valid):
            pair.reprioritise(controlling)
        self._sort()

    def trigger(self, pair: Pair) -> None:
        """Queue a triggered check (RFC 8445 section 7.3.1.4)."""
        pair.note(PairEvent.TRIGGERED)
        if pair not in self.triggered:
            self.triggered.append(pair)
        self.note(ListEvent.TRIGGERED)

    def succeeded(self, pair: Pair, valid: Pair) -> None:
        """Note that a check of `pair` succeeded and made `valid`."""
        pair.note(PairEvent.SUCCEEDED)
        valid.note(PairEvent.SUCCEEDED)
        pair.valid = valid
        valid.origin = pair
        if valid not in self.valid:
            self.valid.append(valid)

    def invalidate(self, pair: Pair) -> None:
        """Note that a pair's check failed or its connection is gone."""
        pair.note(PairEvent.FAILED)
        if pair.valid is not None and pair.valid in self.valid:
            self.valid.remove(pair.valid)
            if self.nominated.get(pair.component) is pair.valid:
                del self.nominated[pair.component]
        pair.valid = None
        self._unqueue(pair)

    def discard(self, pair: Pair) -> None:
        """Take a pair out of the list."""
        self.pairs.remove(pair)
        self._unqueue(pair)

    def conclude_component(self, component: int) -> None:
        """Drop what is left of a component that has its nominated pair (RFC 8445 section 8.1.2)."""
        if not self.concludes:
            return
        chosen = self.nominated[component].origin
        for pair in [pair for pair in self.pairs if pair.component == component and pair is not chosen]:
            self.pairs.remove(pair)
            self._unqueue(pair)
        if chosen is not None:
            self._unqueue(chosen)

    def nominate(self, pair: Pair) -> None:
        """Mark the valid pair of `pair` as nominated; of several, the best counts (RFC 8445 section 8.1.1)."""
        valid = pair.valid
        assert valid is not None
        valid.nominated = True
        pair.nominate = pair.nominated_by_peer = False
        current = self.nominated.get(pair.component)
        if current is None or valid.priority > current.priority:
            self.nominated[pair.component] = valid
        self.conclude_component(pair.component)

    @property
    def all_nominated(self) -> bool:
        """Whether each component has its nominated pair."""
        return self.components > 0 and len(self.nominated) >= self.components

    def lost(self, pair: Pair) -> None:
        """Note that a pair can no longer be used: its check failed or its connection is gone."""
        was_nomination = pair.nominate or pair.nominated_by_peer or pair.valid in self.nominated.values()
        self.invalidate(pair)
        if pair.connection is not None and pair.connection.phase is Phase.CLOSED:
            pair.connection = None
        pair.nominate = pair.nominated_by_peer = False
        if was_nomination and self.running:
            self.note(ListEvent.EXHAUSTED)  # RFC 8445 sections 7.2.5.3.4 and 7.3.1.5

    def fail_remote(self, remote: Candidate) -> list[Pair]:
        """Fail every pair with a remote candidate that turned out not to be the peer's (RFC 6544 section 7.1)."""
        mine = [pair for pair in self.pairs if pair.remote.endpoint == remote.endpoint]
        failed = [pair for pair in mine if pair.state is not PairState.FAILED]
        for pair in failed:
            self.invalidate(pair)
        return failed

    def best_valid(self, component: int) -> Pair | None:
        """Return the valid pair of the highest priority."""
        return max((p for p in self.valid if p.component == component), key=lambda p: p.priority, default=None)

    def better_open(self, than: Pair) -> bool:
        """Whether a pair that may still succeed would be preferred to the one that made this valid pair."""
        made_by = than.origin or than
        return any(
            pair.state in OPEN_STATES and pair.component == than.component and pair.priority > made_by.priority
            for pair in self.pairs
        )

    @property
    def every_component_valid(self) -> bool:
        """Whether data could flow on every component."""
        return self.components > 0 and {p.component for p in self.valid} >= set(range(1, self.components + 1))

    @property
    def exhausted(self) -> bool:
        """Whether no pair can become valid any more (RFC 8445 section 7.2.5.4)."""
        return not any(pair.state in OPEN_STATES for pair in self.pairs)

    def remove_from_queue(self, pair: Pair) -> None:
        """Take a pair whose check begins out of the triggered-check queue."""
        self._unqueue(pair)

    def _unqueue(self, pair: Pair) -> None:
        if pair in self.triggered:
            self.triggered.remove(pair)

    def _sort(self) -> None:
        self.pairs.sort(key=lambda pair: pair.priority, reverse=True)


def set_initial_states(lists: Sequence[CheckList], decisions: Choices) -> None:
    """Unfreeze one pair of each foundation: of the first list that has it, the lowest component, the best."""
    seen: set[tuple[str, str]] = set()
    for checks in lists:
        for pair in sorted(checks.pairs, key=lambda p: (p.component, -p.priority)):
            if pair.foundation not in seen or not decisions.waits_for_foundation(pair):
                seen.add(pair.foundation)
                pair.note(PairEvent.UNFROZEN)


class Late(Protocol):
    """What is decided about pairs that come late."""

    def between(self, pair: Pair) -> object:
        """Return what a pair's check goes between."""
        ...

    def makes_room(self, failed: bool) -> bool:
        """Whether a pair, a failed one if there is any, gives way to the new one."""
        ...


def add_pair(checks: CheckList, lists: Sequence[CheckList], pair: Pair, most: int, decisions: Late) -> None:
    """Put a pair into a list whose checks are under way (RFC 8838 sections 10 to 12).

    Of two that would be checked between the same addresses one is enough: the better if the other's check has not
    begun, else that one. A list that is full makes room of failed pairs first, then of worse ones.
    """
    twin = next((other for other in checks.pairs if decisions.between(other) == decisions.between(pair)), None)
    if twin is not None:
        begun = twin.state not in (PairState.WAITING, PairState.FROZEN) or twin.connection is not None
        if begun or twin.priority >= pair.priority:
            return
        checks.discard(twin)
    if pair.component in checks.nominated or not _make_room(lists, pair, most, decisions):
        return
    same = [other for each in lists for other in each.pairs if other.foundation == pair.foundation]
    first = all((pair.component, -pair.priority) < (other.component, -other.priority) for other in same)
    if first or any(other.state is PairState.SUCCEEDED for other in same):
        pair.note(PairEvent.UNFROZEN)
    checks.insert(pair)


def _make_room(lists: Sequence[CheckList], pair: Pair, most: int, decisions: Late) -> bool:
    """Whether a pair has a place within the limit of the set, another being discarded for it if need be."""
    if sum(len(checks.pairs) for checks in lists) < most:
        return True
    every = [(checks, other) for checks in lists for other in checks.pairs]
    failed = [entry for entry in every if entry[1].state is PairState.FAILED]
    idle = (PairState.WAITING, PairState.FROZEN)
    worse = [entry for entry in every if entry[1].state in idle and entry[1].priority < pair.priority]
    if not decisions.makes_room(bool(failed)):
        return False
    for checks, other in sorted(failed or worse, key=lambda entry: entry[1].priority)[:1]:
        checks.discard(other)
        return True
    return False


def unfreeze(lists: Iterable[CheckList], foundation: tuple[str, str], decisions: Choices) -> None:
    """Let all frozen pairs of a foundation go, one of which has succeeded (RFC 8445 section 7.2.5.3.3)."""
    for checks in lists:
        for pair in checks.pairs:
            frozen = pair.state is PairState.FROZEN and pair.foundation == foundation
            if frozen and decisions.thaws_with_success(pair):
                pair.note(PairEvent.UNFROZEN)


def limit_pairs(lists: Sequence[CheckList], most: int, decisions: Choices) -> None:
    """Discard the lowest-priority pairs, evenly, down to the limit of the set (RFC 8445 section 6.1.2.5)."""
    while (longest := decisions.gives_way(lists, most)) is not None:
        longest.pairs.pop()
        longest.discarded += 1


def pick(
    checks: CheckList, lists: Sequence[CheckList], can_start: Callable[[Pair], bool], decisions: Choices
) -> Pair | None:
    """Return the pair of this list whose check is next, or None (RFC 8445 section 6.1.4.2, steps 1 to 3).

    `can_start` says whether a pair's check may begin now: too many connections to an address hold it back.
    """
    triggered = next((pair for pair in checks.triggered if can_start(pair)), None)
    if triggered is not None and decisions.triggered_first():
        return triggered
    if not any(pair.state is PairState.WAITING for pair in checks.pairs):
        _thaw(checks, lists, decisions)
    waiting = [pair for pair in checks.pairs if pair.state is PairState.WAITING and can_start(pair)]
    ordinary = [pair for pair in waiting if pair not in checks.triggered]
    if len(ordinary) < 2:
        return ordinary[0] if ordinary else triggered
    return max(ordinary, key=lambda p: (decisions.goes_first(p), p.priority, -p.component))


def _thaw(checks: CheckList, lists: Sequence[CheckList], decisions: Choices) -> None:
    busy = {
        pair.foundation
        for other in lists
        for pair in other.pairs
        if pair.state in (PairState.WAITING, PairState.IN_PROGRESS)
    }
    for pair in checks.pairs:
        if pair.state is PairState.FROZEN and pair.foundation not in busy and decisions.thaws(pair):
            busy.add(pair.foundation)
            pair.note(PairEvent.UNFROZEN)
