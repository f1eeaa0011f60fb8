"""Responses: what a STUN server sends (RFC 6544 section 7.2, RFC 8445 section 7.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.judge.known import Known
from conformance.judge.model import HELD, Exchange, Observation, broken, hole, rule, unclear
from conformance.judge.talk import Stun, Talk, key_of
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check
from pcaps.connections import Event

_UNKNOWN_ATTRIBUTE = 420
_LONGEST_REASON = 128  # characters are too many (RFC 8489 section 14.8)
_ANSWER_NS = 5_000_000_000  # far longer than any agent needs, or any network


@rule("RFC8489-5-06", "RFC6544-7.2-s01", title="every response answers one request")
def response_answers_a_request(exchange: Exchange) -> Iterator[Observation]:
    """One response at most for a request, and no response to anything else (RFC 8489 section 6.3)."""
    for talk, client in exchange.sides():
        answered: Counter[bytes] = Counter()
        for response in talk.sent(client=client):
            if not talk.checked or not response.is_response or not response.valid:
                continue
            identifier = response.message.transaction_id
            answered[identifier] += 1
            asked = _times_asked(talk, response)
            if answered[identifier] <= asked:
                yield HELD
            elif not talk.legible(client=not client):
                yield unclear(f"whether a response answers a request: {hole(talk)}", talk)
            else:
                which = f"{identifier.hex()}, which was asked {asked} times" if asked else f"{identifier.hex()}"
                yield broken(
                    talk, response, f"sent a response to {which}", expected="one response for each request, no others"
                )


def _times_asked(talk: Talk, response: Stun) -> int:
    """Count the requests with the transaction id; if there are none, anything else that holds it, broken or nested."""
    requests = talk.requests_for(response)
    if requests:
        return len(requests)
    return talk.said_otherwise(client=not response.from_client).count(response.message.transaction_id)


@rule("RFC8489-9.1.3-07", "RFC6544-7.2-s01", title="only a check with valid credentials succeeds")
def success_is_for_valid_credentials(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8489 section 9.1.3: no success without a user name that is the agent's and a right integrity."""
    for talk, response, requests in exchange.responses():
        found = [_credentials(request, exchange.known) for request in requests]
        if Check.VALID in found:
            yield HELD
        elif None in found:
            yield unclear("whether the answered check had valid credentials: the password is not known", talk)
        else:
            how = "without MESSAGE-INTEGRITY" if set(found) == {Check.ABSENT} else "with wrong credentials"
            yield broken(talk, response, f"answered a check {how} with success", expected="400 or 401, or silence")


def _credentials(request: Stun, known: Known) -> Check | None:
    key = key_of(request, known)
    if known.whole and key is None:
        return Check.INVALID  # nobody has this name
    return request.integrity(key)


@rule("RFC8489-9.1.3-11", "RFC6544-7.2-s01", title="a success response's integrity is right by its own password")
def success_has_integrity(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2: a response is made with the key of its request."""
    for talk, response, requests in exchange.responses():
        if not response.valid:
            continue
        found = [response.integrity(key_of(request, exchange.known)) for request in requests]
        if Check.VALID in found:
            yield HELD
        elif Check.ABSENT in found:
            yield broken(talk, response, "sent a success without MESSAGE-INTEGRITY", expected="MESSAGE-INTEGRITY")
        elif None in found:
            yield unclear("integrity of responses: the password is not known", talk)
        else:
            yield broken(
                talk,
                response,
                "sent a success whose MESSAGE-INTEGRITY is wrong",
                expected="the key is the responding agent's password",
            )


@rule("RFC8445-7.3-08", "RFC6544-7.2-s01", title="a success response has a FINGERPRINT that is right")
def success_has_fingerprint(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.3: FINGERPRINT is used in responses too."""
    for talk, response, _ in exchange.responses():
        found = response.message.fingerprint
        if found is Check.VALID:
            yield HELD
        else:
            how = "without FINGERPRINT" if found is Check.ABSENT else "whose FINGERPRINT is wrong"
            yield broken(talk, response, f"sent a success {how}", expected="FINGERPRINT as the last attribute")


@rule("RFC8489-6.3.1.1-s03", "RFC6544-7.2-s01", title="a success response tells the address that the check came from")
def success_has_the_mapped_address(exchange: Exchange) -> Iterator[Observation]:
    """A NAT between agent and capture may make another address of it, but not another port alone, nor two addresses."""
    first: dict[tuple[int, bool], Address] = {}
    for talk, response, _ in exchange.responses():
        if not response.valid or talk.relayed:
            continue
        source = talk.address(client=not response.from_client)
        try:
            told = response.message.xor_mapped_address
        except StunError:
            continue  # a rule of its own says so
        before = first.setdefault((id(talk), response.from_client), told or source)
        if told == before == source:  # nearly always
            yield HELD
        elif told is None:
            yield broken(talk, response, "sent a success without XOR-MAPPED-ADDRESS", expected=str(source))
        elif told != before:
            yield broken(
                talk,
                response,
                f"told {told} to a check, and {before} to an earlier one on the same connection",
                expected=f"one address, which is that of the connection: {source} where nothing translates it",
                actual=f"XOR-MAPPED-ADDRESS {before}, then {told}",
            )
        elif told.ip != source.ip and not exchange.known.whole:
            yield unclear(f"whether {told} is where the check came from: {source} in the capture may be translated")
        else:
            yield broken(
                talk,
                response,
                f"told {told} to a check that came from {source}",
                expected=f"XOR-MAPPED-ADDRESS {source}",
                actual=f"XOR-MAPPED-ADDRESS {told}",
            )


@rule("RFC8489-9.1.3-12", "RFC8489-9.1.3-13", title="a response has no USERNAME")
def response_has_no_user_name(exchange: Exchange) -> Iterator[Observation]:
    """Independent of what the response says and of the request's user name."""
    for talk, response in exchange.answers():
        if response.message.has(Attribute.USERNAME):
            what = "success" if response.is_success else "error response"
            yield broken(talk, response, f"sent a {what} with USERNAME", expected="no USERNAME in responses")
        else:
            yield HELD


@rule("RFC8489-6.3.1.1-01", "RFC8489-14.8-04", "RFC8489-14.8-05", title="an error response has a usable ERROR-CODE")
def error_has_a_code(exchange: Exchange) -> Iterator[Observation]:
    """From 300 to 699: class and number where section 14.8 has them."""
    for talk, response in exchange.answers():
        if response.is_success:
            continue
        try:
            problem = "without ERROR-CODE" if response.message.error_code is None else ""
        except StunError as error:
            problem = f"whose ERROR-CODE is malformed: {error.what}"
        if problem:
            yield broken(talk, response, f"sent an error response {problem}", expected="ERROR-CODE from 300 to 699")
        else:
            yield HELD


@rule("RFC8489-14.8-01", title="a reason phrase is UTF-8 of less than 128 characters")
def reason_is_short_text(exchange: Exchange) -> Iterator[Observation]:
    """For every code: the phrase is for people."""
    for talk, response in exchange.answers():
        found = response.message.values.get(Attribute.ERROR_CODE)
        if found is None:
            continue
        try:
            problem = f"of {len(text)} characters" if len(text := found[4:].decode()) >= _LONGEST_REASON else ""
        except UnicodeDecodeError:
            problem = "that is not UTF-8"
        if problem:
            yield broken(
                talk, response, f"gave a reason {problem}", expected="UTF-8 of less than 128 characters", actual=problem
            )
        else:
            yield HELD


@rule("RFC8489-6.3.1.1-03", "RFC8489-14.13-s01", title="a 420 lists the unknown attributes")
def unknown_attributes_are_listed(exchange: Exchange) -> Iterator[Observation]:
    """UNKNOWN-ATTRIBUTES is a list of 16-bit types, wherever it stands."""
    for talk, response in exchange.answers():
        if response.is_success:
            continue
        try:
            listed = response.message.unknown_attributes
        except StunError as error:
            yield broken(talk, response, f"sent a list that is malformed: {error.what}", expected="16 bits a type")
            continue
        if listed:
            yield HELD
        elif _code(response) == _UNKNOWN_ATTRIBUTE:
            how = "without UNKNOWN-ATTRIBUTES" if listed is None else "whose UNKNOWN-ATTRIBUTES names none"
            yield broken(talk, response, f"sent a 420 {how}", expected="UNKNOWN-ATTRIBUTES with the types not known")


@rule("RFC8489-14.13-s02", title="UNKNOWN-ATTRIBUTES is in a 420 alone")
def unknown_attributes_are_in_a_420(exchange: Exchange) -> Iterator[Observation]:
    """Not in successes, nor in other errors, not even as an empty list."""
    for talk, response in exchange.answers():
        there, code = response.message.has(Attribute.UNKNOWN_ATTRIBUTES), _code(response)
        if not there and response.is_success:
            continue
        if not there or code == _UNKNOWN_ATTRIBUTE:
            yield HELD
        elif response.is_success or code is not None:  # a rule of its own says so of a code that is malformed
            what = "a success" if response.is_success else f"an error {code}"
            yield broken(
                talk, response, f"sent {what} with UNKNOWN-ATTRIBUTES", expected="UNKNOWN-ATTRIBUTES in a 420 alone"
            )


def _code(response: Stun) -> int | None:
    try:
        code = response.message.error_code
    except StunError:
        return None
    return None if code is None else code.code


@rule("RFC8489-14.2-s03", title="a mapped address is an IPv4 or IPv6 address")
def mapped_address_is_well_formed(exchange: Exchange) -> Iterator[Observation]:
    """Its family is 1 with 4 octets or 2 with 16."""
    for talk, response in exchange.answers():
        if not (response.is_success and response.message.has(Attribute.XOR_MAPPED_ADDRESS)):
            continue
        try:
            _ = response.message.xor_mapped_address
        except StunError as problem:
            what = f"sent a success with a malformed address: {problem.what}"
            yield broken(talk, response, what, expected="a family and an address of its size")
        else:
            yield HELD


@rule("RFC8445-11-13", "RFC6544-7.2-s01", title="checks are answered")
def checks_are_answered(exchange: Exchange) -> Iterator[Observation]:
    """Judged of checks with valid credentials on connections that stay open, with the other end seen to be there."""
    for talk, client in exchange.sides():
        answered = talk.answered(client=client)
        for check in talk.sent(client=not client):
            if not (check.is_check and check.valid):
                continue
            if check.message.transaction_id in answered:
                yield HELD
            elif _is_owed(exchange, talk, check) and talk.legible(client=client):
                yield broken(
                    talk,
                    Event(check.event.time_ns + _ANSWER_NS, client, "silence"),
                    f"never answered the check {check.message.transaction_id.hex()}",
                    expected="a response to every check",
                    actual=f"none for {_ANSWER_NS // 10**9} s, in which the connection lived",
                )


def _is_owed(exchange: Exchange, talk: Talk, check: Stun) -> bool:
    """Whether a check can only have been ignored: it is right in all, and its receiver lived on and was seen to."""
    until = check.event.time_ns + _ANSWER_NS
    if talk.ended_ns <= until or not talk.whole() or exchange.untimed:
        return False
    if not talk.is_framed_until(check):
        return False  # a receiver that reads frames has not found the check
    if talk.connection.last_from(client=not check.from_client) <= until:
        return False
    if ":" not in (check.username or "") or check.message.fingerprint is not Check.VALID:
        return False
    return check.integrity(key_of(check, exchange.known)) is Check.VALID
