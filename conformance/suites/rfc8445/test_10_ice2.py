"""RFC 8445 section 10: what ice2 promises."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites import pace
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate

_TARGETS = 4


@requirement("RFC8445-10-s01", "RFC6544-8-01", needs="connects:active sides:offerer")
def test_no_first_check_nominates(upper, peer, pixit):
    """with    an IUT that says ice2 controlling, and four passive candidates of ours, no check answered
    when    it checks them
    then    none of its checks nominates."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_candidates=pace.targets(peer, _TARGETS))
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    peer.wait_until(lambda: len(peer.checks()) >= _TARGETS, pixit.connect)
    nominating = [check for check in peer.checks() if BindingRequest(use_candidate=True).fulfilled_by(check)]
    assert not nominating, f"{len(nominating)} of {len(peer.checks())} checks nominate, though nothing has succeeded"
