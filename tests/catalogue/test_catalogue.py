"""The catalogue is complete against the committed table of key words, consistent, and clear about conditions."""

from __future__ import annotations

import csv
import io
import re
from importlib import resources

import pytest

from conformance.catalogue import (
    EXCLUSIONS,
    MODULES,
    REQUIREMENTS,
    Requirement,
    UnknownRequirement,
    by_section,
    requirement,
    sections,
)
from conformance.catalogue.capabilities import PROFORMA, check_conditions, unmet, validate
from conformance.catalogue.count_keywords import sentences, table, write
from conformance.verdict import Level

TABLE = list(csv.DictReader(io.StringIO(resources.files("conformance.catalogue").joinpath("keywords.csv").read_text())))
NORMATIVE = [entry for entry in REQUIREMENTS.values() if entry.keywords]


def place(entry: Requirement) -> tuple[str, str, str]:
    return entry.rfc, entry.section, entry.id.rsplit("-", 1)[1]


SENTENCES = {(row["rfc"], row["section"], f"{int(row['sentence']):02}"): row["keywords"] for row in TABLE}


def test_every_requirement_with_keywords_is_a_sentence_with_exactly_these() -> None:
    rows = {place(entry): "+".join(entry.keywords) for entry in NORMATIVE}
    assert {key: words for key, words in rows.items() if SENTENCES.get(key) != words} == {}


def test_every_normative_sentence_is_a_requirement_or_excluded_with_a_reason() -> None:
    rows = {place(entry) for entry in NORMATIVE}
    for rfc, section, ordinal in SENTENCES:
        reasons = [entry.reason for entry in EXCLUSIONS if entry.holds(rfc, section, int(ordinal))]
        assert len(reasons) + ((rfc, section, ordinal) in rows) == 1, (rfc, section, ordinal, reasons)


@pytest.mark.parametrize("entry", EXCLUSIONS, ids=lambda entry: f"{entry.rfc}-{entry.section}")
def test_an_exclusion_excludes_sentences_that_exist(entry) -> None:
    assert entry.reason
    held = [int(n) for rfc, section, n in SENTENCES if entry.holds(rfc, section, int(n))]
    assert held
    assert entry.sentences is None or set(held) == entry.sentences


def test_ordinals_of_stated_behaviour_are_gapless_in_their_section() -> None:
    for rfc, section in sections():
        stated = [n for _, _, n in map(place, by_section(rfc, section)) if n.startswith("s")]
        assert stated == [f"s{n:02}" for n in range(1, len(stated) + 1)], section


def test_ids_are_unique() -> None:
    rows = [entry.id for module in MODULES for entry in module.REQUIREMENTS]
    assert len(rows) == len(set(rows)) == len(REQUIREMENTS)


@pytest.mark.parametrize("entry", REQUIREMENTS.values(), ids=lambda entry: entry.id)
def test_a_requirement_is_well_formed(entry) -> None:
    assert re.fullmatch(r"RFC\d+-[\d.]+-(\d\d|s\d\d)", entry.id)
    assert entry.title
    assert entry.text.endswith(".")
    assert (entry.level is Level.STATED) is ("-s" in entry.id)
    assert not entry.successor or re.match(r"RFC \d{4}", entry.successor)
    assert not entry.predecessor or re.match(r"RFC \d{4} |none: ", entry.predecessor)
    check_conditions(entry.pics)


def test_an_unknown_id_names_its_neighbours() -> None:
    with pytest.raises(UnknownRequirement, match=r"RFC6544-7\.2-0"):
        requirement("RFC6544-7.2-99")


INVENTED = """
Abstract that says agents MUST be polite.

1.  Introduction

   The key words "MUST" and "MAY" are to be interpreted as described in
   RFC 2119.  Agents MUST NOT
   shout, e.g. at

Author                  Standards Track                    [Page 1]

RFC 9999                 Politeness                       May 2030

   night, and SHOULD whisper.  They MAY sing.  This is
   a fact.

1.1.  Details

   One of these:
   o  it SHOULD nod, or
   o  it MUST bow.
"""


def test_sentences_of_an_invented_rfc() -> None:
    found = [(s.section, s.keywords) for s in sentences(INVENTED)]
    assert found == [
        ("1", ("MUST NOT", "SHOULD")),
        ("1", ("MAY",)),
        ("1.1", ("SHOULD",)),
        ("1.1", ("MUST",)),
    ]
    assert table("RFC1", INVENTED) == [
        ("RFC1", "1", 1, "MUST NOT+SHOULD"),
        ("RFC1", "1", 2, "MAY"),
        ("RFC1", "1.1", 1, "SHOULD"),
        ("RFC1", "1.1", 2, "MUST"),
    ]


def test_the_script_writes_the_table(tmp_path) -> None:
    path = tmp_path / "rfc1.txt"
    path.write_text(INVENTED)
    out, shown = io.StringIO(), io.StringIO()
    write([str(path)], out)
    write([str(path)], shown, show=True)
    assert out.getvalue().splitlines()[:2] == ["rfc,section,sentence,keywords", "RFC1,1,1,MUST NOT+SHOULD"]
    assert "RFC1-1.1-02 MUST: o  it MUST bow." in shown.getvalue()


PICS = {"offers": ["passive"], "restart": True, "families": [4], "role": "adapter"}


@pytest.mark.parametrize(
    ("atom", "met"),
    [
        ("offers:passive", True), ("offers:active", False), ("!offers:so", True), ("!offers:passive", False),
        ("restart", True), ("trickle", False), ("!trickle", True), ("families:4", True), ("families:6", False),
        ("role:adapter", True), ("components:1", True), ("components:2", False), ("!components:2", True), ("role:stack", False), ("sdp:full", True), ("agent:full", True),
        ("trickle|restart", True), ("trickle|offers:active", False), ("offers:so|families:4", True),
    ],
)  # fmt: skip
def test_conditions(atom, met) -> None:
    check_conditions([atom])
    assert (unmet([atom], PICS) == []) is met


@pytest.mark.parametrize(
    "atom",
    [
        "offer:passive", "offers:sideways", "offers", "restart:yes", "", "components", "components:many",
        "restart|", "restart|offers:up", "restart|!trickle",
    ],
)  # fmt: skip
def test_a_condition_that_nothing_decides_is_refused(atom) -> None:
    with pytest.raises(ValueError, match="condition"):
        check_conditions([atom])


@pytest.mark.parametrize(
    ("pics", "problem"),
    [
        ({"offers": "passive"}, "no list"), ({"offers": ["up"]}, "not one of"), ({"restart": 1}, "neither true"),
        ({"sessions": 0}, "no number"), ({"role": "me"}, "not one of"), ({"components": True}, "no number"),
        ({"agent": []}, "is empty"), ({"families": []}, "is empty"), ({"sides": []}, "is empty"), ({"transports": []}, "is empty"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_explained(pics, problem) -> None:
    (line,) = validate(pics)
    assert problem in line


def test_the_reason_names_every_alternative() -> None:
    assert unmet(["trickle|offers:active", "!restart"], PICS) == [
        "the IUT's pics lack trickle or offers active",
        "the IUT's pics have restart",
    ]


def test_who_asks_gateways_has_nat_assisted_candidates() -> None:
    assert validate({"nat_assisted": True, "port_mapping": ["pcp"]}) == []
    assert validate({"port_mapping": ["upnp"], "nat_assisted": True}) == [
        "pics port_mapping: 'upnp' is not one of pcp, natpmp"
    ]
    (line,) = validate({"port_mapping": ["pcp"]})
    assert "nat_assisted is not true" in line


def test_a_role_is_a_wish_to_a_caller_alone() -> None:
    assert validate({"obeys": ["role"], "role": "adapter"}) == []
    (line,) = validate({"obeys": ["role"]})
    assert "(role: adapter)" in line


def test_right_declarations_pass() -> None:
    assert validate(PICS) == []
    assert validate({key: c.default for key, c in PROFORMA.items()}) == []
    assert validate({"x-something-new": 7}) == []


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    assert validate({"restarts": True}) == ["pics have no key 'restarts'; the nearest is 'restart'"]


@pytest.mark.parametrize(
    ("pics", "lacking"),
    [
        ({}, ["the IUT's pics lack turn_over_tcp"]),
        ({"turn_over_tcp": True}, []),
        ({"tcp_relay": True}, []),  # older pics, which know no other word for it
        ({"turn_over_tcp": False}, ["the IUT's pics lack turn_over_tcp"]),
    ],
)
def test_tcp_relay_says_turn_over_tcp_as_well(pics, lacking) -> None:
    assert unmet(["turn_over_tcp"], pics) == lacking
    assert unmet(["tcp_relay"], {"turn_over_tcp": True}) == ["the IUT's pics lack tcp_relay"]


def test_tcp_relay_without_turn_over_tcp_is_refused() -> None:
    (problem,) = validate({"tcp_relay": True, "turn_over_tcp": False})
    assert problem == "pics turn_over_tcp: false, although tcp_relay is true, which it is part of"
