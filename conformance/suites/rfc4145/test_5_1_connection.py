"""RFC 4145 section 5.1: a=connection."""

from __future__ import annotations

import pytest

from conformance.suites.checks import expect_answers
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement
from conformance.suites.places import places, selected_at
from conformance.suites.updates import update


@pytest.mark.parametrize(
    "opener",
    [
        pytest.param("tester", marks=pytest.mark.requirement(needs=("offers:passive",))),
        pytest.param("IUT", marks=pytest.mark.requirement(needs=("connects:active",))),
    ],
)
@requirement("RFC4145-5.1-02", "RFC6544-9.1-s01")
def test_updated_offer_names_the_existing_connection(upper, peer, opener):
    """with    the IUT having offered and, controlling, completed ICE
    when    it makes an updated offer without restarting ICE
    then    the offer says a=connection:existing."""
    establish(upper, peer, "offerer", opener=opener)
    media = upper.updated_offer().media()
    assert media.connection == "existing", f"a=connection:{media.connection}"


@requirement("RFC4145-5.1-01")
def test_offer_says_a_connection(upper):
    """with    the IUT's offer of a media line of TCP
    when    its section is read
    then    it has a=connection."""
    offer = upper.offer()
    offer.needs_tcp_default()
    assert offer.media().connection is not None, "there is no a=connection"


@requirement("RFC4145-5.1-03")
def test_first_offer_wants_a_new_connection(upper):
    """with    the IUT's first offer
    when    its section is read
    then    it says a=connection:new, or nothing."""
    found = upper.offer().media().connection
    assert found in ("new", None), f"a=connection:{found}"


@pytest.mark.parametrize("by", ["IUT", "tester"])
@both_sides
@requirement("RFC4145-5.1-05", "RFC4145-5.2-04", "RFC8839-4.4.3.1-05", needs="sides:offerer sides:answerer")
def test_existing_connection_goes_on(upper, peer, side, by, pixit):
    """with    ICE completed on a connection
    when    the IUT or we make an offer that goes on with it, and it is answered so
    then    the IUT keeps the connection, opens no other and answers a check on it."""
    selected = establish(upper, peer, side)
    iut = update(upper, peer, by, [selected])
    selected.begin_anew(selected=True)
    expect_answers(peer, [(iut, selected)])
    peer.expect_no_connection()
    selected.expect_open(within=pixit.silence)


@pytest.mark.parametrize("by", ["IUT", "tester"])
@both_sides
@places("opened", "component")
@requirement("RFC4145-5.1-05", "RFC8839-4.4.3.1-05", needs="sides:offerer sides:answerer")
def test_existing_connections_elsewhere_go_on(upper, peer, side, by, where, pixit):
    """with    ICE completed on a connection that the IUT opened, or on those of two components
    when    the IUT or we make an offer that goes on with them, and it is answered so
    then    the IUT keeps each connection."""
    selected = [connection for _, connection in selected_at(upper, peer, side, where)]
    update(upper, peer, by, selected)
    selected[-1].expect_open(within=pixit.silence)
    selected[0].expect_open(within=0)
