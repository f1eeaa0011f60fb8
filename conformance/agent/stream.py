"""One data stream: its credentials, candidates, check list and selected pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conformance.agent.checklist import CheckList, ListEvent
from conformance.agent.events import AgentError
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.agent.candidates import Base, Local
    from conformance.agent.config import StreamPlan
    from conformance.agent.pairs import Connection, Pair
    from conformance.wire.candidate import Candidate


class Credentials(Protocol):
    """Both sides' fragments and passwords, as a check needs them."""

    ufrag: str
    pwd: str
    remote_ufrag: str
    remote_pwd: str


@dataclass(slots=True, eq=False)
class Former:
    """What a restarted stream was before, until it has selected again: checks on the old connections go on with it."""

    ufrag: str
    pwd: str
    remote_ufrag: str
    remote_pwd: str
    selected: tuple[Connection, ...]


@dataclass(slots=True, eq=False)
class Progress:
    """How far the candidates of one stream are.

    ``ours_open``: we may still have some to tell; ``theirs_open``: the peer may; ``theirs_ended``: it has said that it
    has none. ``told``: those of ours that the peer knows of.
    """

    ours_open: bool = False
    theirs_open: bool = False
    theirs_ended: bool = False
    told: list[Local] = field(default_factory=list)

    @property
    def more(self) -> bool:
        """Whether the check list may still get pairs, so that it cannot have failed (RFC 8838 section 8)."""
        return self.ours_open or self.theirs_open


@dataclass(slots=True, eq=False)
class Outbox:
    """Data that waits for a connection, by component; ``limit``: so many octets at most."""

    limit: int
    _held: dict[int, list[bytes]] = field(default_factory=dict)
    _queued: int = 0

    def hold(self, component: int, octets: bytes) -> None:
        """Keep data until a pair is selected. Raises `AgentError` when too much has been held."""
        if self._queued + len(octets) > self.limit:
            raise AgentError("no pair is selected yet, and the data held for it has reached its limit")
        self._queued += len(octets)
        self._held.setdefault(component, []).append(octets)

    def holds(self, component: int) -> bool:
        """Whether data waits for a component's connection."""
        return bool(self._held.get(component))

    def release(self, component: int) -> list[bytes]:
        """Return the data held for a component."""
        held = self._held.pop(component, [])
        self._queued -= sum(map(len, held))
        return held


@dataclass(slots=True, eq=False)
class Stream:
    """State of one data stream. ``ufrag`` and ``pwd`` are ours; the peer's come with its description.

    ``section`` is the number of its media section, ``ended`` whether it is not in use, or no longer by ICE.
    """

    index: int
    plan: StreamPlan
    ufrag: str
    pwd: str
    outbox: Outbox
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
    renewed_at: float = 0.0  # by the last restart
    dtls_client: bool = False  # by a=setup (RFC 6544 section 4.5)
    progress: Progress = field(default_factory=Progress)
    first_valid: dict[int, float] = field(default_factory=dict)  # by component: since when a pair is valid
    section: int = 0
    ended: bool = False

    def meet(self, ufrag: str, pwd: str, candidates: list[Candidate], *, complete: bool = True) -> None:
        """Take the peer's credentials and candidates; `complete`: no others come later."""
        self.progress.theirs_open = not complete
        self.remote_ufrag, self.remote_pwd = ufrag, pwd
        self.remotes = list(candidates)

    @property
    def has_fewer_components(self) -> bool:
        """Whether the peer's candidates that are known are of fewer components than the check list."""
        return self._theirs < self.checks.components

    def limit_components(self) -> None:
        """Do with the components that both sides have, once all candidates are known (RFC 8445 section 6.1.2.2)."""
        self.checks.components = min(self.checks.components, self._theirs)

    @property
    def _theirs(self) -> int:
        return max((remote.component for remote in self.remotes), default=self.plan.components)

    def end(self) -> None:
        """Do without the stream: its pairs and candidates are gone (RFC 8839 section 4.4.3.1)."""
        self.ended = True
        self.checks = CheckList()
        self.checks.note(ListEvent.EXHAUSTED)
        self.bases, self.locals, self.remotes = [], [], []
        self.selected, self.chosen, self.former = {}, {}, None
        self.completed_at, self.formed = None, True
        self.progress = Progress()

    def listening_address(self, base: Base) -> Address:
        """Return where we listen on the interface and for the component of a base; port 0: nowhere."""
        here = (b for b in self.bases if b.listens and (b.ip, b.component) == (base.ip, base.component))
        return Address(base.ip, next((b.port for b in here), 0))

    def serves_selected(self, base: Base) -> bool:
        """Whether a selected pair's local candidate has this base."""
        return any(connection.base is base for connection in self.selected.values())

    # -- restarts ------------------------------------------------------------------------------------------

    def is_former(self, connection: Connection) -> bool:
        """Whether a connection was selected before the restart and no pair of the new check list runs over it."""
        reused = connection.pair is not None and connection.pair in self.checks.pairs
        return self.former is not None and connection in self.former.selected and not reused

    def credentials_on(self, connection: Connection) -> Credentials:
        """Return what checks on a selected connection carry (RFC 7675 section 5.1, during a restart)."""
        return self.former if self.former is not None and connection in self.former.selected else self

    def addressed(self, user_name: str) -> Credentials:
        """Return whom a request means by USERNAME: the stream as it is, or as it was before a restart."""
        own = user_name.partition(":")[0]
        return self.former if self.former is not None and own == self.former.ufrag else self
