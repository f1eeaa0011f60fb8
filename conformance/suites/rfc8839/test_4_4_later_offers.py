"""RFC 8839 section 4.4: a later offer that fails."""

from __future__ import annotations

from conformance.suites.checks import expect_answers
from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.updates import needs_refusal, with_more_options


@requirement("RFC8839-4.4-s01", needs="sides:answerer")
def test_refused_offer_changes_nothing(upper, peer, pixit):
    """with    ICE completed on a connection
    when    the IUT has refused a later offer of ours
    then    the connection stays open and a check on it is answered."""
    selected = establish(upper, peer, "answerer")
    needs_refusal(upper, with_more_options(peer.settled_offer([selected])))
    selected.expect_open(within=pixit.silence)
    selected.begin_anew(selected=True)
    expect_answers(peer, [(peer.iut, selected)])
