"""RFC 4145 section 4.1: a=setup in offers and answers."""

from __future__ import annotations

import pytest

from conformance.suites.marks import requirement, varied
from conformance.suites.values import SETUP_ANSWERS


@varied("family", "candidates", side="answerer")
@pytest.mark.parametrize("offered", sorted(SETUP_ANSWERS))
@requirement("RFC4145-4.1-s01", "RFC6544-4.5-04", needs="sdp:full sides:answerer profile:plain")
def test_answer_setup_fits_the_offer(upper, peer, offered):
    """with    our offer saying one of the values of a=setup
    when    the IUT answers it
    then    its a=setup is one that RFC 4145 allows as an answer to ours."""
    media = upper.answer_unless_rejected(peer.offer(setup=offered)).media()
    assert media.setup in SETUP_ANSWERS[offered], f"a=setup:{media.setup} in answer to a=setup:{offered}"
