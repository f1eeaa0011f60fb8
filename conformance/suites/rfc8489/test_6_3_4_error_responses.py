"""RFC 8489 section 6.3.4: error responses."""

from __future__ import annotations

import pytest

from conformance.suites.checks import expect_no_valid_pair, needs_valid_pairs_to_show
from conformance.suites.marks import lasts, requirement
from conformance.suites.messages import first_check, repeated_after_errors
from conformance.verdict import Level
from conformance.wire.layers import RFC4571, binding_error


@pytest.mark.parametrize("code", [300, 399])
@requirement("RFC8489-6.3.4-01", "RFC8445-7.2.5.3-s01", needs="connects:active sides:offerer")
def test_3xx_fails_the_transaction(upper, peer, code, pixit):
    """with    the controlling IUT's check on a connection
    when    an authenticated error with a code from 300 to 399 answers it
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(RFC4571() / peer.error(request, code, "Elsewhere"))
    expect_no_valid_pair(upper, peer, request)


@pytest.mark.parametrize("code", [403, 420, 499])
@requirement("RFC8489-6.3.4-s02", "RFC8445-7.2.5.3-s01", needs="connects:active sides:offerer")
def test_4xx_fails_the_transaction(upper, peer, code, pixit):
    """with    the controlling IUT's check on a connection
    when    an authenticated error with a code from 400 to 499 answers it
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(RFC4571() / peer.error(request, code, "Not this way"))
    expect_no_valid_pair(upper, peer, request)


@pytest.mark.parametrize("code", [600, 699])
@requirement("RFC8489-6.3.4-s03", "RFC8445-7.2.5.3-s01", needs="connects:active sides:offerer")
def test_any_other_code_fails_the_transaction(upper, peer, code, pixit):
    """with    the controlling IUT's check on a connection
    when    an authenticated error with a code that is not from 300 to 599 answers it
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(RFC4571() / peer.error(request, code, "Nowhere"))
    expect_no_valid_pair(upper, peer, request)


@requirement("RFC8489-6.3.4-s01", "RFC8445-7.2.5.3-s01", needs="connects:active sides:offerer")
def test_error_without_code_fails_the_transaction(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    an authenticated error response without ERROR-CODE answers it
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    error = binding_error(request.stun.transaction_id, 400, "", peer.pwd)
    error.attributes = error.attributes[1:]
    connection.send(RFC4571() / error)
    expect_no_valid_pair(upper, peer, request)


@lasts(2.5)
@requirement("RFC8489-6.3.4-02", needs="connects:active sides:offerer")
def test_repetitions_after_5xx_end(upper, peer):
    """with    every check of the IUT's on a connection answered by error 500
    when    some seconds have passed
    then    it has not sent its check more than a dozen times, for the number of repetitions is limited."""
    connection, _ = first_check(upper, peer)
    count = repeated_after_errors(peer, connection, 500)
    assert count <= 12, f"the check was sent again {count} times after error 500"


@lasts(2.5)
@requirement("RFC8489-6.3.4-03", "RFC8489-6.3.4-02", needs="connects:active sides:offerer", at=Level.SHOULD)
def test_at_most_four_repetitions_after_5xx(upper, peer):
    """with    every check of the IUT's on a connection answered by error 500
    when    some seconds have passed
    then    it has sent its check at most four times more."""
    connection, _ = first_check(upper, peer)
    count = repeated_after_errors(peer, connection, 500)
    assert count <= 4, f"the check was sent again {count} times after error 500"
