"""What a case needs of an IUT: its own conditions, its requirements', and those of the variant."""

from __future__ import annotations

from conformance.run.discovery import discover

CASES = {case.id: case for case in discover().every}


def needs(identifier: str) -> set[str]:
    return set(CASES[identifier].needs)


def test_a_variant_has_conditions_of_its_own_beside_the_functions() -> None:
    name = "RFC4145-5.1/updated_offer_names_the_existing_connection"
    assert "connects:active" in needs(f"{name}[IUT]") - needs(f"{name}[tester]")
    assert "offers:passive" in needs(f"{name}[tester]") - needs(f"{name}[IUT]")
    assert CASES[f"{name}[IUT]"].requirements == ("RFC4145-5.1-02", "RFC6544-9.1-s01")


def test_the_side_of_a_variant_is_a_condition() -> None:
    name = "RFC6544-7.2/response_is_framed"
    assert "sides:offerer" in needs(f"{name}[offerer]")
    assert "sides:answerer" in needs(f"{name}[answerer]")
