"""One data stream: its credentials, candidates and check list, and when its pairs are nominated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conformance.agent import reuse
from conformance.agent.candidates import (
    Base,
    Foundations,
    Local,
    peer_reflexive_local,
    peer_reflexive_remote,
)
from conformance.agent.checklist import CheckList, ListState
from conformance.agent.connections import Connection, Phase
from conformance.agent.events import AgentError
from conformance.agent.pairs import Pair, PairState, form_pairs
from conformance.agent.trickle import Progress
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.agent.config import Config, StreamPlan
    from conformance.agent.decisions import Decisions
    from conformance.agent.renewal import Former
    from conformance.wire.candidate import Candidate


class Credentials(Protocol):
    """Both sides' fragments and passwords, as a check needs them."""

    ufrag: str
    pwd: str
    remote_ufrag: str
    remote_pwd: str


@dataclass(slots=True, eq=False)
class Stream:
    """State of one data stream. ``ufrag`` and ``pwd`` are ours; the peer's come with its description."""

    index: int
    plan: StreamPlan
    config: Config
    decisions: Decisions
    ufrag: str
    pwd: str
    bases: list[Base] = field(default_factory=list)
    locals: list[Local] = field(default_factory=list)
    remotes: list[Candidate] = field(default_factory=list)
    remote_ufrag: str = ""
    remote_pwd: str = ""
    checks: CheckList = field(default_factory=CheckList)
    selected: dict[int, Connection] = field(default_factory=dict)
    former: Former | None = None  # during a restart
    formed: bool = False  # the check list has been
    named: dict[str, tuple[str, str]] = field(default_factory=dict)  # by component: our end, as a lite peer selected it
    needs_active: bool = False  # for a lite agent: its answer's default has to be an active candidate
    chosen: dict[int, Pair] = field(default_factory=dict)  # whose checks selected them
    completed_at: float | None = None
    dtls_client: bool = False  # by a=setup (RFC 6544 section 4.5)
    progress: Progress = field(default_factory=Progress)
    _first_valid: dict[int, float] = field(default_factory=dict)
    _outbox: dict[int, list[bytes]] = field(default_factory=dict)
    _queued: int = 0

    # -- candidates ----------------------------------------------------------------------------------------

    def plan_bases(self, first_number: int) -> list[Base]:
        """Decide where host candidates start: each component, address and tcptype (RFC 6544 sections 4.1, 5.1)."""
        number = first_number
        for component in range(1, self.plan.components + 1):
            for rank, ip in enumerate(self.decisions.addresses()):
                for tcptype in self._directions():
                    lowered = self.decisions.lowered(tcptype, self._mixed())
                    self.bases.append(Base(number, component, ip, tcptype, rank, lowered=lowered))
                    reuse.settle(self, self.bases[-1])
                    number += 1
            for rank, ip in enumerate(self.config.addresses * self.decisions.more_listeners()):
                if "passive" in self.config.tcptypes:
                    self.bases.append(Base(number, component, ip, "passive", len(self.config.addresses) + rank))
                    number += 1
        return self.bases

    def _directions(self) -> list[str]:
        """Return the tcptypes of the candidates to gather, "" standing for UDP."""
        return self.decisions.directions(self.plan.media, self.decisions.tcptypes(self.needs_active))

    def _mixed(self) -> bool:
        """Whether there are candidates of both transports."""
        directions = self._directions()
        return "" in directions and len(directions) > 1

    def gathered(self, foundations: Foundations) -> None:
        """Turn the bases that could be had into candidates."""
        self.locals = self.decisions.host_candidates(self.bases, foundations)

    def meet(self, ufrag: str, pwd: str, candidates: list[Candidate], *, complete: bool = True) -> None:
        """Take the peer's credentials and candidates; `complete`: no others come later."""
        self.progress.theirs_open = not complete
        self.remote_ufrag, self.remote_pwd = ufrag, pwd
        self.remotes = list(candidates)

    def listening_address(self, base: Base) -> Address:
        """Return where we listen on the interface and for the component of a base; port 0: nowhere."""
        beside = (b for b in self.bases if b.listens and (b.ip, b.component) == (base.ip, base.component))
        return Address(base.ip, next((b.port for b in beside), 0))

    def forget_progress(self) -> None:
        """Forget since when pairs are valid."""
        self._first_valid.clear()

    def give_up(self) -> None:
        """Do without the stream: the peer's answer has disabled it."""
        self.checks.state = ListState.FAILED

    def form_checks(self, controlling: bool) -> None:
        """Form the check list, of the candidates that are known by now."""
        self.formed = True
        self.checks.components = self.plan.components
        if not self.progress.theirs_open:
            self.limit_components()
        mine = [local for local in self.locals if local.candidate.component <= self.checks.components]
        mine = self.decisions.checks_from(mine)
        self.checks.pairs = form_pairs(mine, self.remotes, controlling, self.decisions)
        reuse.attach(self, self.decisions)

    def limit_components(self) -> None:
        """Do with the components that both sides have, once all candidates are known (RFC 8445 section 6.1.2.2)."""
        theirs = max((remote.component for remote in self.remotes), default=self.plan.components)
        self.checks.components = min(self.plan.components, theirs)

    # -- what checks reveal --------------------------------------------------------------------------------

    def incoming_pair(self, connection: Connection, priority: int, controlling: bool) -> Pair | None:
        """Return the pair of an accepted connection, made if need be; None if the check list has no place for it.

        RFC 8445 sections 7.3.1.3 and 7.3.1.4; the peer's active candidates have no port, so its address is new.
        """
        if connection.pair is not None:
            return connection.pair
        if not self.decisions.learns_remotes():
            return None
        if len(self.checks.pairs) >= self.config.max_pairs or connection.component > self.checks.components:
            return None
        known = self._known_pair(connection)
        if known is not None:
            known.connection, connection.pair = connection, known
            return known
        local = next((local for local in self.locals if local.base is connection.base), None)
        if local is None:
            return None  # nobody was told of it yet, or it is one of before a restart
        remote = self._known_remote(connection)
        if remote is None:
            remote = peer_reflexive_remote(connection.remote, connection.base, priority, self.remotes)
            self.remotes.append(remote)
        pair = Pair(local, remote, connection=connection)
        pair.reprioritise(controlling)
        connection.pair = pair
        self.checks.insert(pair)
        return pair

    def _known_pair(self, connection: Connection) -> Pair | None:
        """Return the pair of a UDP flow that the check list holds already."""
        if not connection.is_udp:
            return None
        mine = (pair for pair in self.checks.pairs if pair.local.base is connection.base)
        return next((pair for pair in mine if pair.remote.endpoint == connection.remote), None)

    def _known_remote(self, connection: Connection) -> Candidate | None:
        wanted = (connection.remote, connection.component, not connection.is_udp)
        return next((r for r in self.remotes if (r.endpoint, r.component, r.is_tcp) == wanted), None)

    def valid_pair(
        self, pair: Pair, mapped: Address, priority: int, controlling: bool, foundations: Foundations
    ) -> Pair:
        """Return the valid pair that a success on `pair` makes (RFC 8445 sections 7.2.5.3.1 and 7.2.5.3.2)."""
        if pair.valid is not None:
            return pair.valid
        local = pair.local if self._bound_to(pair.local, mapped) else self._known_local(mapped, pair)
        if local is None:
            local = peer_reflexive_local(pair.local, mapped, priority, foundations)
            self.locals.append(local)
        if local is pair.local:
            return pair
        valid = Pair(local, pair.remote, connection=pair.connection)
        valid.reprioritise(controlling)
        return valid

    @staticmethod
    def _bound_to(local: Local, mapped: Address) -> bool:
        return local.candidate.endpoint == mapped

    def _known_local(self, mapped: Address, pair: Pair) -> Local | None:
        wanted = (mapped, pair.component, pair.local.base.is_udp)
        mine = (local for local in self.locals if local.candidate.component == pair.component)
        return next((x for x in mine if (x.candidate.endpoint, pair.component, x.base.is_udp) == wanted), None)

    # -- nomination ----------------------------------------------------------------------------------------

    def nomination_time(self, component: int) -> float | None:
        """Return from when on the best valid pair of a component may be nominated; None: not foreseeable.

        RFC 8445 section 8.1.1 leaves the criterion to the agent. Ours: a short while for the peer's own checks, then
        as soon as no better pair can succeed, and after a longer while in any case.
        """
        best = self.checks.best_valid(component)
        if best is None or component in self.checks.nominated or not self.checks.running:
            return None
        if any(pair.nominate and pair.component == component for pair in self.checks.pairs):
            return None  # under way
        if not self.decisions.may_nominate():
            return None
        since = self._first_valid.get(component, 0.0)
        wait = self.config.decision if self.checks.better_open(best) else self.config.settling
        return since + wait

    def note_valid(self, component: int, now: float) -> None:
        """Remember when a component's first pair became valid."""
        self._first_valid.setdefault(component, now)

    def nominate_due(self, now: float) -> list[Pair]:
        """Return the pairs whose check is now to be repeated with USE-CANDIDATE, and queue them."""
        due = []
        for component in range(1, self.checks.components + 1):
            when = self.nomination_time(component)
            best = self.checks.best_valid(component)
            if when is None or best is None or now < when or best.origin is None:
                continue
            best.origin.nominate = True
            self.checks.trigger(best.origin)
            due.append(best.origin)
        return due

    def next_time(self, controlling: bool) -> float | None:
        """Return when `nominate_due` may have something to do."""
        if not controlling:
            return None
        times = [self.nomination_time(component) for component in range(1, self.checks.components + 1)]
        return min((time for time in times if time is not None), default=None)

    def set_nominated(self, pair: Pair) -> None:
        """Mark the valid pair of `pair` as nominated; of several, the best counts (RFC 8445 section 8.1.1)."""
        valid = pair.valid
        assert valid is not None
        valid.nominated = True
        pair.nominate = pair.nominated_by_peer = False
        current = self.checks.nominated.get(pair.component)
        if current is None or valid.priority > current.priority:
            self.checks.nominated[pair.component] = valid
        self.checks.conclude_component(pair.component)

    @property
    def all_nominated(self) -> bool:
        """Whether each component has its nominated pair."""
        return self.checks.components > 0 and len(self.checks.nominated) >= self.checks.components

    def complete(self, now: float) -> None:
        """Make the nominated pairs the selected ones (RFC 8445 section 8.1.2)."""
        self.checks.state = ListState.COMPLETED
        self.completed_at = now
        for former in self.selected.values():
            former.selected = self.decisions.keeps_former()
        self.former = None
        for component, pair in self.checks.nominated.items():
            connection = pair.connection
            assert connection is not None
            connection.selected = not connection.reused or self.decisions.keeps_reused(connection)
            self.selected[component] = connection
            self.chosen[component] = pair.origin or pair

    def serves_selected(self, base: Base) -> bool:
        """Whether a selected pair's local candidate has this base."""
        return any(connection.base is base for connection in self.selected.values())

    def lost(self, pair: Pair) -> None:
        """Note that a pair can no longer be used: its check failed or its connection is gone."""
        was_nomination = pair.nominate or pair.nominated_by_peer or pair.valid in self.checks.nominated.values()
        self.checks.invalidate(pair)
        if pair.connection is not None and pair.connection.phase is Phase.CLOSED:
            pair.connection = None
        pair.nominate = pair.nominated_by_peer = False
        if was_nomination and self.checks.running:
            self.checks.state = ListState.FAILED  # RFC 8445 sections 7.2.5.3.4 and 7.3.1.5

    def fail_remote(self, remote: Candidate) -> list[Pair]:
        """Fail every pair with a remote candidate that turned out not to be the peer's (RFC 6544 section 7.1)."""
        failed = [
            pair
            for pair in self.checks.pairs
            if pair.remote.endpoint == remote.endpoint and pair.state is not PairState.FAILED
        ]
        for pair in failed:
            self.checks.invalidate(pair)
        return failed

    # -- data of before the selection ----------------------------------------------------------------------

    def hold(self, component: int, octets: bytes) -> None:
        """Keep data until a pair is selected. Raises `AgentError` when too much has been held."""
        if self._queued + len(octets) > self.config.max_outbox:
            raise AgentError("no pair is selected yet, and the data held for it has reached its limit")
        self._queued += len(octets)
        self._outbox.setdefault(component, []).append(octets)

    def holds(self, component: int) -> bool:
        """Whether data waits for a component's connection."""
        return bool(self._outbox.get(component))

    def release(self, component: int) -> list[bytes]:
        """Return the data held for a component."""
        held = self._outbox.pop(component, [])
        self._queued -= sum(map(len, held))
        return held
