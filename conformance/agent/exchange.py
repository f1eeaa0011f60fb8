"""Gathering and the exchange of descriptions: the first one, updates and restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import description, lite, renewal, reuse
from conformance.agent.config import StreamPlan
from conformance.agent.description import PeerDescription
from conformance.agent.events import (
    AgentError,
    Bind,
    Listen,
    Note,
    Rejected,
    State,
)
from conformance.agent.session import Session
from conformance.agent.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Base


class Exchange(Session):
    """A session that gathers candidates, describes itself and takes the peer's descriptions."""

    # -- gathering ---------------------------------------------------------------------------------------------

    def gather(self, now: float, *, trickle: bool = False) -> None:
        """Begin to gather; listening sockets are asked for. Raises `AgentError` for an answerer without an offer.

        ``trickle``: the next description need not wait for all candidates, if the peer can do with that.
        """
        self._require_open()
        if self._upkeep.restart_wanted and self._settled:
            self.restart(now)  # RFC 6544 section 11.1
        if self._gathering:
            return
        if not self._streams:
            raise AgentError("an answerer gathers candidates after the offer has come")
        self._gathering, self._noted = True, False
        for stream in [stream for stream in self._streams if not stream.bases]:
            stream.progress.ours_open = trickle and self._may_trickle
            for base in stream.plan_bases(self._next_base):
                self._next_base = base.number + 1
                self._open(stream, base)
        self._ask_servers(now)

    def _open(self, stream: Stream, base: Base) -> None:
        """Ask for the socket of a base, unless a restart goes on with one that is there."""
        base.number = reuse.listener((held for _, held in self._bases.values()), base)
        is_there = base.number in self._bases
        self._bases[base.number] = (stream, base)
        if is_there or not base.listens:
            return
        self._awaited.add(base.number)
        if base.is_udp:
            self._out.append(Bind(base.number, base.ip))
            return
        self._out.append(Listen(base.number, base.ip, base.port, shared=self.decisions.shares_ports()))

    def listening(self, number: int, port: int, now: float) -> None:
        """Take note of an open listening socket."""
        self._bases[number][1].port = port
        self._awaited.discard(number)
        self._ask_servers(now)

    def listen_failed(self, number: int, why: str, now: float) -> None:
        """Do without the candidate of a listening socket that could not be opened."""
        stream, base = self._bases.pop(number)
        stream.bases.remove(base)
        self._awaited.discard(number)
        self._out.append(Note(f"no {base.tcptype or 'UDP'} candidate on {base.ip}: {why}"))
        self._ask_servers(now)

    def _ask_servers(self, now: float) -> None:
        """Go on to the servers once it is known where we listen."""
        if self._gathering and not self._awaited:
            self._servers.begin([stream for stream in self._streams if not stream.locals], now)
            self._advance(now)

    @property
    def _may_trickle(self) -> bool:
        """Whether the peer takes candidates after the description; before its first one, who asks for it knows.

        RFC 8838 sections 3, 5 and 15; what a lite agent has, it has at once (appendix B).
        """
        return not self.config.lite and (self._peer_trickles or (self._offers and not self._checker.started))

    # -- descriptions ------------------------------------------------------------------------------------------

    @property
    def describable(self) -> bool:
        """Whether enough is known for a description."""
        return self._gathering and (self.gathered or all(s.locals or s.progress.ours_open for s in self._streams))

    def describe(self, now: float) -> tuple[str, str]:
        """Return ("offer" or "answer", SDP). An answerer begins its checks with it (RFC 8839 section 4.3.2).

        Raises `AgentError` before gathering has ended, unless they trickle, or when no candidate could be had.
        """
        self._require_open()
        if not self.describable:
            raise AgentError("candidates are still being gathered")
        for stream in self._streams:
            stream.progress.ours_open = stream.progress.ours_open and not self.gathered
            stream.progress.told = list(stream.locals)
        if not all(stream.locals or stream.progress.ours_open for stream in self._streams):
            raise AgentError("no candidate could be gathered")
        if self._settled and self.state is State.COMPLETED:
            self._offers, self._peer, self._described = True, None, ""  # an updated offer (RFC 6544 section 9.1)
        if self._offers:
            self._described = self._described or self._writer.offer(self._streams, controlling=self.controlling)
            return "offer", self._described
        assert self._peer is not None, "without an offer there is nothing to gather"
        if not self._described:
            self._described = self._writer.answer(self._streams, self._peer)
            if not all(stream.formed for stream in self._streams):
                self._start(now)
        return "answer", self._described

    def accept(self, kind: str, sdp: str, now: float) -> None:
        """Take the peer's offer or answer.

        Raises `Rejected` if it cannot be used, `AgentError` if it is not its turn, `Unsupported` for streams that are
        added or removed later.
        """
        self._require_open()
        if kind != ("offer" if self._settled or not self._offers else "answer"):
            raise AgentError(f"{kind!r} is not what this side waits for")
        if self._offers and not self._described:
            raise AgentError("an answer before the offer")
        if not self._offers and self._peer is not None and not self._described:
            raise AgentError("an offer before the last one has its answer")
        peer = description.read(sdp, self.decisions)
        if self.config.secured:
            description.require_fingerprints(peer)
        if self._settled:
            self._meet_new_offer(peer, now)
            return
        if self._offers and len(peer.streams) != len(self._streams):
            raise Rejected(f"the answer has {len(peer.streams)} media sections, the offer {len(self._streams)}")
        if self._offers and any(stream.remote_ufrag or stream.former for stream in self._streams):
            self._meet_new_answer(peer, now)
            return
        self._note_peer(peer)
        if self._offers:
            self._meet_answer(peer, now)
        else:
            self._meet_offer(peer)

    def _note_peer(self, peer: PeerDescription) -> None:
        known = self._checker.started
        self._peer, self._peer_trickles = peer, peer.trickles
        if not known or peer.lite is not self._checker.peer_lite:  # else the roles stay (RFC 8445 section 6.1.1)
            self._checker.meet(peer.lite)
        self._checker.pacing = max(self.config.pacing, peer.pacing or 0.0)

    def _meet_answer(self, peer: PeerDescription, now: float) -> None:
        for stream, theirs in zip(self._streams, peer.streams, strict=True):
            if theirs is None:
                stream.give_up()
            else:
                stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
                stream.dtls_client = theirs.section.setup == "passive"
        self._listen_late()
        for connection in self._connections:
            if not (connection.outgoing or self.decisions.keeps_early_connection(connection)):
                self._conclusion.end(connection, "it came before the answer")
        self._start(now)

    def _listen_late(self) -> None:
        """Listen on the bases whose time has come only with the answer: on none, of a lawful agent."""
        for stream, base in [self._bases[number] for number in self._silent if number in self._bases]:
            if self.decisions.listens(stream, base, answered=True):
                self._out.append(Listen(base.number, base.ip, base.port, shared=self.decisions.shares_ports()))

    def _meet_offer(self, peer: PeerDescription) -> None:
        wanted = self.config.streams[0].components
        usable = [theirs for theirs in peer.streams if theirs is not None]
        for theirs in usable:
            plan = theirs.plan
            self._add_streams((StreamPlan(plan.media, min(wanted, plan.components), plan.mid),))
            self._streams[-1].needs_active = (theirs.section.setup or "").lower() == "passive"
            self._streams[-1].meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)

    def trickle(self, candidate: str, mid: str, now: float) -> None:
        """Take a candidate of the peer's that came after its description; empty: it has no others.

        Raises `Rejected` for what is no candidate or of no stream, `AgentError` if there is no description yet.
        """
        self._require_open()
        if self._peer is None and not self._checker.started:
            raise AgentError("a candidate before the description that it belongs to")
        streams = [stream for stream in self._streams if stream.plan.mid == mid or not mid]
        if not streams or (candidate and len(streams) > 1):
            raise Rejected(f"no media section has mid {mid!r}" if mid else "of which media section is the candidate?")
        for stream in streams if self._peer is not None else ():  # else it is late: ICE has restarted
            self._trickling.receive(stream, candidate, now)
        self._advance(now)

    # -- later descriptions --------------------------------------------------------------------------------------

    @property
    def _settled(self) -> bool:
        """Whether no offer waits for its answer, after the first exchange."""
        return self._peer is not None and bool(self._described)

    def restart(self, now: float) -> None:
        """Restart ICE: the next description is an offer with new credentials (RFC 8445 section 9)."""
        self._require_open()
        if not self._settled:
            raise AgentError("ICE restarts only when no offer waits for its answer")
        self._offers, self._peer, self._described = True, None, ""
        self._renew(self._streams, now)

    def _renew(self, streams: Sequence[Stream], now: float) -> None:
        for stream in streams:
            renewal.renew(stream, *self._credentials())
            for connection in renewal.unneeded(stream, self._connections):
                self._conclusion.end(connection, "ICE restarts")
            for connection in stream.selected.values():
                if self.decisions.closes_for_restart(connection):
                    self._conclusion.end(connection, "ICE restarts")
        self._upkeep.restart_wanted = False
        self._gathering = False
        self._conclusion.begin(now)

    def _meet_new_offer(self, peer: PeerDescription, now: float) -> None:
        """Take an offer of later: a restart where the credentials are new (RFC 8839 section 4.4.1.1.1)."""
        pairs = renewal.matched(self._streams, peer)
        fresh = renewal.restarted(pairs)
        self._offers, self._described = False, ""
        if fresh:
            self._renew([stream for stream, _ in fresh], now)
        self._note_peer(peer)
        for stream, theirs in fresh:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
        for stream, theirs in pairs if self.config.lite and peer.lite and not fresh else ():
            for connection in lite.mismatched(stream, theirs.section, self.decisions):
                self._conclusion.end(connection, "it is not that of the new offer's pair")
                self._upkeep.restart_wanted = True  # RFC 6544 section 6.1

    def _meet_new_answer(self, peer: PeerDescription, now: float) -> None:
        """Take the answer to an offer of later; to a restart it has new credentials as well (RFC 8839 4.4.2.1)."""
        for stream, theirs in renewal.matched(self._streams, peer):
            before = stream.former or stream
            new = (theirs.ufrag, theirs.pwd) != (before.remote_ufrag, before.remote_pwd)
            if new is not (stream.remote_ufrag == ""):
                raise Rejected("the answer restarts ICE for other streams than the offer does")
        self._note_peer(peer)
        waiting = [(s, theirs) for s, theirs in renewal.matched(self._streams, peer) if not s.remote_ufrag]
        for stream, theirs in waiting:
            stream.meet(theirs.ufrag, theirs.pwd, list(theirs.candidates), complete=theirs.complete)
        if waiting:
            self._start(now)

    def _start(self, now: float) -> None:
        self._conclusion.begin(now)
        self._checker.start(now)
        self._advance(now)
