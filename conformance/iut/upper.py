"""The upper tester of one case: what a script asks of the IUT through its adapter."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.iut.calls import REJECTED as REJECTED
from conformance.iut.calls import Calls, Waiter
from conformance.iut.calls import Rejected as Rejected
from conformance.iut.description import Description, says_the_same
from conformance.iut.notifications import Notifications
from conformance.iut.received import without_stun
from conformance.iut.strange import strange, with_line_feeds
from conformance.iut.trickle import without_candidates
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing, NotApplicable, Unreadable
from conformance.wire.errors import SdpError
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.iut.process import Pending, Session
    from conformance.iut.reads import Reads
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media

_CANDIDATES, _TEXT = "candidates of unknown transports", "text that is not ASCII"
_LESS_STRANGE = ((False, True, _CANDIDATES), (True, False, _TEXT), (False, False, f"{_CANDIDATES} and {_TEXT}"))
_MOST_TRICKLED = 256
DELIVERY = "data that is delivered"  # what a case may find missing
STUN_AMONG_DATA = "data without STUN messages among them"  # as `Failed.wanted`: all of it came, and more
_GIVING_UP = 0.05  # seconds: a check each Ta, or a look at the checklist in between
_TRICKLING = 2.0  # seconds without a further candidate after which no more are waited for, where no end is told


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
        both: Sequence[str] = (),
    ) -> None:
        self.pics = pics
        self.description: Description | None = None
        self.on_description: Callable[[Description, float], None] = lambda _description, _came_at: None
        self._told = Notifications()
        self.trickles = False  # candidates of both sides come after the descriptions
        self.readings: list[str] = []  # of what the case does not judge
        self.reads: Reads | None = None  # notes what is read of the IUT's descriptions
        self.is_strange = False  # our descriptions say what they say in a strange way
        self._untold: SessionDescription | None = None  # whose candidates we have still to trickle
        self.exchanged: list[tuple[str, SessionDescription]] = []  # who described itself how, in order
        self._session = new_session()
        self._session.on_activity = waiter.wake
        self._waiter = waiter
        self._addresses = list(addresses)
        self._both = list(both)  # of both families
        self._calls = Calls(self._session, waiter, timeout)
        self._extra = dict(extra or {})
        self._opened = False
        self.agent = "full"  # as which it was opened
        self._describing: Pending | None = None  # a call of describe that is under way

    @property
    def states(self) -> list[str]:
        """The states that the stack has reported, in order."""
        return self._told.states

    @property
    def selected(self) -> list[Mapping[str, Any]]:
        """What the stack has told of selected pairs."""
        return self._told.selected

    @property
    def trickled(self) -> list[tuple[str, str]]:
        """The candidates that the IUT has trickled, each with its mid; an empty candidate ends them."""
        return self._told.trickled

    # -- descriptions --------------------------------------------------------------------------------------------

    def open(
        self,
        side: str,
        *,
        tcptypes: str = "active passive",
        components: int = 1,
        media: str = "rtp",
        agent: str = "full",
        streams: int = 1,
        **wishes: Any,
    ) -> None:
        """Open the session. `tcptypes` is a wish; a stack that does not obey it may offer more.

        `streams`: so many media sections an offer of the IUT's shall have.
        """
        self._opened, self.agent = True, agent
        parameters: dict[str, object] = {
            "side": side,
            "agent": agent,
            "components": components,
            "media": media,
            "ice_servers": [],
            "addresses": self._addresses,
            "tcptypes": tcptypes.split(),
            "transports": ["udp", "tcp"] if self._is_to_relay_udp(wishes.get("ice_servers", ())) else ["tcp"],
        }
        if streams > 1:
            parameters["streams"] = streams
        try:
            self.call("open", **{**parameters, **self._extra, **wishes})
        except (NotApplicable, Rejected):
            self._opened = False  # there is no session to close
            raise

    @property
    def relays_udp_alone(self) -> bool:
        """Whether the IUT is a TURN client over TCP whose allocations are of UDP addresses (RFC 6544 section 4.1)."""
        return bool(self.pics.get("turn_over_tcp")) and not self.pics.get("tcp_relay")

    def _is_to_relay_udp(self, servers: Sequence[Mapping[str, str]]) -> bool:
        return self.relays_udp_alone and any(server["url"].startswith("turn:") for server in servers)

    def two_addresses(self) -> list[str]:
        """Return two addresses of the case's family at which the IUT can be; n/a where there is one only."""
        first = self._addresses[0]
        if len(self._addresses) > 1:
            return self._addresses[:2]
        if ":" in first or not ipaddress.ip_address(first).is_loopback:  # all of 127/8 is a machine's own, nothing else
            raise NotApplicable(f"the IUT has one IPv{6 if ':' in first else 4} address here: {first}")
        return [first, str(ipaddress.IPv4Address(first) + 1)]

    def both_families(self) -> list[str]:
        """Return an IPv4 and an IPv6 address at which the IUT can be; n/a where only those of one family are known."""
        if len({":" in address for address in self._both}) < 2:
            raise NotApplicable(f"only one address of the IUT is known here: {', '.join(self._both)}")
        return self._both

    def offer(self, tcptypes: str = "active passive", **wishes: Any) -> Description:
        """Open the session as offerer and return the IUT's offer."""
        self.open("offerer", tcptypes=tcptypes, **wishes)
        return self.describe()

    def answer(self, offer: SessionDescription, tcptypes: str = "active passive", **wishes: Any) -> Description:
        """Open the session as answerer, give it our offer and return the IUT's answer."""
        self.open("answerer", tcptypes=tcptypes, **wishes)
        self.accept(offer, kind="offer")
        return self.describe()

    def answer_unless_rejected(self, offer: SessionDescription) -> Description:
        """Return the IUT's answer to an offer that it need not want; n/a where it rejects the offer or its stream."""
        try:
            answer = self.answer(offer)
        except Rejected as rejection:
            raise NotApplicable(f"{rejection}") from rejection
        if answer.media().port == 0:
            raise NotApplicable("the IUT's answer rejects the stream (RFC 3264 section 6)")
        return answer

    def describe(self, *, trickle: bool = False) -> Description:
        """Return the IUT's next description, as a rule with all candidates, also those that it trickles.

        `trickle`: return it at once; `await_candidates` then adds what comes later.
        """
        self._take_notifications()
        self._told.trickled.clear()  # they belong to a former description
        self.exchanged.append(("unknown", SessionDescription([])))  # until it is known what the IUT said
        result = self.call("describe", trickle=trickle or self.trickles)
        try:
            known: dict[str, Any] = {"ipv6": ":" in "".join(self._addresses[:1]), "wished": self._addresses}
            known |= {"offers": self.pics.get("offers", []), "reads": self.reads}
            self.description = Description(str(result.get("type")), str(result.get("sdp", "")), **known)
        except SdpError as error:
            raise Unreadable(f"the IUT's description cannot be parsed: {error}") from error
        self.exchanged[-1] = ("IUT", self.description.sdp)
        self.on_description(self.description, self._calls.answered_at)
        if self.trickles and not trickle:
            if self._untold is not None and self.description.kind == "answer":
                self.trickle_all()
            self.await_candidates()
        return self.description

    def begin_describing(self) -> Callable[[], bool]:
        """Ask for the IUT's next description, which `describe` then returns; return whether it is there."""
        pending = self._describing = self._calls.begin("describe", {"trickle": self.trickles})
        return lambda: pending.done

    def accept(self, description: SessionDescription, kind: str = "answer") -> None:
        """Give the IUT a description of ours. Raises `Rejected` if the stack refuses it.

        Where candidates trickle, those of an answer follow at once, those of an offer when the IUT has answered it.
        """
        self.exchanged.append(("tester", description))
        self._untold = description if self.trickles else None
        told = without_candidates(description) if self.trickles else description
        if self.is_strange:
            self._accept_strange(told, kind)
        else:
            self.call("accept", type=kind, sdp=str(told))
        if self._untold is not None and kind == "answer":
            self.trickle_all()

    def _accept_strange(self, description: SessionDescription, kind: str) -> None:
        offered = kind == "offer" and self.pics.get("profile", "plain") == "plain"
        text = strange(description, offered=offered)
        if kind == "answer":
            with contextlib.suppress(Rejected):  # as a parser may that is strict about line ends
                self.call("accept", type=kind, sdp=with_line_feeds(text))
                return
        try:
            self.call("accept", type=kind, sdp=text)
        except Rejected as rejection:
            self._accept_less_strange(partial(strange, description, offered=offered), kind, rejection)

    def _accept_less_strange(self, text: Callable[..., str], kind: str, refusal: Rejected) -> None:
        """Give the IUT a description without what it refuses of it; a case of its own judges the candidates."""
        for useless, languages, without in _LESS_STRANGE:
            with contextlib.suppress(Rejected):
                self.call("accept", type=kind, sdp=text(useless=useless, languages=languages))
                self.readings.append(f"our description is without {without}, for which the IUT refused it: {refusal}")
                return
        raise JudgedElsewhere(
            f"{refusal}, where all that is strange is to be ignored",
            case="RFC8839-5.1/candidate_of_an_unknown_transport_is_ignored",
        ) from refusal

    # -- candidates that come later --------------------------------------------------------------------------------

    def trickle(self, candidate: Candidate | None, mid: str | None = None) -> None:
        """Tell the IUT of a candidate of ours; None: that there are no more. Raises `Rejected` if it refuses it.

        `mid`: of the section of our last description that it belongs to; left out, the first that is in use.
        """
        section = self._our_section(mid)
        if candidate is not None and section is not None and candidate not in section.candidates:
            section.candidates.append(candidate)  # the judge looks for the candidates in the descriptions
        self._tell_candidate(candidate, section.mid if mid is None and section is not None else mid)

    def _tell_candidate(self, candidate: Candidate | None, mid: str | None) -> None:
        self.call("trickle", candidate="" if candidate is None else str(candidate), mid=mid or "0")

    def _our_section(self, mid: str | None) -> Media | None:
        """Return the section of our last description with this mid; None: the first in use."""
        ours = [description for who, description in self.exchanged if who == "tester"]
        sections = ours[-1].media if ours else []
        return next((media for media in sections if (media.port if mid is None else media.mid == mid)), None)

    def trickle_unless_rejected(self, candidate: Candidate) -> None:
        """Tell the IUT of a candidate of ours that it may well refuse."""
        with contextlib.suppress(Rejected):
            self.trickle(candidate)

    def trickle_all(self) -> None:
        """Tell the IUT of all candidates of our last description, one by one, and that there are no more.

        One that it refuses it has ignored (RFC 8839 section 5.1). Raises `Rejected` if it takes none.
        """
        description, self._untold = self._untold, None
        for media in description.media if description is not None else ():
            if media.port == 0:
                continue  # a section that we reject has no ICE, and a stack may not know it any more
            refusals = []
            for candidate in list(media.candidates):
                try:
                    self._tell_candidate(candidate, media.mid)
                except Rejected as refusal:
                    refusals.append(refusal)
            if refusals and len(refusals) == len(media.candidates):
                raise refusals[-1]
            self._tell_candidate(None, media.mid)
        # An IUT that gives an empty checklist up at the end of candidates does so before we connect, each time.
        self._waiter.wait(lambda: False, _GIVING_UP)

    def await_candidates(self) -> Description:
        """Add to the IUT's description what it trickles, until it says that this is all or is silent for a while."""
        description = self.description
        assert description is not None

        def more() -> bool:
            self._take_notifications()
            return bool(self._told.trickled)

        for _ in range(_MOST_TRICKLED):
            if description.complete or not self._waiter.wait(more, _TRICKLING):
                break
            candidate, mid = self._told.trickled.pop(0)
            description.complete = not candidate
            if candidate:
                description.add(candidate, mid)
        return description

    # -- the rest of the session ---------------------------------------------------------------------------------

    def send(self, octets: bytes, component: int = 1, *, stream: int = 0) -> None:
        """Let the IUT's application send data; `stream` counts media sections from 0."""
        which = {"stream": stream} if stream else {}
        self.call("send", component=component, data=base64.b64encode(octets).decode(), **which)

    def try_to_send(self, octets: bytes, component: int = 1, *, stream: int = 0) -> None:
        """Let the IUT's application want to send data when it may not be able to; a refusal is an answer like any."""
        with contextlib.suppress(Inconclusive):
            self.send(octets, component, stream=stream)
        self.check_alive()

    @property
    def is_connected(self) -> bool:
        """Whether the stack has said that it is connected."""
        self._take_notifications()
        return bool({"connected", "completed"} & set(self.states))

    @property
    def reports_state(self) -> bool:
        """Whether the stack tells its state."""
        return "state" in self.pics.get("reports", [])

    @property
    def secured(self) -> bool:
        """Whether DTLS stands between ICE and the application, and begins by itself on the selected connection."""
        return bool(self.pics.get("payload") == "dtls")

    def updated_offer(self) -> Description:
        """Return the IUT's next offer after the first exchange, ICE not being restarted; n/a where there is none."""
        before, offer = self.description, self.describe()
        is_same = Description.is_the_text_of if self.pics.get("updates") else says_the_same
        if before is None or is_same(offer, before) or offer.kind != "offer":
            raise NotApplicable("the IUT makes no updated offer: it gives its former description again")
        if offer.ufrag != before.ufrag:
            raise NotApplicable("the IUT makes no updated offer: its next one restarts ICE")
        return offer

    def first_description(self, who: str) -> SessionDescription:
        """Return the first description of the "tester" or the "IUT" in this session."""
        return next(description for one, description in self.exchanged if one == who)

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

    def expect_data(self, octets: bytes, *, component: int = 1, stream: int = 0, within: float) -> None:
        """Wait until the IUT's application has received exactly these octets on a component, in any portions."""
        place = stream, component

        def settled() -> bool:
            self._take_notifications()
            got = self._told.received.get(place, b"")
            return len(got) >= len(octets) or not octets.startswith(got)

        self._waiter.wait(settled, within)
        got = bytes(self._told.received.get(place, b""))
        if got != octets:
            others = sum(len(data) for key, data in self._told.received.items() if key != place)
            aside = f", and {others} octets on another component or stream" if others else ""
            raise Missing(
                "the IUT's application did not receive what was sent",
                expected=f"the application receives the {len(octets)} octets sent: {_short(octets)}",
                actual=f"within {within:g} s it received {len(got)} octets: {_short(got)}{aside}",
                wanted=STUN_AMONG_DATA if (data := without_stun(got)) != got and octets.startswith(data) else DELIVERY,
            )

    def expect_no_data(self, *, within: float) -> None:
        """Watch that the IUT's application receives nothing, nor has received anything since `forget_data`."""

        def received() -> bool:
            self._take_notifications()
            return any(self._told.received.values())

        if self._waiter.watch(received, within):
            got = b"".join(bytes(data) for data in self._told.received.values())
            raise Failed(
                "the IUT's application received octets that it must not receive",
                expected="the application receives nothing",
                actual=f"it received {_short(got)}",
            )

    def has_received(self, octets: bytes) -> bool:
        """Whether the IUT's application has received these octets, on any component or stream."""
        self._take_notifications()
        return any(octets in data for data in self._told.received.values())

    def forget_data(self) -> None:
        """Start counting received data anew."""
        self._take_notifications()
        self._told.received.clear()

    def wait_state(self, *wanted: str, within: float) -> bool:
        """Wait for a state notification; False if none came. Helps to find things; the wire decides."""

        def reached() -> bool:
            self._take_notifications()
            return any(state in wanted for state in self.states)

        return self._waiter.wait(reached, within)

    def expect_state(self, *wanted: str, within: float) -> None:
        """Wait until the stack reports one of these states."""
        if not self.wait_state(*wanted, within=within):
            raise Missing(
                f"the stack did not report the state {' or '.join(wanted)}",
                expected=f"one of the states {', '.join(wanted)}",
                actual=f"within {within:g} s it reported {', '.join(self.states) or 'no state'}",
            )

    def expect_no_state(self, *unwanted: str, within: float) -> None:
        """Watch that the stack reports none of these states, now or before."""

        def reached() -> bool:
            self._take_notifications()
            return any(state in unwanted for state in self.states)

        if self._waiter.watch(reached, within):
            raise Failed(
                f"the stack reported the state {next(state for state in self.states if state in unwanted)}",
                expected=f"none of the states {', '.join(unwanted)}",
                actual=f"it reported {', '.join(self.states)}",
            )

    def expect_not_completed(self, *, streams: int, within: float) -> None:
        """Watch that the stack does not report its session as completed: of one component it may well say so."""

        def reached() -> bool:
            self._take_notifications()
            return None in self._told.completed or len(self._told.completed) >= streams

        if self._waiter.watch(reached, within):
            raise Failed(
                "the stack reported the state completed",
                expected="the state completed of one stream at most",
                actual=f"it reported {', '.join(self.states)}",
            )

    def allow_for_connecting(self, *, within: float) -> None:
        """Give the stack the time to say that it is connected, where it ever says so."""
        if self.reports_state:
            self.wait_state("connected", "completed", within=within)

    def ready(self, *, within: float) -> None:
        """Wait, as a preamble, until the stack says that it is connected; nothing to wait for where it never says."""
        if self.reports_state and not self.wait_state("connected", "completed", within=within):
            raise Inconclusive(f"the stack did not become connected within {within:g} s; it said {self.states}")

    def await_selected(self, *, within: float, pairs: int = 1) -> None:
        """Wait, as a preamble, until the stack says that it has selected a pair, where it ever says so.

        `pairs`: of so many components or streams.
        """

        def selected() -> bool:
            self._take_notifications()
            return len(self._told.selected_places()) >= pairs

        if "selected" in self.pics.get("reports", []) and not self._waiter.wait(selected, within):
            raise Inconclusive(f"the stack did not tell of {pairs} selected pair(s) within {within:g} s")

    def call(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Call the adapter while the case's connections are served; return the result. See `Calls.result`."""
        pending, self._describing = self._describing, None
        return self._calls.result(method, pending or self._calls.begin(method, parameters))

    def ask(self) -> Callable[[], bool]:
        """Ask the adapter for what it does not have, which costs its stack nothing; return whether it has answered."""
        return self._calls.ask()

    def check_alive(self) -> None:
        """Raise `Inconclusive` if the adapter has died."""
        self._calls.check_alive()

    def _take_notifications(self) -> None:
        self.check_alive()
        while self._session.notifications:
            note = self._session.notifications.popleft()
            self._told.take(note.method, note.params)


def _short(octets: bytes) -> str:
    return f"{octets[:24]!r}{'…' if len(octets) > 24 else ''}" if octets else "nothing"
