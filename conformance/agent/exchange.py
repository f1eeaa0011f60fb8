"""The exchange of descriptions: the first one, updates and restarts (RFC 8839 section 4, RFC 8445 section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import description, lite, restart
from conformance.agent.config import StreamPlan
from conformance.agent.events import AgentError, Rejected, State
from conformance.agent.pairs import PairState
from conformance.agent.status import Change
from conformance.agent.stream import Outbox, Stream
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.checks import Checks
    from conformance.agent.completion import Completion
    from conformance.agent.config import Config
    from conformance.agent.connections import Connections
    from conformance.agent.consent import Consent
    from conformance.agent.decisions import Decisions
    from conformance.agent.description import PeerDescription, PeerStream
    from conformance.agent.gathering import Gathering
    from conformance.agent.roles import Role
    from conformance.agent.status import Status
    from conformance.agent.writer import Writer


Terms = tuple[frozenset[str], float | None, bool]
_UPDATABLE = (State.COMPLETED, State.CONNECTED, State.CHECKING)  # otherwise the next offer, if any, restarts ICE


class Exchange:
    """Whose turn it is to describe itself, and what follows. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        gathering: Gathering,
        checks: Checks,
        completion: Completion,
        consent: Consent,
        role: Role,
        status: Status,
        writer: Writer,
        streams: list[Stream],
        random: Callable[[int], bytes],
    ) -> None:
        self.offers = config.offerer  # in the exchange that is under way, or was the last
        self.peer: PeerDescription | None = None
        self.described = ""
        self._peer_trickles = False
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._gathering = gathering
        self._checks = checks
        self._completion = completion
        self._consent = consent
        self._role = role
        self._status = status
        self._writer = writer
        self._streams = streams
        self._random = random
        self._terms: Terms = frozenset(), None, False  # the peer's, which stay until a restart
        if config.offerer:
            self._add_streams(config.streams)

    @property
    def settled(self) -> bool:
        """Whether no offer waits for its answer, after the first exchange."""
        return self.peer is not None and bool(self.described)

    @property
    def may_trickle(self) -> bool:
        """Whether the peer takes candidates after the description; before its first one, who asks for it knows.

        RFC 8838 sections 3, 5 and 15; what a lite agent has, it has at once (appendix B).
        """
        return not self._config.lite and (
            self._decisions.trickles_to(self._peer_trickles) or (self.offers and not self._checks.started)
        )

    def _add_streams(self, plans: tuple[StreamPlan, ...]) -> None:
        for section, plan in enumerate(plans):
            self._add_stream(section, plan)

    def _add_stream(self, section: int, plan: StreamPlan) -> Stream:
        credentials = self._credentials_beside(self._streams[-1:])
        outbox = Outbox(self._config.max_outbox)
        self._streams.append(Stream(len(self._streams), plan, *credentials, outbox, section=section))
        return self._streams[-1]

    def _credentials_beside(self, others: Sequence[Stream]) -> tuple[str, str]:
        """Return the credentials of a stream that begins as these others have begun: new ones, or the same."""
        if others and self._decisions.shares_credentials():
            return others[-1].ufrag, others[-1].pwd
        return self._decisions.credentials(self._random)

    @property
    def waits(self) -> bool:
        """Whether an answer waits for checks whose success the peer's offer takes for known (RFC 8839 4.4.2)."""
        answering = not (self.offers or self.described) and self.peer is not None and self._decisions.waits_for_checks()
        return answering and any(map(self._races, self._used))

    def _races(self, stream: Stream) -> bool:
        theirs = self.peer.streams[stream.section] if self.peer is not None else None
        if theirs is None or not (stream.checks.running and theirs.section.has("remote-candidates")):
            return False
        default = Address(theirs.section.connection_address or "", theirs.section.port)
        mine = (pair for pair in stream.checks.pairs if pair.remote.endpoint == default)
        return any(pair.state in (PairState.WAITING, PairState.IN_PROGRESS) for pair in mine)  # a nomination queues it

    # -- ours ----------------------------------------------------------------------------------------------

    @property
    def describable(self) -> bool:
        """Whether enough is known for a description."""
        known = self._gathering.complete or all(s.locals or s.progress.ours_open for s in self._used)
        return self._gathering.begun and known

    @property
    def _used(self) -> list[Stream]:
        return [stream for stream in self._streams if not stream.ended]

    def describe(self) -> tuple[str, str, bool]:
        """Return "offer" or "answer", SDP, and whether checks begin with it (RFC 8839 section 4.3.2).

        Raises `AgentError` before gathering has ended, unless they trickle, or when no candidate could be had.
        """
        if not self.describable:
            raise AgentError("candidates are still being gathered")
        for stream in self._streams:
            stream.progress.ours_open = stream.progress.ours_open and not self._gathering.complete
            stream.progress.told = list(stream.locals)
        if not all(stream.locals or stream.progress.ours_open for stream in self._used):
            raise AgentError("no candidate could be gathered")
        if self.settled and self._status.state in _UPDATABLE and self._decisions.updates():
            self.offers, self.peer, self.described = True, None, ""  # an updated offer (RFC 6544 section 9.1)
        if self.offers:
            self.described = self.described or self._writer.offer(self._streams, controlling=self._role.controlling)
            return "offer", self.described, False
        assert self.peer is not None, "without an offer there is nothing to gather"
        if self.described:
            return "answer", self.described, False
        self.described = self._writer.answer(self._streams, self.peer)
        return "answer", self.described, not all(stream.formed for stream in self._streams)

    # -- the peer's ----------------------------------------------------------------------------------------

    def accept(self, kind: str, sdp: str, now: float) -> bool:
        """Take the peer's offer or answer; return whether checks begin with it.

        Raises `Rejected` if it cannot be used, `AgentError` if it is not its turn, `Unsupported` for streams that are
        added or removed later.
        """
        if kind != ("offer" if self.settled or not self.offers else "answer"):
            raise AgentError(f"{kind!r} is not what this side waits for")
        if self.offers and not self.described:
            raise AgentError("an answer before the offer")
        if not self.offers and self.peer is not None and not self.described:
            raise AgentError("an offer before the last one has its answer")
        peer = description.read(sdp, self._decisions)
        if kind == "offer":
            peer.require_ice(later=self.settled)
        else:
            self._require_answer(peer)
        if self._config.secured:
            description.require_fingerprints(peer)
        if self.settled:
            self._meet_new_offer(peer, now)
            return False
        if self.offers and any(stream.remote_ufrag or stream.former for stream in self._streams):
            return self._meet_new_answer(peer)
        self._note_peer(peer)
        if self.offers:
            self._meet_answer(peer)
        else:
            self._meet_offer(peer)
        return self.offers

    def _require_answer(self, peer: PeerDescription) -> None:
        offered = self.described.count("\nm=")
        if len(peer.streams) != offered:
            raise Rejected(f"the answer has {len(peer.streams)} media sections, the offer {offered}")
        if not (peer.uses_ice or self._decisions.takes_answer_without_ice(self._checks.started)):
            raise Rejected("the answer has no ICE")

    def _note_peer(self, peer: PeerDescription) -> None:
        self.peer, self._peer_trickles = peer, peer.trickles
        changed = peer.lite is not self._role.peer_lite and self._decisions.redetermines()
        if not self._checks.started or changed:  # else roles stay (RFC 8445 section 6.1.1)
            self._role.meet(peer.lite)
        self._checks.pacing = self._decisions.agreed_pace(self._config.pacing, peer.pacing)

    def _meet_answer(self, peer: PeerDescription) -> None:
        self._terms = peer.terms
        for stream, theirs in zip(self._streams, peer.streams, strict=False):  # any more sections are disabled
            if theirs is None and self._decisions.ends_rejected(stream):
                self._completion.give_up(stream, "the answer does without ICE")
            elif theirs is not None:
                stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
                stream.dtls_client = theirs.section.setup == "passive"
        self._gathering.listen_late()
        for connection in self._connections:
            if not (connection.outgoing or self._decisions.keeps_early_connection(connection)):
                self._completion.end(connection, "it came before the answer")

    def _meet_offer(self, peer: PeerDescription) -> None:
        self._terms = peer.terms
        for section, theirs in enumerate(peer.streams):
            if theirs is not None:
                self._meet_stream(section, theirs)

    def _meet_stream(self, section: int, theirs: PeerStream) -> None:
        """Take a stream that the peer offers (RFC 8839 sections 4.3.2 and 4.4.1.1.3)."""
        wanted, plan = self._config.streams[0].components, theirs.plan
        stream = self._add_stream(section, StreamPlan(plan.media, min(wanted, plan.components), plan.mid))
        stream.needs_active = (theirs.section.setup or "").lower() == "passive"
        stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)

    def streams_of(self, candidate: str, mid: str) -> list[Stream]:
        """Return the streams that the peer trickles for. Raises `Rejected` or `AgentError` if there are none."""
        if self.peer is None and not self._checks.started:
            raise AgentError("a candidate before the description that it belongs to")
        if mid and self.peer is not None and mid in self.peer.carried_mids:
            return []  # of a transport that the bundle does without
        streams = [stream for stream in self._used if stream.plan.mid == mid or not mid]
        if not streams or (candidate and len(streams) > 1):
            raise Rejected(f"no media section has mid {mid!r}" if mid else "of which media section is the candidate?")
        return streams if self.peer is not None else []  # else it is late: ICE has restarted

    # -- later descriptions --------------------------------------------------------------------------------

    def restart(self, now: float) -> None:
        """Restart ICE: the next description is an offer with new credentials (RFC 8445 section 9)."""
        if not self.settled:
            raise AgentError("ICE restarts only when no offer waits for its answer")
        self.offers, self.peer, self.described = True, None, ""
        self._renew(self._used, now)

    def _renew(self, streams: Sequence[Stream], now: float) -> None:
        for number, stream in enumerate(streams):
            restart.renew(stream, *self._credentials_beside(streams[:number]))
            stream.renewed_at = now
            for connection in restart.unneeded(stream, self._connections):
                self._completion.end(connection, "ICE restarts")
            for connection in stream.selected.values():
                if self._decisions.closes_for_restart(connection):
                    self._completion.end(connection, "ICE restarts")
        self._consent.restart_wanted = False
        self._gathering.begun = False
        self._completion.begin(now)

    def _meet_new_offer(self, peer: PeerDescription, now: float) -> None:
        """Take an offer of later: a restart where the credentials are new (RFC 8839 section 4.4.1.1.1)."""
        if len(peer.streams) < 1 + max(stream.section for stream in self._streams):
            raise Rejected("a later offer has a section for each of the one before (RFC 3264 section 8)")
        pairs = restart.matched(self._streams, peer)
        fresh = restart.restarted(pairs)
        if not fresh and peer.terms != self._terms and self._decisions.refuses_new_terms():
            raise Rejected("options change only in a restart (RFC 8839 section 4.4.2.1)")
        self.offers, self.described = False, ""
        self._terms = peer.terms
        if fresh:
            self._renew([stream for stream, _ in fresh], now)
        self._note_peer(peer)
        self._remove_others([stream for stream, _ in pairs])
        self._update([stream for stream, theirs in pairs if (stream, theirs) not in fresh])
        for section, theirs in enumerate(peer.streams):
            if theirs is not None and section not in {stream.section for stream in self._used}:
                self._meet_stream(section, theirs)
                self._gathering.begun = False
        if fresh and not self._role.both_lite:
            self._role.restart(ours=False)
        for stream, theirs in fresh:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
        for stream, theirs in pairs if self._config.lite and peer.lite and not fresh else ():
            for connection in lite.mismatched(stream, theirs.section, self._decisions):
                self._completion.end(connection, "it is not that of the new offer's pair")
                self._consent.restart_wanted = True  # RFC 6544 section 6.1

    def _meet_new_answer(self, peer: PeerDescription) -> bool:
        """Take the answer to an offer of later; to a restart it has new credentials as well (RFC 8839 4.4.2.1)."""
        if not peer.uses_ice:
            self._do_without_ice(peer)
            return False
        for stream, theirs in restart.matched(self._streams, peer):
            before = stream.former or stream
            new = (theirs.ufrag, theirs.pwd) != (before.remote_ufrag, before.remote_pwd)
            if new is not (stream.remote_ufrag == ""):
                raise Rejected("the answer restarts ICE for other streams than the offer does")
        self._note_peer(peer)
        self._terms = peer.terms
        pairs = restart.matched(self._streams, peer)
        self._remove_others([stream for stream, _ in pairs])
        waiting = [(s, theirs) for s, theirs in pairs if not s.remote_ufrag]
        self._update([stream for stream, _ in pairs if stream.remote_ufrag])
        if waiting and not self._role.both_lite:
            self._role.restart(ours=True)
        for stream, theirs in waiting:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
        return bool(waiting)

    def _remove_others(self, kept: Sequence[Stream]) -> None:
        """Do without the streams that have been removed or rejected (RFC 8839 section 4.4.3.1)."""
        for stream in [stream for stream in self._used if stream not in kept and self._decisions.ends_removed(stream)]:
            self._consent.forget(stream)
            self._completion.give_up(stream, "the stream is removed")

    def _update(self, streams: Sequence[Stream]) -> None:
        """Go on with the streams for which ICE does not restart: nothing changes (RFC 8839 section 4.4.3.1)."""
        for stream in streams:
            for connection in stream.selected.values():
                if connection.is_open and self._decisions.closes_for_update(connection):
                    self._completion.end(connection, "there was a later offer")
            if stream.completed_at is not None and not self._decisions.stays_completed():
                self._status.note(Change.BEGUN)
            if not (self._decisions.keeps_pair_states() or stream.completed_at is not None):
                stream.formed = False

    def _do_without_ice(self, peer: PeerDescription) -> None:
        """Go on as the streams are, but for ICE, until an offer restarts it (RFC 8839 section 4.4.3.1)."""
        self.peer = peer
        self._remove_others([stream for stream in self._used if not peer.is_disabled(stream.section)])
        for stream in self._used:
            self._consent.forget(stream)
        self._consent.restart_wanted = self._decisions.restarts_after_fallback()
