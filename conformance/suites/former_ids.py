"""The ids that cases had in version 0.1.0, before each stood under the sentence that it tests.

`--case` still understands them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVERY_CHECK = (
    "RFC8445-7.2.2/user_name_of_every_check",
    "RFC8445-7.2.2/every_check_is_protected",
    "RFC8445-7.2.4/every_check_has_a_fingerprint",
    "RFC8445-7.1.1/priority_of_every_check",
    "RFC8445-7.1.2/controlled_agents_checks_never_nominate",
    "RFC8445-7.1.3/every_check_of_the_controlling_agent_says_so",
    "RFC8445-7.1.3/every_check_of_the_controlled_agent_says_so",
    "RFC8489-5/every_check_has_an_identifier_of_its_own",
    "RFC8445-16.1/tie_breaker_of_the_controlling_agent_stays",
    "RFC8445-16.1/tie_breaker_of_the_controlled_agent_stays",
)
_OTHER_CONNECTIONS = (
    "RFC8489-6.3.1.1/response_on_another_connection_reports_where_the_request_came_from",
    "RFC8489-9.1.3/response_on_another_connection_is_protected",
    "RFC8445-7.3/response_on_another_connection_has_a_fingerprint",
)
# Those that only moved keep their name: the section of before, and the sections in which their cases are now.
_MOVED: Mapping[str, Mapping[str, str]] = {
    "RFC4571-2": {
        "frame_of_any_length_is_delivered": "RFC4571-8",
        "frame_of_any_length_is_delivered_to_a_byte_stream": "RFC4571-8",
    },
    "RFC6544-10.2": {
        "client_tells_stun_dtls_and_media_apart": "RFC7983-7",
        "server_tells_stun_dtls_and_media_apart": "RFC7983-7",
        "data_is_told_from_stun_whatever_it_begins_with": "RFC8489-6.3",
    },
    "RFC6544-10": {
        "media_of_a_stream_goes_over_its_own_connection": "RFC6544-10.1",
        "media_of_a_stream_is_delivered_as_its_own": "RFC6544-10.2",
    },
    "RFC6544-4.1": {
        "checks_are_paced": "RFC8445-6.1.4.2",
    },
    "RFC6544-4.2": {
        "priority_ends_in_the_component": "RFC8445-5.1.2",
        "priority_tells_components_apart": "RFC8445-5.1.2",
        "host_type_preference_is_the_recommended_one": "RFC8445-5.1.2.2",
        "reflexive_type_preference_is_100": "RFC8445-5.1.2.2",
    },
    "RFC6544-4.4": {
        "lite_mode_is_declared": "RFC8839-4.2.1.4",
        "lite_agent_follows_the_nomination": "RFC8445-8.2",
    },
    "RFC6544-4.5": {
        "answer_setup_fits_the_offer": "RFC4145-4.1",
        "unknown_extension_attributes_are_ignored": "RFC8839-5.1",
        "any_port_of_our_active_candidate_is_ignored": "RFC6544-3",
        "port_of_our_active_candidate_is_ignored": "RFC6544-3",
    },
    "RFC6544-6": {
        "lite_offerer_controls_beside_a_lite_agent": "RFC8445-6.1.1",
        "default_that_is_no_candidate_is_a_mismatch_or_none": "RFC8839-4.2.5",
    },
    "RFC6544-7.1": {
        "response_on_another_connection_makes_no_pair_valid": "RFC8445-7.2.5.2.1",
        "role_conflict_makes_the_check_come_again_in_the_other_role": "RFC8445-7.2.5.1",
        "agent_that_became_controlling_nominates": "RFC8445-7.2.5.1",
        "agent_that_became_controlled_does_not_nominate": "RFC8445-7.2.5.1",
        "unprotected_role_conflict_is_not_believed": "RFC8489-9.1.4",
        "success_without_valid_integrity_is_discarded": "RFC8489-9.1.4",
        "broken_connection_ends_only_its_pair": "RFC8445-7.2.5.2",
        "standing_still_holds_up_no_other_pair": "RFC8445-6.1.4.2",
        "media_over_a_connection_of_crossed_syns": "RFC6544-10.1",
        "check_is_not_retransmitted": "RFC8489-6.2.2",
        "triggered_check_is_not_retransmitted": "RFC8489-6.2.2",
        "nomination_is_not_retransmitted": "RFC8489-6.2.2",
        "controlled_agent_does_not_nominate": "RFC8445-7.1.2",
    },
    "RFC6544-7.2": {
        "user_name_like_the_iuts_is_refused_with_401": "RFC8489-9.1.3",
        "request_without_user_name_is_refused_with_400": "RFC8489-9.1.3",
        "nomination_with_a_wrong_password_is_refused": "RFC8489-9.1.3",
        "wrong_password_on_the_selected_connection_is_refused": "RFC8489-9.1.3",
        "wrong_password_before_the_answer_is_refused": "RFC8489-9.1.3",
        "refused_check_triggers_none": "RFC8489-9.1.3",
        "response_has_no_user_name": "RFC8489-9.1.3",
        "wrong_password_is_refused_with_401": "RFC8489-9.1.3",
        "wrong_user_name_is_refused_with_401": "RFC8489-9.1.3",
        "request_without_integrity_is_refused_with_400": "RFC8489-9.1.3",
        "error_to_an_authenticated_request_is_protected": "RFC8489-9.1.3",
        "every_unknown_required_attribute_is_named": "RFC8489-14.8",
        "unknown_optional_attribute_is_ignored": "RFC8489-6.3",
        "request_with_a_wrong_fingerprint_is_not_answered": "RFC8489-6.3",
        "malformed_message_is_discarded": "RFC8489-6.3",
        "our_nomination_is_followed": "RFC8445-8.1.1",
        "lite_agent_uses_no_pair_before_our_nomination": "RFC8445-12.1.1",
        "checks_on_further_connections_trigger_checks": "RFC8445-7.3.1.4",
        "check_on_an_so_connection_triggers_a_check": "RFC8445-7.3.1.4",
        "check_triggers_a_check_on_the_same_connection": "RFC8445-7.3.1.4",
        "role_conflict_that_the_iut_loses_switches_its_role": "RFC8445-7.3.1.1",
        "role_conflict_is_refused_with_487": "RFC8445-7.3.1.1",
        "valid_pair_that_breaks_leaves_the_others": "RFC8445-7.2.5.2",
        "former_connection_that_breaks_leaves_the_restart": "RFC8445-7.2.5.2",
        "response_reports_where_the_request_came_from": "RFC8489-6.3.1.1",
        "check_before_the_answer_is_answered": "RFC8445-7.3",
        "check_before_the_answer_is_followed_up": "RFC8445-7.3",
        "request_from_an_unknown_address_is_followed_by_a_check": "RFC8445-7.3.1.3",
        "indication_is_not_answered": "RFC8489-6.3.2",
    },
    "RFC6544-7": {
        "lite_agent_accepts_and_answers": "RFC6544-7.2",
        "everything_on_accepted_connections_is_framed": "RFC6544-7.2",
        "everything_on_a_further_connection_is_framed": "RFC6544-7.2",
        "everything_after_a_restart_is_framed": "RFC6544-7.2",
        "everything_on_a_connection_reopened_by_us_is_framed": "RFC6544-7.2",
        "response_before_the_answer_is_framed": "RFC6544-7.2",
        "everything_on_an_so_connection_is_framed": "RFC6544-7.2",
        "candidates_of_every_stream_accept": "RFC6544-7.2",
        "everything_on_opened_connections_is_framed": "RFC6544-7.1",
        "everything_on_connections_opened_after_a_restart_is_framed": "RFC6544-7.1",
        "everything_on_a_reopened_connection_is_framed": "RFC6544-7.1",
        "candidates_of_every_stream_are_checked": "RFC6544-7.1",
    },
    "RFC6544-8": {
        "one_pair_is_nominated": "RFC8445-8.1.1",
    },
    "RFC6544-9.1": {
        "updated_offer_names_the_existing_connection": "RFC4145-5.1",
    },
    "RFC6544-9.2": {
        "check_on_the_existing_connection_is_framed": "RFC6544-7.1",
    },
}
_SPLIT: Mapping[str, tuple[str, ...]] = {
    "RFC6544-7.1/handshake_of_the_controlled_waits_for_the_nomination": (
        "RFC6544-7.1/handshake_of_the_controlled_waits_for_a_success",
    ),
    "RFC6544-7.1/handshake_of_the_controlling_waits_for_the_nomination": (
        "RFC6544-7.1/handshake_of_the_controlling_waits_for_a_success",
    ),
    "RFC6544-12/media_on_an_unvalidated_connection_is_not_delivered": (
        "RFC6544-12/data_on_an_unvalidated_connection_diverts_no_media",
    ),
    "RFC6544-12/media_before_any_valid_check_is_not_delivered": (
        "RFC6544-12/no_media_for_data_before_any_valid_check",
    ),
    "RFC6544-7.2/role_conflict_error_is_protected": (
        "RFC8489-9.1.3/role_conflict_error_is_protected",
        "RFC8445-7.3/role_conflict_error_has_a_fingerprint",
    ),
    "RFC6544-7.2/response_is_protected": (
        "RFC8489-9.1.3/response_is_protected",
        "RFC8445-7.3/response_has_a_fingerprint",
    ),
    "RFC6544-7.2/unknown_required_attribute_is_refused_with_420": (
        "RFC8489-6.3.1/unknown_required_attribute_is_refused_with_420",
        "RFC8489-6.3.1.1/error_420_names_the_attribute",
    ),
    "RFC6544-7.1/every_check_on_opened_connections_is_right": _EVERY_CHECK,
    "RFC6544-7.1/every_check_on_accepted_connections_is_right": _EVERY_CHECK,
    "RFC6544-7.1/every_check_after_a_restart_is_right": _EVERY_CHECK,
    "RFC6544-7.1/what_is_no_success_makes_no_pair_valid": (
        "RFC8445-7.2.5.3/error_response_makes_no_pair_valid",
        "RFC8489-9.1.4/unauthenticated_success_makes_no_pair_valid",
        "RFC8489-6.3/response_of_another_transaction_makes_no_pair_valid",
        "RFC8489-6.3.3/success_with_an_unknown_required_attribute_makes_no_pair_valid",
    ),
    "RFC6544-7.1/check_carries_credentials": (
        "RFC8445-7.2.2/user_name_of_a_check",
        "RFC8445-7.2.2/check_is_protected",
        "RFC8445-7.2.4/check_has_a_fingerprint",
    ),
    "RFC6544-7.1/check_carries_role_and_priority": (
        "RFC8445-7.1.1/check_carries_priority",
        "RFC8445-7.1.3/controlling_agents_check_says_so",
        "RFC8445-7.1.3/controlled_agents_check_says_so",
    ),
    "RFC6544-7.2/refusal_of_credentials_has_fingerprint_and_no_integrity": (
        "RFC8489-9.1.3/refusal_of_credentials_has_no_integrity",
        "RFC8445-7.3/refusal_of_credentials_has_a_fingerprint",
    ),
    "RFC6544-7.2/check_of_the_second_component_is_answered": _OTHER_CONNECTIONS,
    "RFC6544-7.2/response_on_an_opened_connection_is_right": _OTHER_CONNECTIONS,
    "RFC6544-7.2/response_on_an_so_connection_is_right": _OTHER_CONNECTIONS,
}


def today(identifier: str) -> tuple[str, ...]:
    """Return the ids that a case or variant of version 0.1.0 has now; any other id as it is."""
    name, bracket, rest = identifier.partition("[")
    section, _, case = name.partition("/")
    moved = _MOVED.get(section, {}).get(case)
    names = _SPLIT.get(name) or ((f"{moved}/{case}",) if moved else (name,))
    return tuple(f"{new}{bracket}{rest}" for new in names)


def all_former() -> list[str]:
    """Return the ids of before that are no more."""
    moved = [f"{section}/{case}" for section, cases in _MOVED.items() for case in cases]
    return [*moved, *_SPLIT]
