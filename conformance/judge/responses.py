"""Responses: what a STUN server sends (RFC 6544 section 7.2, RFC 8445 section 7.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.judge.known import Known
from conformance.judge.model import (
    HELD,
    Exchange,
    Observation,
    Stun,
    Talk,
    broken,
    hole,
    integrity_of,
    key_of,
    rule,
    unclear,
)
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint


@rule("RFC6544-7.2-s01", "every response answers one request")
def response_answers_a_request(exchange: Exchange) -> Iterator[Observation]:
    """One response at most for a request, and none for what is no request (RFC 8489 section 6.3)."""
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
            elif not talk.connection.complete_from(client=not client):
                yield unclear(f"whether a response answers a request: {hole(talk)}", talk)
            else:
                which = f"{identifier.hex()}, which was asked {asked} times" if asked else f"{identifier.hex()}"
                yield broken(
                    talk, response, f"sent a response to {which}", expected="one response for each request, no others"
                )


def _times_asked(talk: Talk, response: Stun) -> int:
    """Count the requests with the transaction id; without one, whatever else holds it, broken or nested."""
    requests = talk.requests_for(response)
    if requests:
        return len(requests)
    return talk.said_beside(client=not response.from_client).count(response.message.transaction_id)


@rule("RFC6544-7.2-s01", "only a check with valid credentials succeeds")
def success_is_for_valid_credentials(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8489 section 9.1.3: no success without a user name that is the agent's and a right integrity."""
    for talk, response, requests in exchange.responses():
        found = {_credentials(request, exchange.known) for request in requests}
        if Check.VALID in found:
            yield HELD
        elif None in found:
            yield unclear("whether the answered check had valid credentials: the password is not known", talk)
        else:
            how = "without MESSAGE-INTEGRITY" if found == {Check.ABSENT} else "with wrong credentials"
            yield broken(talk, response, f"answered a check {how} with success", expected="400 or 401, or silence")


def _credentials(request: Stun, known: Known) -> Check | None:
    if known.whole and key_of(request, known) is None:
        return Check.INVALID  # nobody has this name
    return integrity_of(request, key_of(request, known))


@rule("RFC6544-7.2-s01", "a success response's integrity is right by the agent's own password")
def success_has_integrity(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.2.2: a response is made with the key of its request."""
    for talk, response, requests in exchange.responses():
        if not response.valid:
            continue
        found = {integrity_of(response, key_of(request, exchange.known)) for request in requests}
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


@rule("RFC6544-7.2-s01", "a success response has a FINGERPRINT that is right")
def success_has_fingerprint(exchange: Exchange) -> Iterator[Observation]:
    """RFC 8445 section 7.3: FINGERPRINT is used in responses too."""
    for talk, response, _ in exchange.responses():
        found = check_fingerprint(response.octets)
        if found is Check.VALID:
            yield HELD
        else:
            how = "without FINGERPRINT" if found is Check.ABSENT else "whose FINGERPRINT is wrong"
            yield broken(talk, response, f"sent a success {how}", expected="FINGERPRINT as the last attribute")


@rule("RFC6544-7.2-s01", "a success response tells the address that the check came from")
def success_has_the_mapped_address(exchange: Exchange) -> Iterator[Observation]:
    """A NAT between the agent and the capture makes another address of it lawfully, though not another port alone."""
    for talk, response, _ in exchange.responses():
        if not response.valid or talk.relayed:
            continue
        source = talk.address(client=not response.from_client)
        try:
            told = response.message.xor_mapped_address
        except StunError as problem:
            yield broken(talk, response, f"sent a success with a malformed address: {problem}", expected=str(source))
            continue
        if told is None:
            yield broken(talk, response, "sent a success without XOR-MAPPED-ADDRESS", expected=str(source))
        elif told == source or (told.ip != source.ip and not exchange.known.whole):
            yield HELD
        else:
            yield broken(
                talk,
                response,
                f"told {told} to a check that came from {source}",
                expected=f"XOR-MAPPED-ADDRESS {source}",
                actual=f"XOR-MAPPED-ADDRESS {told}",
            )
