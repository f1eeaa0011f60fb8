"""What the table expects: against itself, against what is known of NATs, and against NATs that are sent the SYNs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from path_play import AD, APD, EI, Play

from conformance.nattable.model import FAILS, RELAY, Row, expect, kind_of
from conformance.nattable.path.holding import Timing
from conformance.nattable.path.nat import Behaviour, Unsolicited
from conformance.nattable.rows import every_row, quick_rows
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate
from conformance.wire.tcp import RST, SYN

ROWS = every_row()
DIRECT = [row for row in ROWS if not row.relay and row.simultaneous and row.timing is Timing.CROSSING]
DROP, RESET, ICMP = Unsolicited


def test_every_row_has_its_own_name():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert set(quick_rows()) <= {*ROWS, *DIRECT}


def test_every_two_behaviours_meet():
    sides = {row.offerer for row in DIRECT}
    assert len(sides) == 1 + 3 * 3 * 2 + 2
    assert len(DIRECT) == len(sides) ** 2


def test_what_fails_is_tried_with_a_relay_and_nothing_else_is():
    fails = {row for row in ROWS if expect(row).by == FAILS}
    assert {replace(row, relay=True) for row in fails} == {row for row in ROWS if row.relay}
    assert {expect(row).by for row in ROWS if row.relay} == {RELAY}


def test_quick_rows_show_every_way_to_cross():
    assert {expect(row).by for row in quick_rows()} == {expect(row).by for row in ROWS} - {FAILS}


def test_who_offers_makes_no_difference():
    def outcome(row):
        return expect(row).by, set(expect(row).possible)

    exchanged = {row: replace(row, offerer=row.answerer, answerer=row.offerer) for row in DIRECT}
    assert [row.name for row, other in exchanged.items() if outcome(row) != outcome(other)] == []


@pytest.mark.parametrize(
    ("offerer", "answerer", "more", "by"),
    [
        (None, None, {}, "host-so"),
        (None, None, {"simultaneous": False}, "host-passive"),
        (Behaviour(APD, APD), None, {}, "host-passive"),
        (Behaviour(EI, EI), Behaviour(EI, EI), {}, "srflx-so"),
        (Behaviour(EI, EI), Behaviour(EI, EI), {"simultaneous": False}, "srflx-passive"),
        (Behaviour(EI, APD, RESET), Behaviour(EI, APD, ICMP), {}, "srflx-so"),
        (Behaviour(EI, AD), Behaviour(APD, APD), {}, "prflx-so"),
        (Behaviour(EI, APD), Behaviour(APD, APD), {}, FAILS),
        (Behaviour(APD, APD), Behaviour(APD, APD), {}, FAILS),
        (Behaviour(APD, APD), Behaviour(APD, APD), {"relay": True}, RELAY),
        (Behaviour(EI, APD), Behaviour(EI, APD, RESET), {"timing": Timing.OFFERER_FIRST}, FAILS),
        (Behaviour(EI, APD), Behaviour(EI, APD, ICMP), {"timing": Timing.OFFERER_FIRST}, "srflx-so"),
    ],
    ids=str,
)
def test_known_combinations(offerer, answerer, more, by):
    assert expect(Row(offerer, answerer, **more)).by == by


def test_a_lost_syn_costs_the_connection_only_where_its_repetition_is_too_late():
    resetting, dropping = Behaviour(APD, APD, RESET), Behaviour(APD, APD)
    assert expect(Row(Behaviour(EI, AD), resetting)).if_lost == (FAILS,)
    assert expect(Row(Behaviour(EI, AD, reset_ends=False), resetting)).if_lost == ()
    assert expect(Row(Behaviour(EI, AD), dropping)).if_lost == ()
    assert expect(Row(Behaviour(EI, EI), resetting)).if_lost == ()
    assert expect(Row(None, resetting)).if_lost == ()


def test_order_matters_only_where_both_names_are_kept():
    with pytest.raises(ValueError, match="endpoint-independent"):
        expect(Row(Behaviour(AD, AD), Behaviour(EI, AD), Timing.OFFERER_FIRST))


def test_syns_reach_whom_the_model_says():
    """The same combinations, played with SYNs alone through NATs: what arrives is what the model lets cross."""
    wrong = {row.name: (arrived, expect(row)) for row in DIRECT if (arrived := arrives(row)) != {*expect(row).possible}}
    assert wrong == {}


def arrives(row):
    """Return the kinds of pairs whose SYNs arrive."""
    play = Play(row.offerer, row.answerer, timing=Timing.CROSSING)
    kinds = {kind for opener in "AB" if (kind := active_reaches(play, opener))}
    play.open_both()
    seen = {name: play.came(name, 0.5) for name in "AB"}
    for name, other in (("A", "B"), ("B", "A")):  # TCP repeats a SYN that nobody has refused
        if not any(s.flags & RST for s in seen[name]):
            play.send(name, play.inner[name], play.mapped[other])
    for name in "AB":
        seen[name] += play.came(name, 0.5)
    for name, other in (("A", "B"), ("B", "A")):
        sources = {segment.source for segment in seen[other] if segment.flags == SYN}
        kinds |= {so_kind(play, name, other, source) for source in sources}
    return kinds


def active_reaches(play, opener):
    """Let an active candidate connect to the other end's passive one; return the kind of pair if the SYN arrives."""
    (opened,) = {"A", "B"} - {opener}
    passive = Address(play.inner[opened].ip, 7001)
    told = play.ask(opened, passive)
    play.send(opener, Address(play.inner[opener].ip, 7002), told)
    arrived = any(segment.destination == passive for segment in play.came(opened, 0.5))
    play.came(opener)
    return f"{'host' if told == passive else 'srflx'}-passive" if arrived else ""


def so_kind(play, opener, opened, source):
    """Return the kind of pair of an S-O connection that came from `source`."""
    if source != play.mapped[opener]:
        return "prflx-so"
    natted = [play.inner[end] != play.mapped[end] for end in (opener, opened)]
    return "srflx-so" if any(natted) else "host-so"


def candidate(kind, tcptype):
    return Candidate("1", 1, "TCP", 1, "192.0.2.7", 9, kind, tcptype=tcptype)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (("prflx", "active"), ("host", "passive"), "host-passive"),
        (("prflx", "active"), ("srflx", "passive"), "srflx-passive"),
        (("host", "so"), ("host", "so"), "host-so"),
        (("host", "so"), ("srflx", "so"), "srflx-so"),
        (("prflx", "so"), ("srflx", "so"), "prflx-so"),
        (("relay", "active"), ("host", "passive"), "relay"),
        (("prflx", "active"), ("relay", "passive"), "relay"),
    ],
)
def test_pairs_are_named_alike_from_both_ends(one, other, kind):
    assert kind_of(candidate(*one), candidate(*other)) == kind_of(candidate(*other), candidate(*one)) == kind
