"""Candidates that become known after the descriptions, ours and the peer's (RFC 8838; RFC 8840's words for it in SDP).

RFC 6544's pairing and pruning hold for them as for all others; only the time is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import restart
from conformance.agent.checklist import add_pair
from conformance.agent.events import Note, Rejected, TrickledCandidate, Unlisten
from conformance.agent.forming import form_pairs
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Local
    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.roles import Role
    from conformance.agent.stream import Stream


class Trickling:
    """Tells our late candidates, takes the peer's, and pairs both. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        role: Role,
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._role = role
        self._streams = streams
        self._out = out

    # -- ours --------------------------------------------------------------------------------------------------

    def tell(self, stream: Stream, *, complete: bool) -> None:
        """Tell the peer of candidates that have just been found, lower components first (RFC 8838 section 17).

        ``complete``: there will be no others. None are told any more once pairs are nominated (section 13).
        """
        fresh = [local for local in stream.locals if local not in stream.progress.told]
        over = stream.checks.all_nominated
        if over and self._decisions.tells_after_nomination():
            fresh, over = list(stream.locals), False
        backwards = not self._decisions.told_in_order()
        for local in sorted(fresh, key=lambda local: local.candidate.component, reverse=backwards):
            if local.candidate.type != "prflx" and not over:
                stream.progress.told.append(local)
                if self._decisions.tells(local):
                    self._say(stream, local)
                if self._decisions.pairs_late(local):
                    self._pair(stream, [local], stream.remotes)
                if not self._decisions.listens_when_trickled(local):
                    self._out.append(Unlisten(local.base.number))
        if complete:
            stream.progress.ours_open = False
            if self._decisions.ends_candidates():
                self._out.append(TrickledCandidate(stream.plan.mid, ""))
            if self._decisions.tells_after_end():
                self._say(stream, stream.locals[0])

    def _say(self, stream: Stream, local: Local) -> None:
        self._out.append(TrickledCandidate(stream.plan.mid, self._decisions.trickled(local.candidate)))

    # -- the peer's --------------------------------------------------------------------------------------------

    def receive(self, stream: Stream, text: str, now: float) -> None:
        """Take what the peer says of a stream's candidates: one, or by an empty text that there are no others.

        Raises `Rejected` for what is no candidate. One of before a restart is told by its ufrag (RFC 8838 section 9).
        """
        if not text:
            self.end(stream)
            return
        try:
            candidate = Candidate.parse(text)
        except SdpError as error:
            raise Rejected(str(error)) from error
        fragment = dict(candidate.extensions).get("ufrag", stream.remote_ufrag)
        usable = self._decisions.understands(candidate)
        if usable is None or not self._decisions.takes_generation(fragment, stream.remote_ufrag):
            self._out.append(Note(f"ignored, as not of this session or of no use here: {candidate}"))
        else:
            self.take(stream, usable, now)

    def take(self, stream: Stream, remote: Candidate, now: float) -> None:
        """Take a candidate of the peer's, unless it is one that we know."""
        if not self._decisions.takes_late(remote):
            return
        if stream.progress.theirs_ended and self._decisions.heeds_end():  # RFC 8838 section 14
            self._out.append(Note(f"ignored, because it comes after the last: {remote}"))
            return
        key = _place(remote)
        known = next((other for other in stream.remotes if _place(other) == key), None)
        if known is None:
            stream.remotes.append(remote)
            self._pair(stream, stream.progress.told, [remote])
        elif known.type != "prflx" and not self._decisions.keeps_pair_in_flight():
            for pair in [pair for pair in stream.checks.pairs if pair.remote is known]:
                stream.checks.discard(pair)
            self._pair(stream, stream.progress.told, [remote])
        elif known.type == "prflx":
            self._recognise(stream, known, remote)
            for pair in [pair for pair in stream.checks.pairs if pair.remote is remote]:
                if self._decisions.opens_recognised(pair):
                    self._connections.open(pair, stream.index, Address(pair.local.base.ip, 0), now)

    def end(self, stream: Stream) -> None:
        """Note that the peer has told all of its candidates (RFC 8838 section 14)."""
        stream.progress.theirs_open, stream.progress.theirs_ended = False, True
        if stream.formed and stream.remotes:
            stream.limit_components()

    def _recognise(self, stream: Stream, known: Candidate, remote: Candidate) -> None:
        """Let a candidate that a check has revealed be what the peer now says of it (RFC 8445 section 7.3.1.3).

        So both sides see its pairs alike, and the pair keeps its state and connection (RFC 8838 section 11).
        """
        stream.remotes[stream.remotes.index(known)] = remote
        for pair in {*stream.checks.pairs, *stream.checks.valid}:
            if pair.remote is known:
                pair.remote = remote
        stream.checks.reprioritise(self._role.controlling)
        self._pair(stream, stream.progress.told, [remote])

    # -- pairs -------------------------------------------------------------------------------------------------

    def _pair(self, stream: Stream, mine: list[Local], theirs: list[Candidate]) -> None:
        if not stream.formed or not stream.checks.running:
            return  # formed later with all that is known then, or over
        mine = [local for local in mine if local.candidate.component <= stream.checks.components]
        mine = self._decisions.checks_from(mine)
        lists = [other.checks for other in self._streams]
        for pair in form_pairs(mine, theirs, self._role.controlling, self._decisions):
            add_pair(stream.checks, lists, pair, self._config.max_pairs, self._decisions)
        restart.attach(stream, self._decisions)


def _place(candidate: Candidate) -> tuple[object, ...]:
    """Return what makes a remote candidate another one; active ones differ by nothing but their address."""
    tcptype = (candidate.tcptype or "").lower()
    return candidate.transport.upper(), candidate.component, candidate.endpoint, tcptype
