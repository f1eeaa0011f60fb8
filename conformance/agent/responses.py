"""Answering the peer's checks, and what follows from them (RFC 8489 sections 6.3 and 9.1.3, RFC 8445 section 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import forming, lite
from conformance.agent.events import Note
from conformance.agent.messages import IncomingCheck
from conformance.agent.pairs import PairState
from conformance.wire import attributes as attr
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen
from conformance.wire.integrity import short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.checks import Checks
    from conformance.agent.connections import Connections
    from conformance.agent.decisions import Decisions, responses
    from conformance.agent.events import Output
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.roles import Role
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address, RawAttribute


@frozen
class Identity:
    """Who the server is when a request comes: credentials, role, tie-breaker and mode."""

    ufrag: str
    pwd: str
    controlling: bool
    tie_breaker: int
    lite: bool = False


@frozen
class Judgement:
    """What to do about a request: the response, the check if it was accepted, and whether to change roles."""

    response: bytes
    check: IncomingCheck | None = None
    switch_role: bool = False
    error: int = 0


_BAD_REQUEST = 400


class _Refused(Exception):
    def __init__(self, code: int, reason: str, *more: RawAttribute) -> None:
        super().__init__(reason)
        self.code = code
        self.more = (attr.error_code(code, reason), *more)


class Server:
    """Decides about requests; holds no state between them."""

    def __init__(self, decisions: responses.Responses) -> None:
        self._decisions = decisions

    def judge(
        self,
        octets: bytes,
        message: Message,
        source: Address,
        me: Identity,
        *,
        nominable: bool,
        authenticates: bool = True,
        selected: bool = False,
    ) -> Judgement:
        """Return what to do about a Binding request that came from `source`.

        `octets` is the whole message and `message` the same with its honoured attributes only. `nominable`: a
        nomination would be accepted on this connection. `authenticates`: its protection counts. `selected`: the
        connection is.
        """
        transaction = message.transaction_id
        key = sha256_key = None
        try:
            if not self._decisions.authenticates_first():
                self._require_known(message)
            username = self._authenticate(octets, message, me) if authenticates else message.username or ""
            key, sha256_key = self._protection(message, me.pwd)
            check, switch = self._examine(message, username, me, nominable)
        except _Refused as refused:
            if (key or sha256_key) and not self._decisions.protects_error():
                key = sha256_key = None
            elif not (key or sha256_key) and self._decisions.protects_refusal():
                key = self._decisions.short_term_key(me.pwd)
            error = self._decisions.encoded(
                MessageClass.ERROR,
                transaction,
                self._decisions.error_attributes(*refused.more),
                key=key,
                sha256_key=sha256_key,
                fingerprint=self._decisions.fingerprints_error(),
            )
            return Judgement(error, error=refused.code)
        if not self._decisions.protects_success(selected=selected):
            key = sha256_key = None
        mapped = self._decisions.mapped_address(source)
        xor_mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, mapped, transaction)
        success = self._decisions.encoded(
            MessageClass.SUCCESS,
            transaction,
            self._decisions.success_attributes(xor_mapped, username),
            key=key,
            sha256_key=sha256_key,
            fingerprint=self._decisions.fingerprints_success(selected=selected),
        )
        return Judgement(success, check, switch)

    def _authenticate(self, octets: bytes, message: Message, me: Identity) -> str:
        """Do the checks of RFC 8489 section 9.1.3 in their order; return USERNAME."""
        integrity = message.has(Attribute.MESSAGE_INTEGRITY)
        sha256 = message.has(Attribute.MESSAGE_INTEGRITY_SHA256)
        if not self._decisions.looks_for_attributes_first():
            self._require_user(_user_name(message), me)
        if not (integrity or sha256) or not message.has(Attribute.USERNAME):
            raise _unauthenticated(self._decisions.unauthenticated_code())
        username = _user_name(message)
        self._require_user(username, me)
        check = self._decisions.integrity_of(octets, short_term_key(me.pwd), sha256=sha256)
        if not self._decisions.integrity_holds(check):
            raise _unauthenticated(self._decisions.wrong_integrity_code())
        return username

    def _require_user(self, username: str, me: Identity) -> None:
        if not self._decisions.knows_user(username, me.ufrag):
            raise _unauthenticated(self._decisions.unknown_user_code())

    def _protection(self, message: Message, pwd: str) -> tuple[bytes | None, bytes | None]:
        """Return the keys of the response's MESSAGE-INTEGRITY or -SHA256, as the request had (RFC 8489 9.1.3)."""
        key = self._decisions.short_term_key(pwd)
        sha256 = message.has(Attribute.MESSAGE_INTEGRITY_SHA256) and self._decisions.answers_in_kind()
        return (None, key) if sha256 else (key, None)

    def _require_known(self, message: Message) -> None:
        unknown = self._decisions.unknown_in_request(message.attributes)
        if unknown:
            listed = self._decisions.listed_unknown(unknown)
            raise _Refused(420, "Unknown Attribute", attr.unknown_attributes(listed))

    def _examine(self, message: Message, username: str, me: Identity, nominable: bool) -> tuple[IncomingCheck, bool]:
        self._require_known(message)
        try:
            priority = message.priority
            controlling, controlled = message.ice_controlling, message.ice_controlled
        except StunError:
            raise _Refused(400, "Bad Request") from None
        if priority is None or (controlling is not None and controlled is not None):
            raise _Refused(400, "Bad Request")
        switch = self._resolve_roles(me, controlling, controlled)
        use_candidate = message.use_candidate and me.controlling == switch  # we are, or now become, controlled
        if use_candidate and not nominable:
            raise _Refused(400, "Nominated Already")
        return IncomingCheck(priority, use_candidate, username.partition(":")[2]), switch

    def _resolve_roles(self, me: Identity, controlling: int | None, controlled: int | None) -> bool:
        """Return whether we change roles; refuse with 487 if the peer must (RFC 8445 section 7.3.1.1)."""
        theirs = self._decisions.rival(me.controlling, (controlling, controlled))
        if me.lite:  # the role of a lite agent follows from the descriptions alone (RFC 8445 section 7.3.1)
            return False
        if theirs is None or not self._decisions.heeds_rival():
            return False
        we_lead = me.tie_breaker >= theirs
        if we_lead == me.controlling:
            raise _Refused(487, "Role Conflict")
        return self._decisions.yields()


class Responses:
    """Answers checks and does what follows from them."""

    def __init__(
        self,
        decisions: Decisions,
        connections: Connections,
        checks: Checks,
        role: Role,
        streams: Sequence[Stream],
        out: list[Output],
    ) -> None:
        self._decisions = decisions
        self._connections = connections
        self._checks = checks
        self._role = role
        self._streams = streams
        self._out = out
        self._server = Server(decisions)

    def indication(self, connection: Connection, message: Message) -> None:
        """Take an indication: it keeps alive by merely coming (RFC 8489 section 6.3.2)."""
        if self._decisions.answers_indication(message, self._streams[connection.stream].ufrag):
            answer = build(Method.BINDING, MessageClass.SUCCESS, message.transaction_id)
            self._connections.send_response(connection, answer)

    def answer(self, connection: Connection, octets: bytes, message: Message) -> bool:
        """Answer a request; return whether it came over a connection of a stream that has completed."""
        stream = self._streams[connection.stream]
        if self._decisions.closes_unanswered(stream, connection):
            self._checks.drop(connection)
            return False
        if not self._decisions.answers(stream, connection, self._checks.started):
            return False
        role = self._role
        meant = self._decisions.meant(stream, _user_name(message))
        me = Identity(meant.ufrag, meant.pwd, role.controlling, role.tie_breaker, role.lite)
        nominable = meant is not stream or _nominable(stream, connection)
        authenticates = self._decisions.authenticates(connection)
        judged = self._server.judge(
            octets,
            message,
            self._decisions.seen_from(connection),
            me,
            nominable=nominable,
            authenticates=authenticates,
            selected=connection.selected,
        )
        if judged.switch_role:
            role.switch()  # RFC 8445 section 7.3.1.1
        self._connections.send_response(self._decisions.responds_on(connection, self._connections), judged.response)
        if self._decisions.closes_answered(connection):
            self._checks.drop(connection)
            return False
        if judged.check is None:
            self._out.append(Note(f"{connection}: check answered with {judged.error}"))
            if self._checks.started and self._decisions.minds_refused():
                return self.follow_up(connection, IncomingCheck(1, False, stream.remote_ufrag))
            return False
        connection.authenticated = True
        if meant is not stream:
            return False  # the pair was selected before the restart
        if self._checks.started and stream.formed:
            return self.follow_up(connection, judged.check)
        if self._decisions.keeps_early(judged.check):
            connection.early.append(judged.check)
        return False

    def follow_up(self, connection: Connection, check: IncomingCheck) -> bool:
        """Do what follows an accepted check (RFC 8445 sections 7.3.1.3 to 7.3.1.5); return whether that is for others.

        So it is once the stream has completed.
        """
        stream = self._streams[connection.stream]
        check = self._decisions.heard(check)
        if check.peer_ufrag != stream.remote_ufrag or stream.is_former(connection):
            return False
        if stream.completed_at is not None:
            if self._decisions.minds_late():
                self._checks.ask(connection)
            return True
        if self._decisions.triggers(check, connection):
            self._check_back(stream, connection, check)
        return False

    def _check_back(self, stream: Stream, connection: Connection, check: IncomingCheck) -> None:
        controlling, checks = self._role.controlling, not self._role.lite
        if not controlling and self._decisions.selects_unchecked(checks):
            lite.take_nomination(stream, connection, check, self._decisions)
        if not self._decisions.checks_in_return(checks):
            return
        pair = forming.incoming_pair(stream, connection, check.priority, controlling, self._decisions)
        if pair is None or pair.component in stream.checks.nominated:
            return
        if self._decisions.checks_again(pair):
            self._trigger(stream, pair)
        if check.use_candidate and not controlling:
            pair.nominated_by_peer = True
            if pair.valid is not None and self._decisions.nominates_valid(pair):
                stream.checks.nominate(pair)
            elif pair.valid is not None:
                self._trigger(stream, pair)

    def _trigger(self, stream: Stream, pair: Pair) -> None:
        if pair.state is PairState.IN_PROGRESS:
            self._checks.cancel(pair)
        stream.checks.trigger(pair)


def _unauthenticated(code: int) -> _Refused:
    return _Refused(code, "Bad Request" if code == _BAD_REQUEST else "Unauthenticated")


def _user_name(message: Message) -> str:
    try:
        return message.username or ""
    except StunError:
        return ""


def _nominable(stream: Stream, connection: Connection) -> bool:
    """Whether a nomination here can be taken: not if another pair of the component is nominated already."""
    current = stream.checks.nominated.get(connection.component)
    return current is None or current.connection is connection
