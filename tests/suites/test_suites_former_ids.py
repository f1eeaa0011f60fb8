"""The ids of version 0.1.0 still lead to their cases."""

from __future__ import annotations

import pytest

from conformance.run.discovery import discover
from conformance.run.selection import Wish
from conformance.suites.former_ids import all_former, today
from conformance.verdict import case_name

CASES = discover().every
IDS = {case_name(case.id) for case in CASES}


@pytest.mark.parametrize("former", all_former())
def test_a_former_id_is_none_of_today_and_leads_to_cases_that_exist(former) -> None:
    assert former not in IDS
    assert set(today(former)) <= IDS


def test_a_variant_keeps_its_variant() -> None:
    assert today("RFC6544-7.2/wrong_password_is_refused_with_401[offerer]") == (
        "RFC8489-9.1.3/wrong_password_is_refused_with_401[offerer]",
    )
    assert today("RFC4571-2/length_equals_the_request[offerer]") == ("RFC4571-2/length_equals_the_request[offerer]",)


def test_a_former_id_selects_the_cases_that_took_its_place() -> None:
    wish = Wish(cases=("RFC6544-7.2/response_is_protected",))
    assert {case_name(case.id) for case in CASES if wish.holds(case)} == {
        "RFC8489-9.1.3/response_is_protected",
        "RFC8445-7.3/response_has_a_fingerprint",
    }
    assert wish.unmatched(CASES) == []
