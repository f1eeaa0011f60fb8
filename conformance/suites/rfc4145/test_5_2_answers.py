"""RFC 4145 section 5.2: a=connection in answers."""

from __future__ import annotations

from conformance.suites.marks import requirement


@requirement("RFC4145-5.2-01")
def test_new_is_answered_by_new(upper, peer):
    """with    our first offer with a=connection:new
    when    the IUT answers it
    then    its a=connection is new, or is not there."""
    media = upper.answer_unless_rejected(peer.offer("active", connection="new")).media()
    assert media.connection in ("new", None), f"a=connection:{media.connection}"


@requirement("RFC4145-5.2-s01")
def test_existing_is_answered_by_new_where_there_is_no_connection(upper, peer):
    """with    our first offer with a=connection:existing, although there is none
    when    the IUT answers it
    then    its a=connection is new, or is not there."""
    media = upper.answer_unless_rejected(peer.offer("active", connection="existing")).media()
    assert media.connection in ("new", None), f"a=connection:{media.connection}"
