"""RFC 7675 sections 4 and 5: consent to send."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, Repetition
from conformance.suites.consent import (
    LONGEST,
    SHORTEST,
    TOLERANCE,
    answer_late,
    asked,
    consenting,
    consenting_on,
    expect_consent_check,
    expect_silence_without_consent,
    intervals,
    let_consent_expire,
    needs_consent_check,
    needs_consent_checks,
    require_data,
    unasked,
    unauthenticated,
)
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.values import duplicates


@both_sides
@watches(6.4)
@requirement("RFC7675-5.1-11")
def test_consent_is_checked_over_tcp(upper, peer, side):
    """with    ICE completed on a connection
    when    the IUT's application sends, until consent by the checks of ICE is 30 s old
    then    the IUT has checked that we consent to what it sends."""
    selected = consenting(upper, peer, side)
    expect_consent_check(upper, peer, selected)


_ELSEWHERE = [
    pytest.param("opened", marks=pytest.mark.requirement(needs=("connects:active",))),
    pytest.param("components", marks=pytest.mark.requirement(needs=("offers:passive", "components:2"))),
    pytest.param("streams", marks=pytest.mark.requirement(needs=("offers:passive", "streams:2"))),
    pytest.param("restarted", marks=pytest.mark.requirement(needs=("offers:passive", "restart"))),
]


@both_sides
@pytest.mark.parametrize("where", _ELSEWHERE)
@watches(6.4)
@requirement("RFC7675-5.1-11")
def test_consent_is_checked_on_every_connection(upper, peer, side, where):
    """with    ICE completed on a connection that the IUT opened, on those of two components or streams, or of a restart
    when    the IUT's application sends over each, until consent by the checks of ICE is 30 s old
    then    the IUT has checked on each that we consent."""
    connections = consenting_on(upper, peer, side, where)
    missing = unasked(upper, peer, connections)
    assert not missing, f"the IUT asked for no consent on {missing[0]}"


@both_sides
@watches(6.4)
@requirement("RFC7675-5.1-s03")
def test_request_for_consent_is_authenticated(upper, peer, side):
    """with    ICE completed on a connection
    when    the IUT's application sends, and a request for consent comes
    then    it has the user names of the session in their order, and a right MESSAGE-INTEGRITY."""
    selected = consenting(upper, peer, side)
    request = needs_consent_check(upper, peer, selected)
    assert peer.is_valid(request), f"{request} has not the session's credentials"


@watches(25)
@requirement("RFC7675-5.1-03", needs="sides:answerer")
def test_intervals_are_random(upper, peer):
    """with    ICE completed on a connection
    when    four checks of consent have come
    then    the intervals between them differ, as random ones do."""
    checks = needs_consent_checks(upper, peer, "answerer", 4)
    found = intervals(peer, checks)
    spread = max(found) - min(found)
    assert len(found) < 3 or spread > 0.05, f"intervals of {', '.join(f'{one:.2f}' for one in found)} s"


@both_sides
@watches(13)
@requirement("RFC7675-5.1-04")
def test_intervals_are_at_most_6_s(upper, peer, side):
    """with    ICE completed on a connection
    when    two checks of consent have come
    then    no more than 1.2 times the period of 5 s lies between them."""
    found = intervals(peer, needs_consent_checks(upper, peer, side, 2))
    assert max(found) <= LONGEST + TOLERANCE, f"an interval of {max(found):.2f} s"


@both_sides
@watches(13)
@requirement("RFC7675-5.1-05")
def test_intervals_are_at_least_4_s(upper, peer, side):
    """with    ICE completed on a connection
    when    two checks of consent have come
    then    no less than 4 s lie between them."""
    found = intervals(peer, needs_consent_checks(upper, peer, side, 2))
    assert min(found) >= SHORTEST - TOLERANCE, f"an interval of {min(found):.2f} s"


@both_sides
@watches(13)
@requirement("RFC7675-5.1-06")
def test_each_check_of_consent_is_a_transaction(upper, peer, side):
    """with    ICE completed on a connection
    when    two checks of consent have come
    then    their transaction ids differ."""
    checks = needs_consent_checks(upper, peer, side, 2)
    repeated = duplicates(check.stun.transaction_id for check in checks)
    assert not repeated, f"the transaction id {repeated[0].hex()} comes again"


@both_sides
@watches(8)
@requirement("RFC7675-5.1-s02")
def test_check_of_consent_is_sent_once(upper, peer, side, pixit):
    """with    the IUT's check of consent, and we give no answer
    when    a UDP retransmission would long be due
    then    neither the request nor another one in its place has come."""
    selected = consenting(upper, peer, side)
    peer.answering = False
    used, request = expect_consent_check(upper, peer, selected)
    used.expect_nothing(Repetition(request), within=pixit.retransmission)
    count = len(asked(used, request.time))
    assert count == 1, f"{count} checks of consent came at once"


@watches(34)
@requirement("RFC7675-5.1-02", "RFC7675-5.1-01", needs="sides:answerer payload:raw")
def test_nothing_is_sent_30_s_after_the_last_response(upper, peer):
    """with    ICE completed on a connection, and none of the IUT's checks of consent answered
    when    consent has ended 30 s after the last response, and the application sends
    then    nothing of it comes over the connection."""
    selected = consenting(upper, peer, "answerer")
    require_data(upper, peer, selected)
    let_consent_expire(peer, selected)
    expect_silence_without_consent(upper, peer, selected)


@watches(34)
@requirement("RFC7675-5.1-s01", needs="sides:answerer payload:raw")
def test_unauthenticated_success_is_no_consent(upper, peer):
    """with    ICE completed on a connection, and the IUT's checks of consent answered with a wrong password
    when    consent has ended 30 s after the last valid response, and the application sends
    then    nothing of it comes over the connection."""
    selected = consenting(upper, peer, "answerer")
    require_data(upper, peer, selected)
    let_consent_expire(peer, selected, unauthenticated)
    expect_silence_without_consent(upper, peer, selected)


@watches(7)
@requirement("RFC7675-5.1-10", needs="sides:offerer")
def test_consent_is_checked_in_a_restart(upper, peer, pixit):
    """with    ICE completed, the IUT's offer to restart not answered, and what was under way then over
    when    the IUT's application sends, until its last consent is 30 s old
    then    the IUT has checked consent on the connection that still carries the data."""
    selected = consenting(upper, peer, "offerer")
    upper.restart()
    peer.wait(pixit.silence)
    expect_consent_check(upper, peer, selected)


@watches(34)
@requirement("RFC7675-5.1-08", "RFC7675-5.1-01", needs="sides:answerer payload:raw")
def test_late_responses_bring_no_consent_back(upper, peer):
    """with    ICE completed on a connection, and none of the IUT's checks of consent answered until consent has ended
    when    all of them are answered, and the application sends
    then    nothing of it comes over the connection."""
    selected = consenting(upper, peer, "answerer")
    require_data(upper, peer, selected)
    let_consent_expire(peer, selected)
    answer_late(peer, selected)
    expect_silence_without_consent(upper, peer, selected)


@watches(39)
@requirement("RFC7675-5.1-13", "RFC7675-5.1-02", needs="sides:answerer")
def test_credentials_are_spent_when_consent_has_ended(upper, peer):
    """with    ICE completed on a connection, and none of the IUT's checks of consent answered
    when    consent has ended 30 s after the last response, and an interval has passed
    then    no request with these credentials has come on the connection since."""
    selected = consenting(upper, peer, "answerer")
    let_consent_expire(peer, selected)
    selected.begin_anew(selected=True)
    selected.expect_nothing(BindingRequest, within=LONGEST + TOLERANCE)
