"""The lower tester's identity: credentials, role, and the messages that carry them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from conformance.peer import describe
from conformance.verdict import Inconclusive
from conformance.wire.candidate import priority, tcp_local_preference
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.layers import binding_error, binding_request, binding_success

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from scapy.packet import Packet

    from conformance.peer.connection import Connection
    from conformance.peer.events import Frame
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import SessionDescription

_PEER_REFLEXIVE = 110
DIRECTION_PREFERENCE = {"active": 6, "passive": 4, "so": 2}  # RFC 6544 section 4.2, of host candidates


class Credentials(Protocol):
    """What a check needs of the IUT's description."""

    @property
    def ufrag(self) -> str:
        """The user name fragment."""
        ...

    @property
    def pwd(self) -> str:
        """The password."""
        ...

    @property
    def fragments(self) -> Collection[str]:
        """The user name fragments of all streams."""
        ...

    @property
    def answered_setup(self) -> str | None:
        """What an answer of the IUT says in a=setup; None of an offer."""
        ...

    def hosts(self, tcptype: str | None = None) -> list[Candidate]:
        """Return its TCP host candidates, of one tcptype."""
        ...

    @property
    def lite(self) -> bool:
        """Whether the IUT sends no checks (RFC 8445 section 6.2)."""
        ...


# Tie-breakers that lose and win against any that is drawn at random. 0 is not among them: a stack may hold it for none,
# which would show in one of 2**64 sessions, and keep what a conflict is needed for from being judged.
SMALL, GREAT = 1, 2**64 - 1
_FRAGMENT, _PASSWORD = 4, 12  # random octets of each, in hexadecimal digits


class Identity:
    """Credentials and role of the lower tester; `controlling` follows from who offered (RFC 8445 section 6.1.1)."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.fingerprint = rng.randbytes(32).hex(":").upper()  # of a certificate that nobody will see
        self.settled_setup: str | None = None  # our a=setup in the last exchange that was completed
        self.controlling = False
        self.role_is_told = False  # the IUT's caller was told which role the IUT has, other than offer and answer say
        self.ufrag = rng.randbytes(_FRAGMENT).hex()
        self.pwd = rng.randbytes(_PASSWORD).hex()
        self._passwords = {self.ufrag: self.pwd}
        self._met: set[str] = set()  # fragments of the IUT's
        self.tie_breaker = rng.getrandbits(64)
        self.iut: Credentials | None = None
        self.profile = "plain"  # what kind of description the IUT takes
        self.iut_is_elsewhere = False  # on another machine: this kernel knows nothing of its sockets
        self.described: SessionDescription | None = None  # our last description
        self.described_sections: dict[str, SessionDescription] = {}  # our last description of each section, by mid
        self.section = 0  # which of its media sections is in use
        self.versions = count(1)  # of our descriptions (RFC 3264 section 8)
        self.described_at = 0.0  # `time.monotonic` of our last description: before it the IUT knew nothing of it

    def switch_roles(self) -> None:
        """Take the other role, so that the first check of either side makes a conflict.

        The IUT loses it: our tie-breaker is very small or great (RFC 8445 sections 7.3.1.1 and 7.2.5.1).
        Inconclusive where the IUT says that it is lite: which role it then takes for its own cannot be presumed.
        """
        if self.iut is not None and self.iut.lite:
            raise Inconclusive("the IUT says a=ice-lite: RFC 8445 section 6.1.1 settles its role, there is no conflict")
        self.controlling = not self.controlling
        self.tie_breaker = GREAT if self.controlling else SMALL

    def meet(self, iut: Credentials) -> None:
        """Take the IUT's credentials: from now on its checks must carry them."""
        self.iut = iut
        self._met.update(iut.fragments)
        if iut.answered_setup in describe.ANSWER_SETUP:
            self.settled_setup = describe.ANSWER_SETUP[iut.answered_setup]

    def renew(self) -> None:
        """Take new credentials, as an ICE restart does; checks with the former ones are still answered."""
        self.take_credentials(self._rng.randbytes(_FRAGMENT).hex(), self._rng.randbytes(_PASSWORD).hex())

    @property
    def has_usual_credentials(self) -> bool:
        """Whether the credentials are as long as those that it takes by itself."""
        return (len(self.ufrag), len(self.pwd)) == (2 * _FRAGMENT, 2 * _PASSWORD)

    def take_credentials(self, ufrag: str, pwd: str) -> None:
        """Take these credentials; checks with the former ones are still answered."""
        self.ufrag, self.pwd = ufrag, pwd
        self._passwords[ufrag] = pwd

    def check(
        self,
        iut: Credentials,
        *,
        controlling: bool | None = None,
        use_candidate: bool = False,
        component: int = 1,
        **change: Any,
    ) -> Packet:
        """Return a valid connectivity check (RFC 8445 section 7.2.4), unframed.

        `change` overrides arguments of `wire.layers.binding_request` (username, password, priority, attributes,
        transaction_id): each breaks or adds one thing.
        """
        leading = self.controlling if controlling is None else controlling
        local = tcp_local_preference(DIRECTION_PREFERENCE["active"], 8191)
        arguments: dict[str, Any] = {
            "username": f"{iut.ufrag}:{self.ufrag}",
            "password": iut.pwd,
            "priority": priority(_PEER_REFLEXIVE, local, component),
            "use_candidate": use_candidate,
            "transaction_id": self._rng.randbytes(12),
            "controlling" if leading else "controlled": self.tie_breaker,
        }
        return binding_request(**{**arguments, **change})

    def success(self, connection: Connection, request: Frame) -> Packet:
        """Return the success response to a request of the IUT (RFC 8445 section 7.3.1.3), unframed."""
        pwd = self._passwords.get(self._fragment(request), self.pwd)
        return binding_success(request.stun.transaction_id, connection.seen_from, pwd)

    def error(self, request: Frame, code: int, reason: str) -> Packet:
        """Return an error response to a request of the IUT, with integrity, unframed."""
        return binding_error(request.stun.transaction_id, code, reason, self.pwd)

    def is_valid(self, request: Frame) -> bool:
        """Whether a request carries our credentials (RFC 8489 section 9.1.3)."""
        try:
            theirs = (request.stun.username or "").partition(":")[2]
        except StunError:  # not UTF-8
            return False
        pwd = self._passwords.get(self._fragment(request))
        known = not self._met or theirs in self._met
        return pwd is not None and known and check_integrity(request.octets, short_term_key(pwd)) is Check.VALID

    @staticmethod
    def _fragment(request: Frame) -> str:
        return (request.stun.username or "").partition(":")[0]
