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
