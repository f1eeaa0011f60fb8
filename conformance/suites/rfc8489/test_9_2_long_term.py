"""RFC 8489 section 9.2: long-term credentials, of a client of TURN."""

from __future__ import annotations

from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.relays import (
    allocates,
    asked_again,
    exchange,
    gather,
    is_signed,
    lacking,
    later,
    name,
    needs,
    needs_algorithms,
    needs_asked_again,
    relayed_or_none,
    repeated,
    unsigned,
    values,
    with_algorithm,
    wrong_keys,
)
from conformance.wire.attributes import Attribute
from conformance.wire.longterm import MD5, SHA256, decode_algorithms, userhash
from conformance.wire.stun import Method

_UNKNOWN = 0x7FFE  # a password algorithm that nobody has registered


@both_sides
@requirement("RFC8489-9.2.3.1-01")
def test_first_request_has_no_credentials(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    the first request on each of the IUT's connections to it is read
    then    it has none of the attributes of authentication."""
    server = peer.turn_server()
    gather(upper, peer, side, server)
    first = {id(one.connection): one for one in reversed(server.requests(Method.ALLOCATE, Method.BINDING))}
    early = [name(one) for one in first.values() if is_signed(one)]
    assert not early, f"{early[0]} has credentials although nothing has asked for them"


@both_sides
@requirement("RFC8489-9.2.5-03", "RFC8656-5-01")
def test_challenge_is_answered(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    a request without credentials has been answered by 401
    then    another one with credentials follows, which is granted."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    asked = server.requests(Method.ALLOCATE)
    assert any(map(is_signed, asked)), "no Allocate with credentials followed the 401"


@both_sides
@requirement("RFC8489-9.2.5-04")
def test_request_names_the_user(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    the IUT answers the 401
    then    its request has the user name that it was given for this server."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    names = values(allocates(server), Attribute.USERNAME)
    assert names == {server.username.encode()}, f"USERNAME: {names}"


@both_sides
@requirement("RFC8489-9.2.5-06")
def test_realm_is_copied(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    the IUT answers the 401
    then    its request has the REALM of the 401."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    realms = values(allocates(server), Attribute.REALM)
    assert realms == {server.manner.realm.encode()}, f"REALM: {realms}"


@both_sides
@requirement("RFC8489-9.2.5-07")
def test_nonce_is_copied(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    the IUT answers the 401
    then    its request has the NONCE of the 401."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    nonces = values(allocates(server), Attribute.NONCE)
    assert nonces == {server.core.nonce.encode()}, f"NONCE: {nonces}"


@both_sides
@requirement("RFC8489-9.2.2-s01")
def test_key_is_a_hash_of_user_realm_and_password(upper, peer, side):
    """with    a TURN server that asks for long-term credentials
    when    the integrity of the IUT's requests is computed
    then    it is right under the hash of user name, realm and password."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    wrong = wrong_keys(server, allocates(server))
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-9.2.3.2-01")
def test_credentials_are_kept(upper, peer, side):
    """with    an allocation on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT's next requests about it are read
    then    the first of each method has credentials, without waiting for another 401."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server)
    peer.wait(peer.pixit.silence)
    bare = [name(one) for one in later(server) if not is_signed(one)]
    assert not bare, f"{bare[0]} has no credentials"


@both_sides
@requirement("RFC8489-9.2.3.2-02")
def test_later_requests_have_the_credentials(upper, peer, side):
    """with    an allocation on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT's next requests with credentials are read
    then    each has user name, REALM and NONCE."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server)
    peer.wait(peer.pixit.silence)
    asked = [one for one in later(server) if is_signed(one)]
    wrong = lacking(asked, Attribute.USERNAME, Attribute.REALM, Attribute.NONCE)
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-9.2.3.2-03", "RFC8489-9.2.5-13")
def test_later_requests_have_integrity(upper, peer, side):
    """with    an allocation on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT's next requests with credentials are read
    then    each has MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server)
    peer.wait(peer.pixit.silence)
    wrong = unsigned([one for one in later(server) if is_signed(one)])
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-9.2.5-12")
def test_stale_nonce_is_replaced(upper, peer, side):
    """with    a TURN server that answers the IUT's Allocate by 438 (Stale Nonce) with another nonce
    when    the IUT has asked again
    then    its request has the new nonce, and it gets its allocation."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE] = [438]
    gather(upper, peer, side, server, allocated=False)
    nonces = values(asked_again(server, 438), Attribute.NONCE)
    assert server.core.nonce.encode() in nonces, "no Allocate has the nonce of the 438"


@both_sides
@requirement("RFC8489-9.2.5-13")
def test_request_after_a_stale_nonce_is_authenticated(upper, peer, side):
    """with    a TURN server that answers the IUT's Allocate by 438 (Stale Nonce) with another nonce
    when    the IUT has asked again
    then    its request has the user name, REALM and integrity."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE] = [438]
    gather(upper, peer, side, server, allocated=False)
    again = needs_asked_again(server, 438)
    wrong = [*lacking(again, Attribute.USERNAME, Attribute.REALM), *unsigned(again)]
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-9.2.5-11", "RFC8656-7.4-05")
def test_refused_credentials_are_not_repeated(upper, peer, side):
    """with    a TURN server that answers the IUT's credentials by 401 each time
    when    some time has passed
    then    no request with the same credentials has followed on this connection."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE] = [401]
    server.manner.always = {401}
    gather(upper, peer, side, server, allocated=False)
    repeated(peer, server, Method.ALLOCATE, 401, within=peer.pixit.silence)
    signed = [one for one in server.requests(Method.ALLOCATE) if is_signed(one)]
    refused = {id(one.connection): one.time for one in reversed(signed) if one.code == 401}
    again = [one for one in signed if one.time > refused.get(id(one.connection), one.time)]
    assert not again, f"{len(again)} requests followed a refused one"


@both_sides
@requirement("RFC8489-9.2.5-18")
def test_success_with_wrong_integrity_does_not_count(upper, peer, side):
    """with    a TURN server whose success responses have a wrong integrity
    when    the IUT's description is read
    then    it has no relayed candidate."""
    server = peer.turn_server()
    server.manner.spoilt[Method.ALLOCATE] = "wrong"
    found = relayed_or_none(upper, peer, side, server)
    assert not found, f"it has a relayed candidate at {found[0].endpoint}"


@both_sides
@requirement("RFC8489-9.2.5-05")
def test_user_hash_if_and_only_if_announced(upper, peer, side):
    """with    a TURN server whose nonce announces that user names can be hidden
    when    the IUT answers the 401
    then    its request has USERHASH and no USERNAME. Who knows no USERHASH, as by RFC 5389, sends USERNAME."""
    server = peer.turn_server()
    server.manner.anonymous = True
    gather(upper, peer, side, server, allocated=False)
    asked = allocates(server)
    hashes = values(asked, Attribute.USERHASH)
    needs(hashes, "the IUT sends no USERHASH, as a client by RFC 5389")
    both = [name(one) for one in asked if one.message.has(Attribute.USERNAME) and one.message.has(Attribute.USERHASH)]
    assert not both, f"{both[0]} has USERNAME and USERHASH"
    assert hashes == {userhash(server.username, server.manner.realm)}, "USERHASH is not that of user name and realm"


@both_sides
@requirement("RFC8489-9.2.5-08")
def test_list_of_algorithms_is_copied(upper, peer, side):
    """with    a TURN server that lists SHA-256 and MD5
    when    the IUT answers the 401 and names an algorithm
    then    its request has the same list."""
    server = peer.turn_server()
    server.manner.algorithms = (SHA256, MD5)
    gather(upper, peer, side, server, allocated=False)
    lists = [values([one], Attribute.PASSWORD_ALGORITHMS) for one in allocates(server)]
    needs(
        any(lists) or values(allocates(server), Attribute.PASSWORD_ALGORITHM),
        "the IUT knows no password algorithms, as a client by RFC 5389",
    )
    found = {decode_algorithms(value) for one in lists for value in one}
    assert found == {(SHA256, MD5)}, f"PASSWORD-ALGORITHMS: {found or 'none'}"


@both_sides
@requirement("RFC8489-9.2.5-09")
def test_first_algorithm_that_it_knows_is_named(upper, peer, side):
    """with    a TURN server that lists an unknown algorithm, MD5 and SHA-256
    when    the IUT answers the 401 and names an algorithm
    then    it is MD5, the first one of the list that it knows."""
    server = peer.turn_server()
    server.manner.algorithms = (_UNKNOWN, MD5, SHA256)
    gather(upper, peer, side, server, allocated=False)
    named = values(with_algorithm(allocates(server)), Attribute.PASSWORD_ALGORITHM)
    assert {decode_algorithms(value) for value in named} == {(MD5,)}, f"PASSWORD-ALGORITHM: {named}"


@both_sides
@lasts(3)
@requirement("RFC8489-9.2.5-10")
def test_no_known_algorithm_no_further_request(upper, peer, side):
    """with    a TURN server that lists algorithms which nobody knows
    when    the IUT has got the 401
    then    no request with PASSWORD-ALGORITHM follows."""
    server = peer.turn_server()
    server.manner.algorithms = (_UNKNOWN,)
    gather(upper, peer, side, server, allocated=False)
    asked = server.requests(Method.ALLOCATE)
    assert not values(asked, Attribute.PASSWORD_ALGORITHM), "an Allocate names an algorithm that is not listed"


@both_sides
@lasts(3)
@requirement("RFC8489-9.2.5-02")
def test_missing_list_of_algorithms_ends_it(upper, peer, side):
    """with    a TURN server whose nonce announces password algorithms, and that lists none
    when    the IUT has got the 401
    then    it does not ask again. A client by RFC 5389, which uses no algorithm where they are listed, may."""
    needs_algorithms(upper, peer, side)
    server = peer.turn_server()
    server.manner.algorithms, server.manner.unlisted = (SHA256, MD5), True
    upper.close()
    gather(upper, peer, side, server, allocated=False)
    asked = [one for one in server.requests(Method.ALLOCATE) if is_signed(one)]
    assert not asked, "an Allocate with credentials followed"


@both_sides
@requirement("RFC8489-9.2.5-19")
def test_sha256_integrity_once_algorithms_were_listed(upper, peer, side):
    """with    a TURN server that lists SHA-256 and MD5
    when    the IUT answers the 401 and names an algorithm
    then    its requests have MESSAGE-INTEGRITY-SHA256 alone."""
    server = peer.turn_server()
    server.manner.algorithms = (SHA256, MD5)
    gather(upper, peer, side, server, allocated=False)
    asked = with_algorithm(allocates(server))
    wrong = lacking(asked, Attribute.MESSAGE_INTEGRITY_SHA256)
    assert not wrong, wrong[0]
    assert not values(asked, Attribute.MESSAGE_INTEGRITY), "an Allocate has MESSAGE-INTEGRITY as well"


@both_sides
@requirement("RFC8489-9.2.5-14")
def test_success_without_the_announced_list_does_not_count(upper, peer, side):
    """with    a TURN server that lists algorithms, and whose success announces them by its nonce, without the list
    when    the description of an IUT that names an algorithm is read
    then    it has no relayed candidate."""
    server = peer.turn_server()
    server.manner.algorithms, server.manner.nonce_in_success = (SHA256, MD5), True
    found = relayed_or_none(upper, peer, side, server)
    with_algorithm(allocates(server))
    assert not found, f"it has a relayed candidate at {found[0].endpoint}"
