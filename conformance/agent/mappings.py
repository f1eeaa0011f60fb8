"""The mappings that NAT gateways are asked for: NAT-assisted candidates (RFC 6544 section 5.3).

A gateway is asked by the protocols in turn, until it speaks one of them; one request at a time is under way. Mappings
are renewed while the session lasts (RFC 6886 section 3.3, RFC 6887 section 11.2.1), and those that are no longer needed
are ended.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent import servercandidates
from conformance.agent.events import Bind, Datagram, Note, Unlisten
from conformance.agent.gatewaydialogue import Granted, OtherVersion, Refused, Wish, language
from conformance.agent.servercandidates import Reflection
from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.agent.candidates import Base, Foundations
    from conformance.agent.config import Config
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.gatewaydialogue import Language, Meaning
    from conformance.agent.stream import Stream

_SOONEST = 4.0  # seconds until a mapping is renewed, however short it is (RFC 6887 section 11.2.1)
_PATIENCE = 1.0  # seconds without an answer after which the next protocol is tried, where there is one


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping to a listening base. ``external`` is None until the gateway grants it; ``failed``: it will not."""

    stream: Stream
    base: Base
    gateway: Address
    own: Address
    nonce: bytes
    external: Address | None = None
    failed: bool = False
    renew_at: float | None = None
    ended: bool = False


class Client:
    """Asks one gateway from one address of ours, by the first of the protocols that it speaks."""

    def __init__(self, number: int, ip: str, gateway: Address, protocols: Iterable[str], out: list[Output]) -> None:
        self.number = number
        self.ip = ip
        self.gateway = gateway
        self.ready = False  # the socket is there
        self.queue: deque[Mapping] = deque()
        self._protocols = deque(protocols)
        self._language: Language | None = language(self._protocols.popleft()) if self._protocols else None
        self._out = out
        self._asked = b""
        self._interval = 0.0
        self._again_at = 0.0
        self._leave_at = 0.0

    @property
    def next_time(self) -> float | None:
        """When a request is to be repeated, or the protocol changed."""
        return min(self._again_at, self._leave_at) if self._asked else None

    def ask(self, now: float) -> None:
        """Ask for the first mapping that is wanted, if nothing is under way."""
        if self._language is None:
            while self.queue:
                self.queue.popleft().failed = True
        elif self.queue and self.ready and not self._asked:
            mapping = self.queue[0]
            self._asked = self._language.question(wish(mapping))
            self._interval = self._language.interval
            self._again_at = now + self._interval
            self._leave_at = now + _PATIENCE if self._protocols else float("inf")
            self._send(self._asked)

    def advance(self, now: float) -> None:
        """Repeat a request, or try the next protocol."""
        if self._asked and now >= self._leave_at:
            self._change()
            self.ask(now)
        elif self._asked and now >= self._again_at:
            self._interval *= 2
            self._again_at = now + self._interval
            self._send(self._asked)

    def heard(self, octets: bytes, believes: Callable[[int], bool], now: float) -> tuple[Mapping, Meaning] | None:
        """Return which mapping an answer settles, and how."""
        if not self._asked or self._language is None:
            return None
        meaning = self._language.meaning(wish(self.queue[0]), octets, believes)
        if meaning is None:
            return None
        settled = None
        if isinstance(meaning, OtherVersion):
            self._change()
        elif isinstance(meaning, Granted | Refused):
            settled = self.queue.popleft(), meaning
        self._asked = b""
        self.ask(now)
        return settled

    def leave(self) -> None:
        """No longer wait for mappings that were not had in time; those that are to be renewed are asked for again."""
        unanswered = bool(self.queue) and self.queue[0].external is None
        for mapping in self.queue:
            mapping.failed = mapping.external is None
        self.queue = deque(mapping for mapping in self.queue if not mapping.failed)
        if unanswered:
            self._asked = b""

    def forget(self, mapping: Mapping) -> None:
        """Do not ask for a mapping any more, unless that is under way."""
        self.queue = deque([*list(self.queue)[:1], *(other for other in list(self.queue)[1:] if other is not mapping)])

    def end(self, mapping: Mapping) -> None:
        """Give a mapping back (RFC 6886 section 3.4, RFC 6887 section 15); no answer is waited for."""
        if self._language is not None:
            self._send(self._language.question(wish(mapping, 0)))

    def _change(self) -> None:
        self._asked = b""
        self._language = language(self._protocols.popleft()) if self._protocols else None

    def _send(self, octets: bytes) -> None:
        self._out.append(Datagram(self.number, self.gateway, octets))


def wish(mapping: Mapping, lifetime: int = natpmp.LIFETIME) -> Wish:
    """Return a mapping as it is asked for."""
    return Wish(mapping.own, mapping.nonce, lifetime)


class Mappings:
    """All dealings of a session with gateways. Times are seconds on the caller's clock."""

    def __init__(self, config: Config, decisions: Decisions, out: list[Output], random: Callable[[int], bytes]) -> None:
        self._config = config
        self._decisions = decisions
        self._out = out
        self._random = random
        self._clients: dict[int, Client] = {}
        self._mappings: list[Mapping] = []
        self._deadline: float | None = None

    # -- gathering -----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether mappings may still come in time for the description."""
        return self._deadline is not None and any(client.queue for client in self._clients.values())

    def begin(self, streams: Sequence[Stream], number: Callable[[], int], now: float) -> None:
        """Ask each gateway for a mapping to each listening base that can reach it."""
        former = {(mapping.gateway, mapping.own): mapping for mapping in self._mappings}
        wanted = list(self._wanted(streams))
        if not wanted:
            return
        self._deadline = now + self._config.gathering_timeout
        for stream, base, gateway in wanted:
            own = Address(base.ip, self._decisions.mapped_port(base))
            known = former.get((gateway, own))
            nonce = known.nonce if known is not None else self._random(pcp.NONCE_SIZE)
            mapping = Mapping(stream, base, gateway, own, nonce)
            self._mappings.append(mapping)
            client = self._client(gateway, base.ip, number)
            client.queue.append(mapping)
            client.ask(now)

    def _wanted(self, streams: Sequence[Stream]) -> Iterator[tuple[Stream, Base, Address]]:
        for stream in streams:
            for base in self._decisions.mapped_bases(stream.bases):
                for gateway in self._decisions.gateways(self._config.gateways):
                    if (":" in base.ip) is (":" in gateway.ip):
                        yield stream, base, gateway

    def _client(self, gateway: Address, ip: str, number: Callable[[], int]) -> Client:
        for client in self._clients.values():
            if (client.gateway, client.ip) == (gateway, ip):
                return client
        protocols = self._decisions.mapping_protocols(ipv6=":" in ip)
        client = Client(number(), ip, gateway, protocols, self._out)
        self._clients[client.number] = client
        self._out.append(Bind(client.number, ip))
        return client

    def lacks(self, base: Base) -> bool:
        """Whether the gateway grants no mapping to a base, though it was asked."""
        return any(mapping.base is base and mapping.failed for mapping in self._mappings)

    def add_candidates(self, stream: Stream, foundations: Foundations) -> None:
        """Put the NAT-assisted candidates behind a stream's others, those that are not there yet."""
        found = [
            Reflection(stream, mapping.base.component, mapping.base.ip, mapping.base, mapping.gateway, mapping.external)
            for mapping in self._mappings
            if mapping.base in stream.bases and mapping.external is not None
        ]
        stream.locals += servercandidates.reflexive(stream, found, foundations, self._decisions)

    # -- sockets -------------------------------------------------------------------------------------------

    def owns(self, number: int) -> bool:
        """Whether a UDP socket is one towards a gateway."""
        return number in self._clients

    def bound(self, number: int, now: float) -> None:
        """Use a socket that is there now."""
        self._clients[number].ready = True
        self._clients[number].ask(now)

    def bind_failed(self, number: int, why: str) -> None:
        """Do without a socket."""
        client = self._clients.pop(number)
        self._out.append(Note(f"no candidate from the gateway {client.gateway}: {why}"))
        for mapping in client.queue:
            mapping.failed = True

    def datagram(self, number: int, remote: Address, octets: bytes, now: float) -> None:
        """Take what came on a socket; only the gateway's words count."""
        client = self._clients[number]
        settled = client.heard(octets, self._decisions.believes_mapping, now) if remote == client.gateway else None
        if settled is None:
            return
        mapping, meaning = settled
        if isinstance(meaning, Granted):
            mapping.external, mapping.renew_at = meaning.external, now + max(_SOONEST, meaning.lifetime / 2)
            if mapping.ended:
                client.end(mapping)
        elif isinstance(meaning, Refused):
            mapping.failed, mapping.renew_at = True, None
            self._out.append(Note(f"no mapping to {mapping.own} from the gateway {client.gateway}: {meaning.why}"))

    # -- the course of things ------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Do what is due: ask again, renew, and no longer wait."""
        for client in self._clients.values():
            client.advance(now)
        for mapping in self._mappings:
            if mapping.renew_at is not None and now >= mapping.renew_at:
                mapping.renew_at = None
                asked = self._client_of(mapping)
                if asked is not None:
                    asked.queue.append(mapping)
                    asked.ask(now)
        if self._deadline is not None and (not self.busy or now >= self._deadline):
            self._deadline = None
            for client in self._clients.values():
                client.leave()
                client.ask(now)

    def next_time(self) -> float | None:
        """Return when `advance` has something to do without anything happening before."""
        times = [client.next_time for client in self._clients.values()]
        times += [mapping.renew_at for mapping in self._mappings]
        times.append(self._deadline)
        return min((time for time in times if time is not None), default=None)

    def conclude(self, selected: Iterable[Base]) -> None:
        """End the mappings that ICE no longer needs once it has completed, as it frees bases (RFC 8445 section 8.3)."""
        used = list(selected)
        for mapping in [mapping for mapping in self._mappings if mapping.base not in used]:
            self._end(mapping)

    def close(self) -> None:
        """Give everything back."""
        for mapping in list(self._mappings):
            self._end(mapping)
        self._out += map(Unlisten, self._clients)
        self._clients.clear()
        self._deadline = None

    def _end(self, mapping: Mapping) -> None:
        self._mappings.remove(mapping)
        if any((other.gateway, other.own) == (mapping.gateway, mapping.own) for other in self._mappings):
            return  # a restart goes on with it
        mapping.ended = True
        client = self._client_of(mapping)
        if client is not None:
            client.forget(mapping)
            if mapping.external is not None and not mapping.failed:
                client.end(mapping)

    def _client_of(self, mapping: Mapping) -> Client | None:
        asked = (client for client in self._clients.values() if client.gateway == mapping.gateway)
        return next((client for client in asked if client.ip == mapping.own.ip), None)
