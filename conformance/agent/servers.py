"""The servers of a session: what is asked of them, and what becomes of the connections to them.

RFC 6544 sections 4.1, 5 and 11.2; data connections through a relay: RFC 6062 sections 4.3 to 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.agent import servercandidates
from conformance.agent.allocation import TCP, UDP, Allocation, Open, Permit, Refresh, connection_id_of, datagram_of
from conformance.agent.dialogue import Answer, Dialogue, Indication, Login, Question
from conformance.agent.events import Close, Note
from conformance.agent.relaying import Joined, Link, NotJoined, Relayed, RelayLost
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.agent.candidates import Base, Foundations
    from conformance.agent.config import Config, IceServer
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions
    from conformance.agent.dialogue import Heard
    from conformance.agent.events import Output
    from conformance.agent.relaying import Happened
    from conformance.agent.servercandidates import Reflection
    from conformance.agent.stream import Stream
    from conformance.wire.stun import Message


_LACKING = (486, 508)  # Allocation Quota Reached, Insufficient Capacity (RFC 8656 section 19)
_MISMATCH = 437
_MOST_REDIRECTIONS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a server is asked from: an interface's address and, if something listens there, its port.

    ``protocol`` is what it is asked to relay. For UDP it takes a TCP connection of its own (RFC 6544 section 4.1).
    Not ``relayed``: it is only asked where it sees us.
    """

    stream: Stream
    component: int
    ip: str
    base: Base | None
    protocol: int = TCP
    relayed: bool = True
    redirected: tuple[Address, ...] = ()  # the servers that were asked on the way here
    tries: int = 1

    @property
    def source(self) -> Address:
        """The address to connect from: a listening base's own (RFC 6544 section 5.2), else from any port."""
        return Address(self.ip, self.base.port if self.base else 0)


class Servers:
    """All dealings of a session with its servers. Times are seconds on the caller's clock."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        connections: Connections,
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._connections = connections
        self._out = out
        self._random = random
        self._happened: list[Happened] = []
        self._refused: list[int] = []
        self._dialogues: dict[int, Dialogue] = {}
        self._turns: list[tuple[Dialogue, Question]] = []
        self._next_turn = 0.0
        self._unanswered: set[Dialogue] = set()
        self._answered_at: dict[Dialogue, float] = {}
        self._deadline: float | None = None
        self._reflections: list[Reflection] = []
        self._allocations: dict[Allocation, Stream] = {}
        self._in_use: list[Allocation] = []
        self._former: list[Allocation] = []  # of before a restart
        self._lost_in_use = False
        self._concluded = False

    def happened(self) -> list[Happened]:
        """Return what has happened since the last time, in order."""
        taken = [*self._happened, *(NotJoined(number, "its relay is gone") for number in self._refused)]
        self._happened.clear()
        self._refused.clear()
        return taken

    # -- gathering -----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether candidates may still come, or could not be connected to yet.

        An answerer's peer may connect to relayed addresses as soon as it has the answer: permissions come first.
        """
        return self._deadline is not None and self._waits

    @property
    def _waits(self) -> bool:
        return bool(self._unanswered) or any(allocation.permitting for allocation in self._allocations)

    def begin(self, streams: Sequence[Stream], now: float) -> None:
        """Ask every server from every place that can reach it. Listening sockets have their ports by now."""
        servers = self._decisions.servers(self._config.servers, self._lost_in_use)
        self._forget(streams)
        self._deadline = now + self._config.gathering_timeout
        self._next_turn = now
        asked: set[tuple[Address, Address]] = set()
        for stream in streams:
            for server in sorted(servers, key=lambda server: not server.relays):
                for place in _places(stream, server):
                    way = (place.source, server.address)
                    if way in asked and place.base is not None:
                        continue  # a TURN server says where it saw us as well, and there is but one such connection
                    asked.add(way)
                    self._ask(server, place, now)

    def _forget(self, streams: Sequence[Stream]) -> None:
        """Let what streams that begin anew have gathered before be no candidates; what is in use goes on."""
        self._concluded = False
        self._reflections = [found for found in self._reflections if found.stream not in streams]
        self._former += [allocation for allocation, stream in self._allocations.items() if stream in streams]

    def _ask(self, server: IceServer, place: Place, now: float) -> None:
        login = Login(server.username, server.credential) if self._decisions.logs_in() else Login()
        dialogue = self._dialogue(self._connections.reserve(), server, place.source, login)
        self._unanswered.add(dialogue)
        if server.relays and place.relayed:
            if self._decisions.asks_before_allocating():
                dialogue.ask(Question(Method.BINDING, None), now)
            wanted = [attr.requested_transport(place.protocol)]
            if place.protocol == TCP and self._decisions.wants_ipv6(self._config.addresses):
                wanted.append(attr.additional_ipv6())
            dialogue.ask(Question(Method.ALLOCATE, place, tuple(wanted)), now)
        else:
            dialogue.ask(Question(Method.BINDING, place), now)

    def _dialogue(self, number: int, server: IceServer, source: Address, login: Login) -> Dialogue:
        timeout = self._config.transaction_timeout
        more = self._decisions.asked_of_server
        dialogue = Dialogue(
            number, server, source, login, self._decisions, self._turns, self._out, self._random, timeout, more
        )
        self._dialogues[number] = dialogue
        apart = Address(source.ip, 0)
        dialogue.sibling = lambda: self._dialogue(self._connections.reserve(), server, apart, replace(login))
        return dialogue

    def _gathered(self, dialogue: Dialogue, place: Place, answer: Answer, now: float) -> None:
        lacking = answer.question.method is Method.ALLOCATE and answer.code in _LACKING
        if lacking and self._deadline is not None and self._decisions.asks_instead():
            dialogue.ask(Question(Method.BINDING, replace(place, relayed=False)), now)  # RFC 8445 section 5.1.1.2
            return
        self._unanswered.discard(dialogue)
        self._answered_at[dialogue] = now
        try:
            if answer.message is None:
                self._try_elsewhere(dialogue, place, answer, now)
                raise StunError(answer.why)
            if answer.question.method is Method.ALLOCATE:
                self._allocated(dialogue, place, answer.message, now)
            told = answer.question.method is not Method.ALLOCATE or self._decisions.learns_from_allocation()
            mapped = answer.message.xor_mapped_address if told else None
        except StunError as error:
            self._out.append(Note(f"no candidate from {dialogue.server}: {error}"))
            if answer.message is None or self._decisions.drops_unusable():
                self._drop(dialogue)
            return
        if mapped is not None:
            reflection = servercandidates.Reflection(
                place.stream, place.component, place.ip, place.base, dialogue.server, mapped
            )
            self._reflections.append(reflection)
        if not self._decisions.keeps_server():
            self._drop(dialogue)

    def _try_elsewhere(self, dialogue: Dialogue, place: Place, answer: Answer, now: float) -> None:
        """Ask an alternate server, or from another address (RFC 8489 section 10, RFC 8656 section 7.4)."""
        server = dialogue.server
        if answer.elsewhere is not None:
            asked = answer.elsewhere in place.redirected
            if self._decisions.returns_to(asked) and len(place.redirected) < _MOST_REDIRECTIONS:
                known = (*place.redirected, server.address, answer.elsewhere)
                other = replace(
                    server, address=answer.elsewhere, username=self._decisions.user_elsewhere(server.username)
                )
                relayed = place.relayed and self._decisions.asks_the_same_elsewhere()
                self._ask(other, replace(place, base=None, redirected=known, relayed=relayed), now)
        elif answer.code == _MISMATCH and place.tries < self._decisions.attempts_elsewhere():
            self._ask(server, replace(place, base=None, tries=place.tries + 1), now)

    def _allocated(self, dialogue: Dialogue, place: Place, message: Message, now: float) -> None:
        believed = self._decisions.believed_lifetime
        allocation = Allocation(
            dialogue, self._decisions, place.component, place.protocol, message, self._refused, now, believed
        )
        self._allocations[allocation] = place.stream
        if self._deadline is None:
            self._delete(allocation, now)  # too late for the description
        elif self._decisions.allocates_again():
            allocation.ask_for_another(now)

    def add_candidates(self, stream: Stream, foundations: Foundations) -> None:
        """Put the candidates that servers gave behind a stream's host candidates, those that are not there yet."""
        reflections = [found for found in self._reflections if found.stream is stream]
        mine = [allocation for allocation, owner in self._allocations.items() if owner is stream]
        relays = [a for a in mine if a not in self._former and not (self.busy and a.permitting)]
        stream.locals += servercandidates.reflexive(stream, reflections, foundations, self._decisions)
        stream.locals += servercandidates.relayed(stream, relays, foundations, self._decisions)

    # -- the course of things ------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Do what is due: ask the next server (one every Ta, RFC 6544 section 4.1), refresh, permit, give up."""
        for dialogue in list(self._dialogues.values()):
            for answer in dialogue.expire(now):
                self._hear(dialogue, answer, now)
        if self._turns and now >= self._next_turn:
            dialogue, question = self._turns.pop(0)
            self._next_turn = now + self._decisions.gathering_pace(self._config.pacing)
            dialogue.start(question, now)
        for allocation, stream in list(self._allocations.items()):
            allocation.permit(self._decisions.permits({remote.address for remote in stream.remotes}), now)
            if allocation.next_time() <= now:
                used = sum(c.base.relay is allocation for c in self._connections)
                allocation.advance(now, used)
        for dialogue in self._outstayed(now):
            self._drop(dialogue)
        if self._deadline is not None and (not self._waits or now >= self._deadline):
            self._deadline = None

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [dialogue.next_time() for dialogue in self._dialogues.values()]
        times += [allocation.next_time() for allocation in self._allocations]
        times.append(self._next_turn if self._turns else None)
        times.append(self._deadline)
        if self._answered_at and (limit := self._decisions.server_patience()) is not None:
            times += [at + limit for at in self._answered_at.values()]
        return min((time for time in times if time is not None), default=None)

    def _outstayed(self, now: float) -> list[Dialogue]:
        """Return the dialogues with servers that are left before ICE has completed: none, of a lawful agent."""
        if not self._answered_at:  # then the decision makes no difference
            return []
        limit = self._decisions.server_patience()
        found = [d for d, at in self._answered_at.items() if limit is not None and at + limit <= now]
        for dialogue in found:
            del self._answered_at[dialogue]
        return found

    def owns(self, number: int) -> bool:
        """Whether a connection is one to a server, which carries no frames."""
        return number in self._dialogues

    def connected(self, number: int, local: Address) -> None:
        """Use a connection to a server that now stands."""
        self._dialogues[number].connected(local)

    def received(self, number: int, octets: bytes, now: float) -> None:
        """Take octets of a server's."""
        dialogue = self._dialogues[number]
        for heard in dialogue.received(octets, now):
            self._hear(dialogue, heard, now)

    def closed(self, number: int, why: str, now: float) -> None:
        """Do without a connection to a server."""
        self._lost(self._dialogues[number], why, now)

    # -- what servers say ----------------------------------------------------------------------------------

    def _hear(self, dialogue: Dialogue, heard: Heard, now: float) -> None:
        if isinstance(heard, Answer):
            self._answered(dialogue, heard, now)
        elif isinstance(heard, Indication):
            self._indicated(dialogue, heard.message, now)
        else:
            self._lost(dialogue, heard.why, now)

    def _answered(self, dialogue: Dialogue, answer: Answer, now: float) -> None:
        match answer.question.about:
            case Place() as place:
                self._gathered(dialogue, place, answer, now)
            case Permit(allocation):
                allocation.permitting -= 1
            case Refresh(allocation, ends=False) if answer.message is not None:
                allocation.note_lifetime(answer.message, now)
            case Refresh(allocation, ends=False) if allocation.alive:
                if not self._decisions.gives_up_allocation(answer.code):
                    return
                dialogue.close()
                self._lost(dialogue, answer.why, now)
            case Open() as wanted:
                self._opened(wanted, answer, now)
            case Link() as link:
                self._join(dialogue, link, answer)

    def _indicated(self, dialogue: Dialogue, message: Message, now: float) -> None:
        allocation = next((a for a in self._allocations if a.dialogue is dialogue), None)
        if allocation is None:
            return
        if allocation.protocol == TCP:
            self._attempted(allocation, message, now)
        elif (found := datagram_of(message)) is not None and self._decisions.takes_relayed_datagrams():
            self._happened.append(Relayed(self._allocations[allocation], allocation.bases[0], *found))

    # -- connections through a relay -----------------------------------------------------------------------

    def _opened(self, wanted: Open, answer: Answer, now: float) -> None:
        """Join the connection that the server has opened for one of ours (RFC 6062 section 4.3)."""
        connection_id = connection_id_of(answer.message)
        if self._connections.find(wanted.connection) is None:
            return  # given up meanwhile
        if connection_id is None or wanted.allocation not in self._allocations:
            self._happened.append(NotJoined(wanted.connection, f"through the relay: {answer.why}"))
            return
        stream = self._allocations[wanted.allocation]
        link = Link(wanted.connection, stream, wanted.allocation, wanted.peer, wanted.connection)
        self._bind(link, connection_id, now)

    def _attempted(self, allocation: Allocation, message: Message, now: float) -> None:
        """Take a peer's connection to a relayed address (RFC 6062 section 4.4)."""
        connection_id = connection_id_of(message)
        try:
            peer = message.xor_peer_address
        except StunError:
            peer = None
        if message.method == Method.CONNECTION_ATTEMPT and connection_id is not None and peer is not None:
            link = Link(self._connections.reserve(), self._allocations[allocation], allocation, peer)
            self._bind(link, connection_id, now)

    def _bind(self, link: Link, connection_id: int, now: float) -> None:
        """Connect to the server once more, from another port, and join this connection with the peer's."""
        control = link.allocation.dialogue
        source = self._decisions.data_source(control.local or control.source)
        attempted = link.connection is None
        server = replace(control.server, address=self._decisions.data_server(control.server.address, attempted))
        login = replace(control.login) if self._decisions.logs_in_to_bind(attempted) else Login()
        dialogue = self._dialogue(link.number, server, source, login)
        bound = attr.connection_id(self._decisions.bound_id(connection_id, attempted))
        dialogue.ask(Question(self._decisions.bind_method(attempted), link, (bound,)), now)

    def _join(self, dialogue: Dialogue, link: Link, answer: Answer) -> None:
        self._dialogues.pop(link.number, None)
        given_up = link.connection is not None and self._connections.find(link.number) is None
        if answer.message is None or given_up:
            self._out.append(Close(link.number))
        if answer.message is not None and not given_up:
            self._happened.append(Joined(link, dialogue.release()))
        elif link.connection is not None and not given_up:
            self._happened.append(NotJoined(link.connection, f"through the relay: {answer.why}"))

    # -- ends ----------------------------------------------------------------------------------------------

    def conclude(self, selected: Iterable[Base], now: float) -> None:
        """Close what ICE no longer needs once it has completed (RFC 6544 section 11.2)."""
        if self._concluded:
            return
        self._concluded = True
        self._deadline = None  # what has not answered yet comes too late
        self._unanswered.clear()
        used = [base.relay for base in selected if base.relay is not None]
        self._in_use = [allocation for allocation in self._allocations if allocation in used]
        for allocation in list(self._allocations):
            if not self._decisions.needs_allocation(allocation in used):
                self._delete(allocation, now)
        controls = [allocation.dialogue for allocation in self._allocations]
        for dialogue in [dialogue for dialogue in self._dialogues.values() if dialogue not in controls]:
            if not self._decisions.needs_server(dialogue.server):
                self._drop(dialogue)

    def _delete(self, allocation: Allocation, now: float) -> None:
        del self._allocations[allocation]
        self._dialogues.pop(allocation.dialogue.number, None)
        allocation.delete(now)

    def _drop(self, dialogue: Dialogue) -> None:
        if self._dialogues.pop(dialogue.number, None) is not None:
            self._turns[:] = [turn for turn in self._turns if turn[0] is not dialogue]
            dialogue.close()

    def _lost(self, dialogue: Dialogue, why: str, now: float) -> None:
        """Note that a connection to a server is gone, and with it the allocation that it controlled."""
        for answer in dialogue.lost(why):
            self._answered(dialogue, answer, now)
        self._dialogues.pop(dialogue.number, None)
        for allocation in [allocation for allocation in self._allocations if allocation.dialogue is dialogue]:
            allocation.alive = False
            del self._allocations[allocation]
            self._out.append(Note(f"{allocation} is lost: {why}"))
            if self._concluded and allocation in self._in_use:
                self._lost_in_use = True
                self._happened.append(RelayLost())

    def close(self) -> None:
        """Give everything back."""
        for allocation in list(self._allocations):
            self._delete(allocation, 0.0)  # no answer is waited for
        for dialogue in list(self._dialogues.values()):
            self._drop(dialogue)
        self._turns.clear()
        self._deadline = None


def _places(stream: Stream, server: IceServer) -> Iterator[Place]:
    """Return where a server is asked from: from each listening port, and where there is none once per address.

    A relayed address is asked for from one of the ports; from the others a TURN server is asked where it sees us.
    """
    seen: set[tuple[int, str]] = set()
    bases = [base for base in stream.bases if not base.is_udp]
    for base in bases:
        where = (base.component, base.ip)
        if where in seen or (":" in base.ip) is not (":" in server.address.ip):
            continue
        seen.add(where)
        listening: list[Base | None] = [b for b in bases if b.listens and (b.component, b.ip) == where]
        for number, listener in enumerate(listening or [None]):
            yield Place(stream, base.component, base.ip, listener, relayed=not number)
    if server.relays:
        for base in stream.bases:
            if base.is_udp and (":" in base.ip) is (":" in server.address.ip):
                yield Place(stream, base.component, base.ip, None, UDP)
