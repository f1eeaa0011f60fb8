"""The upper tester of one case: what a script asks of the IUT through its adapter."""

from __future__ import annotations

import base64
import binascii
import contextlib
import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from conformance.iut.errors import AdapterError, RpcError
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire.errors import SdpError
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.iut.process import Session
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media

REJECTED = -32010
_NOT_SUPPORTED = (-32601, -32602)


class Waiter(Protocol):
    """Serves the case's connections until a condition holds; `peer.pump.Pump` is one."""

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether the condition came to hold within so many seconds, or more on a machine that is busy."""
        ...

    def watch(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether what should not happen happened within so many seconds."""
        ...

    def poll(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether the condition came to hold within exactly so many seconds."""
        ...

    def wake(self) -> None:
        """Make the wait look at its condition again; callable from any thread."""
        ...


class Rejected(Failed):
    """The stack rejected a description or candidate (error -32010): an observation that the case judges."""


class Description:
    """An offer or answer of the IUT. ``ipv6``: the case meets it over IPv6."""

    def __init__(self, kind: str, text: str, *, ipv6: bool = False) -> None:
        self.ipv6 = ipv6
        self.kind = kind
        self.text = text
        self.sdp = SessionDescription.parse(text)

    def media(self, index: int = 0) -> Media:
        """Return a media section; Inconclusive if the description has none."""
        if index >= len(self.sdp.media):
            raise Inconclusive(f"the IUT's {self.kind} has no media section {index + 1}")
        return self.sdp.media[index]

    @property
    def lite(self) -> bool:
        """Whether a=ice-lite is there (RFC 8839 section 5.3)."""
        return self.sdp.ice_lite

    @property
    def answered_setup(self) -> str | None:
        """What an answer says in a=setup; None of an offer, which settles nothing yet (RFC 4145 section 4.1)."""
        return self.media().setup if self.kind == "answer" and self.sdp.media else None

    @property
    def ufrag(self) -> str:
        """User name fragment, of the media or the session level (RFC 8839 section 5.4)."""
        return self._credential("ufrag")

    @property
    def pwd(self) -> str:
        """Password, of the media or the session level."""
        return self._credential("pwd")

    def _credential(self, name: str) -> str:
        value: str | None = getattr(self.media(), name)
        if value is None:
            raise Inconclusive(f"the IUT's {self.kind} has no a=ice-{name}")
        return value

    def candidates(
        self,
        *,
        tcptype: str | None = None,
        component: int | None = None,
        type: str | None = None,  # noqa: A002
    ) -> list[Candidate]:
        """Return the TCP candidates of the first media section, in the IUT's order.

        Inconclusive if there is none like this: a question to no candidate has no answer.
        """
        found = [
            replace(candidate, address=_usual_text(candidate.address))
            for candidate in self.media().candidates
            if candidate.is_tcp
            and (tcptype is None or (candidate.tcptype or "").lower() == tcptype)
            and component in (None, candidate.component)
            and type in (None, candidate.type.lower())
        ]
        wanted = " ".join(word for word in (tcptype, "TCP", type) if word)
        self.require(bool(found), f"{wanted} candidates" + (f" of component {component}" if component else ""))
        return found

    def require(self, holds: bool, what: str) -> None:
        """Raise `Inconclusive` unless the description has what the case is about."""
        if not holds:
            raise Inconclusive(f"the IUT's {self.kind} does not have {what}")

    def needs_tcp_alone(self) -> None:
        """Raise `NotApplicable` where UDP candidates stand beside TCP: they change what is asked of priorities."""
        if not all(candidate.is_tcp for candidate in self.media().candidates):
            raise NotApplicable(f"the IUT's {self.kind} has UDP candidates beside TCP")

    def needs_several_addresses(self) -> None:
        """Raise `NotApplicable` where all TCP candidates are at one address."""
        if len({candidate.address for candidate in self.candidates()}) < 2:
            raise NotApplicable(f"the IUT's {self.kind} has candidates at one address only")

    def require_none(self, tcptype: str) -> None:
        """Raise `NotApplicable` if there are candidates of this tcptype, which the case cannot do with."""
        if any((candidate.tcptype or "").lower() == tcptype for candidate in self.media().candidates):
            raise NotApplicable(f"the IUT's {self.kind} has {tcptype} candidates")

    def candidate(self, *, tcptype: str, component: int = 1) -> Candidate:
        """Return the first such TCP host candidate of the case's address family; Inconclusive if there is none."""
        found = self.candidates(tcptype=tcptype, component=component, type="host")
        mine = [candidate for candidate in found if (":" in candidate.address) is self.ipv6]
        self.require(bool(mine), f"a {tcptype} TCP host candidate of {'IPv6' if self.ipv6 else 'IPv4'}")
        return mine[0]


def _usual_text(address: str) -> str:
    """Return an address as the kernel writes it, for comparisons: IPv6 has many spellings (RFC 4291 section 2.2)."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:  # a name
        return address


class Upper:
    """Drives one session of the IUT. Errors that say "not with me" end the case as n/a (design: the contract)."""

    def __init__(
        self,
        new_session: Callable[[], Session],
        waiter: Waiter,
        *,
        pics: Mapping[str, Any],
        addresses: Sequence[str],
        timeout: float,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.pics = pics
        self.description: Description | None = None
        self.on_description: Callable[[Description], None] = lambda _description: None
        self.received: dict[int, bytearray] = {}
        self.states: list[str] = []
        self.selected: list[Mapping[str, Any]] = []
        self.trickled: list[str] = []
        self.exchanged: list[tuple[str, SessionDescription]] = []  # who described itself how, in order
        self._session = new_session()
        self._session.on_activity = waiter.wake
        self._waiter = waiter
        self._addresses = list(addresses)
        self._timeout = timeout
        self._extra = dict(extra or {})
        self._opened = False

    # -- descriptions --------------------------------------------------------------------------------------------

    def open(
        self,
        side: str,
        *,
        tcptypes: str = "active passive",
        components: int = 1,
        media: str = "rtp",
        agent: str = "full",
        **wishes: object,
    ) -> None:
        """Open the session. `tcptypes` is a wish; a stack that does not obey it may offer more."""
        self._opened = True
        parameters: dict[str, object] = {
            "side": side,
            "agent": agent,
            "components": components,
            "media": media,
            "ice_servers": [],
            "addresses": self._addresses,
            "tcptypes": tcptypes.split(),
            "transports": ["tcp"],
        }
        self.call("open", **{**parameters, **self._extra, **wishes})

    def offer(self, tcptypes: str = "active passive", **wishes: Any) -> Description:
        """Open the session as offerer and return the IUT's offer."""
        self.open("offerer", tcptypes=tcptypes, **wishes)
        return self.describe()

    def answer(self, offer: SessionDescription, tcptypes: str = "active passive", **wishes: Any) -> Description:
        """Open the session as answerer, give it our offer and return the IUT's answer."""
        self.open("answerer", tcptypes=tcptypes, **wishes)
        self.accept(offer, kind="offer")
        return self.describe()

    def describe(self) -> Description:
        """Return the IUT's next description."""
        result = self.call("describe", trickle=False)
        try:
            ipv6 = any(":" in address for address in self._addresses[:1])
            self.description = Description(str(result.get("type")), str(result.get("sdp", "")), ipv6=ipv6)
        except SdpError as error:
            raise Inconclusive(f"the IUT's description cannot be parsed: {error}") from error
        self.exchanged.append(("IUT", self.description.sdp))
        self.on_description(self.description)
        return self.description

    def accept(self, description: SessionDescription, kind: str = "answer") -> None:
        """Give the IUT a description of ours. Raises `Rejected` if the stack refuses it."""
        self.exchanged.append(("tester", description))
        self.call("accept", type=kind, sdp=str(description))

    # -- the rest of the session ---------------------------------------------------------------------------------

    def send(self, octets: bytes, component: int = 1) -> None:
        """Let the IUT's application send data."""
        self.call("send", component=component, data=base64.b64encode(octets).decode())

    def try_to_send(self, octets: bytes, component: int = 1) -> None:
        """Let the IUT's application want to send data when it may not be able to; a refusal is an answer like any."""
        with contextlib.suppress(Inconclusive):
            self.send(octets, component)
        self.check_alive()

    def send_when_ready(self, octets: bytes, component: int = 1, *, within: float) -> None:
        """Let the IUT's application send data when the stack says that it is connected, at the latest after `within`.

        For a body that judges by what comes over the connection whether ICE has completed.
        """
        if "state" in self.pics.get("reports", []):
            self.wait_state("connected", "completed", within=within)
        self.try_to_send(octets, component)

    def updated_offer(self) -> Description:
        """Return the IUT's next offer after the first exchange, ICE not being restarted; n/a where there is none."""
        before = self.description
        offer = self.describe()
        if before is None or offer.text == before.text or offer.kind != "offer":
            raise NotApplicable("the IUT makes no updated offer: it gives its former description again")
        if offer.ufrag != before.ufrag:
            raise NotApplicable("the IUT makes no updated offer: its next one restarts ICE")
        return offer

    def states_since(self, number: int) -> list[str]:
        """Return the states that the stack has reported after its first so many."""
        self._take_notifications()
        return self.states[number:]

    def restart(self) -> Description:
        """Restart ICE from the IUT's side and return its new offer."""
        self.call("restart")
        return self.describe()

    def close(self) -> None:
        """Close the session, if it was opened."""
        if self._opened:
            self._opened = False
            self.call("close")

    def expect_data(self, octets: bytes, *, component: int = 1, within: float) -> None:
        """Wait until the IUT's application has received exactly these octets on a component, in any portions."""

        def settled() -> bool:
            self._take_notifications()
            got = self.received.get(component, b"")
            return len(got) >= len(octets) or not octets.startswith(got)

        self._waiter.wait(settled, within)
        got = bytes(self.received.get(component, b""))
        if got != octets:
            others = sum(len(data) for key, data in self.received.items() if key != component)
            aside = f", and {others} octets on another component" if others else ""
            raise Failed(
                "the IUT's application did not receive what was sent",
                expected=f"the application receives the {len(octets)} octets sent: {_short(octets)}",
                actual=f"within {within:g} s it received {len(got)} octets: {_short(got)}{aside}",
            )

    def expect_no_data(self, *, within: float) -> None:
        """Watch that the IUT's application receives nothing (beyond what was expected so far)."""
        self._take_notifications()
        before = sum(map(len, self.received.values()))

        def more() -> bool:
            self._take_notifications()
            return sum(map(len, self.received.values())) > before

        if self._waiter.watch(more, within):
            got = b"".join(bytes(data) for data in self.received.values())
            raise Failed(
                "the IUT's application received octets that it must not receive",
                expected="the application receives nothing",
                actual=f"it received {_short(got)}",
            )

    def forget_data(self) -> None:
        """Start counting received data anew."""
        self._take_notifications()
        self.received.clear()

    def wait_state(self, *wanted: str, within: float) -> bool:
        """Wait for a state notification; False if none came. Helps to find things; the wire decides."""

        def reached() -> bool:
            self._take_notifications()
            return any(state in wanted for state in self.states)

        return self._waiter.wait(reached, within)

    def ready(self, *, within: float) -> None:
        """Wait, as a preamble, until the stack says that it is connected; nothing to wait for where it never says."""
        if "state" in self.pics.get("reports", []) and not self.wait_state("connected", "completed", within=within):
            raise Inconclusive(f"the stack did not become connected within {within:g} s; it said {self.states}")

    def call(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Call the adapter while the case's connections are served; return the result.

        Raises `NotApplicable` for -32601 and -32602, `Rejected` for -32010, `Inconclusive` for any other error, a
        hung or a dead adapter.
        """
        try:
            pending = self._session.begin(method, parameters)
            if not self._waiter.poll(lambda: pending.done, self._timeout):
                raise Inconclusive(f"the adapter did not answer {method} within {self._timeout:g} s")
            return pending.result()
        except RpcError as error:
            raise self._judge(method, error) from error
        except AdapterError as error:
            raise Inconclusive(f"{error}") from error

    @staticmethod
    def _judge(method: str, error: RpcError) -> Exception:
        if error.code in _NOT_SUPPORTED:
            return NotApplicable(f"the adapter cannot {method} this way: {error.message}")
        if error.code == REJECTED:
            return Rejected(
                f"the stack rejected it: {error.message}",
                expected="the stack takes the description",
                actual=f"it rejected it: {error.message}",
            )
        return Inconclusive(f"{method} failed in the adapter: {error}")

    def ask(self) -> Callable[[], bool]:
        """Ask the adapter for what it does not have, which costs its stack nothing; return whether it has answered."""
        try:
            pending = self._session.begin("x-lag", {})
        except AdapterError:  # dead, which whoever waits finds out by itself
            return lambda: True
        return lambda: pending.done

    def check_alive(self) -> None:
        """Raise `Inconclusive` if the adapter has died."""
        if self._session.died is not None:
            raise Inconclusive(f"{self._session.died}")

    def _take_notifications(self) -> None:
        self.check_alive()
        while self._session.notifications:
            note = self._session.notifications.popleft()
            if note.method == "data":
                self._take_data(note.params)
            elif note.method == "state":
                self.states.append(str(note.params.get("state")))
            elif note.method == "selected":
                self.selected.append(note.params)
            elif note.method == "candidate":
                self.trickled.append(str(note.params.get("candidate", "")))

    def _take_data(self, parameters: Mapping[str, Any]) -> None:
        try:
            octets = base64.b64decode(str(parameters.get("data", "")), validate=True)
        except binascii.Error as error:
            raise Inconclusive(f"the adapter's data notification is no base64: {error}") from error
        self.received.setdefault(int(parameters.get("component", 1)), bytearray()).extend(octets)


def _short(octets: bytes) -> str:
    return f"{octets[:24]!r}{'…' if len(octets) > 24 else ''}" if octets else "nothing"
