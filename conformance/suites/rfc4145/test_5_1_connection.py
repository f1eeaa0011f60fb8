"""RFC 4145 section 5.1: a=connection."""

from __future__ import annotations

import pytest

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement


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
