"""One violation each: what the judge must find, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from conformance.wire.attributes import Attribute
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from pcaps.golden import scene as s
from pcaps.golden.scenarios import ALL_KINDS, active, both, golden, selected, usual, validated
from pcaps.golden.scene import Scene

# -- violations --------------------------------------------------------------------------------------------------------


@golden("opened_connection_is_framed")
def broken_no_frames(scene: Scene) -> None:
    """The connecting agent sends its check without LENGTH."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, request)
    link.send(link.server, frame(scene.success(request, scene.right, link.client)))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    scene.nominate(link)


@golden("accepted_connection_is_framed")
def broken_frames_end(scene: Scene) -> None:
    """The accepting agent frames its checks and then begins TLS without frames."""
    link = selected(scene)
    link.send(link.server, s.TLS_HELLO)
    link.end(link.server)


@golden("opened_connection_is_framed")
def broken_bare_rtp(scene: Scene) -> None:
    """RTP packets follow the framed checks without LENGTH."""
    link = selected(scene)
    for number in range(8):
        link.send(link.client, s.RTP[:2] + number.to_bytes(2, "big") + s.RTP[4:])


@golden("length_equals_the_message")
def broken_length_counts_itself(scene: Scene) -> None:
    """LENGTH is larger by its own two octets."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, (len(request) + 2).to_bytes(2, "big") + request)
    response = scene.success(request, scene.right, link.client)
    link.send(link.server, frame(response))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


@golden("length_equals_the_message")
def broken_length_twice(scene: Scene) -> None:
    """A write takes the LENGTH alone, then the whole frame is written: LENGTH stands twice before a DTLS record."""
    link = selected(scene)
    link.send(link.client, frame(s.DTLS_HELLO))
    link.send(link.server, frame(s.DTLS_HELLO))
    again = frame(s.DTLS_HELLO)
    link.send(link.client, again[:2])
    link.send(link.client, again)


@golden("check_is_not_retransmitted")
def broken_retransmission(scene: Scene) -> None:
    """The agent repeats its check as over UDP."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    scene.wait(500 * s.MILLISECOND)
    scene.transact(link, scene.left, scene.right, request)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


@golden("nomination_follows_a_success")
def broken_aggressive_nomination(scene: Scene) -> None:
    """The first check nominates."""
    link = active(scene).open()
    scene.nominate(link)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


@golden("nomination_follows_a_success")
def broken_nomination_after_restart(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """After a restart the pair is nominated by the success of the session before."""
    link = selected(scene)
    old = scene.left, scene.right
    scene.left, scene.right = (
        replace(agent, ufrag=f"{agent.ufrag}2", pwd=f"{agent.pwd}+anew") for agent in (scene.left, scene.right)
    )
    scene.nominate(link)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
    offers, answers = (
        [s.described(agent, ALL_KINDS) for agent in pair] for pair in zip(old, (scene.left, scene.right), strict=True)
    )
    return both(*offers), both(*answers)


@golden("nomination_follows_a_success", "success_has_integrity")
def broken_nomination_by_forged_success(scene: Scene) -> None:
    """The agent believes a success whose integrity is wrong."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    link.send(link.server, frame(scene.success(request, scene.right, link.client, password="forged" * 5)))
    scene.nominate(link)


@golden("only_the_controlling_agent_nominates")
def broken_controlled_nominates(scene: Scene) -> None:
    """The controlled agent sends USE-CANDIDATE."""
    link = validated(scene)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left, nominate=True))


@golden("connection_is_to_a_candidate_that_accepts")
def broken_connection_to_active(scene: Scene) -> None:
    """The agent connects to the port of an active candidate."""
    scene.connection(scene.left.at(50009), scene.right.at(9)).open(refused=True)
    usual(scene)


@golden("connection_is_to_a_candidate_that_accepts")
def broken_active_to_so(scene: Scene) -> None:
    """An ephemeral port connects to an S-O candidate."""
    link = scene.connection(scene.left.at(50009), scene.right.at(scene.right.so)).open()
    scene.validate(link)
    scene.nominate(link)


@golden("few_attempts_are_outstanding")
def broken_many_attempts(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """Seven SYNs at one address, none answered, all repeated."""
    links = [scene.connection(scene.left.at(50100 + n), scene.right.at(7200 + n)) for n in range(7)]
    for _ in range(2):
        for link in links:
            link.open(answered=False)
        scene.wait(s.SECOND)
    usual(scene)
    more = [s.candidate_of(scene.right, "passive", port=7200 + n, other=8000 - n) for n in range(7)]
    answer = s.described(scene.right, ALL_KINDS)
    text = str(answer) + "".join(f"a={candidate}\r\n" for candidate in more)
    return s.described(scene.left, ALL_KINDS), SessionDescription.parse(text)


@golden("pair_has_one_connection")
def broken_second_connection(scene: Scene) -> None:
    """A second connection for the same pair, while the first is open."""
    first = validated(scene)
    link = validated(scene, 50001)
    first.end(first.client)
    scene.nominate(link)
    link.end(link.client)


@golden("check_has_fingerprint")
def broken_no_fingerprint(scene: Scene) -> None:
    """A check without FINGERPRINT."""
    link = active(scene).open()
    scene.transact(
        link, scene.left, scene.right, scene.check(scene.left, scene.right, without=(Attribute.FINGERPRINT,))
    )


@golden("check_has_fingerprint")
def broken_wrong_fingerprint(scene: Scene) -> None:
    """A check whose FINGERPRINT is wrong, which nobody answers."""
    link = active(scene).open()
    link.send(link.client, frame(scene.check(scene.left, scene.right, wrong_fingerprint=True)))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


@golden("check_has_integrity", "success_is_for_valid_credentials")
def broken_wrong_password(scene: Scene) -> None:
    """A check made with the agent's own password, and answered all the same."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, password=scene.left.pwd))


@golden("check_has_integrity", "success_is_for_valid_credentials")
def broken_no_integrity(scene: Scene) -> None:
    """A check without MESSAGE-INTEGRITY, and answered all the same."""
    link = active(scene).open()
    without = (Attribute.MESSAGE_INTEGRITY,)
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, without=without))


@golden("check_has_the_user_name", "check_has_integrity")
def broken_user_name_reversed(scene: Scene) -> None:
    """The fragments of the user name in the wrong order; nobody answers."""
    link = active(scene).open()
    name = f"{scene.left.ufrag}:{scene.right.ufrag}"
    link.send(link.client, frame(scene.check(scene.left, scene.right, username=name)))
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))


@golden("check_has_its_attributes")
def broken_no_priority(scene: Scene) -> None:
    """A check without PRIORITY."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, without=(Attribute.PRIORITY,)))


@golden("check_has_its_attributes")
def broken_no_role(scene: Scene) -> None:
    """A check without a role."""
    link = active(scene).open()
    without = (Attribute.ICE_CONTROLLING,)
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, without=without))


@golden("check_has_its_attributes")
def broken_both_roles(scene: Scene) -> None:
    """A check with both roles."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, both_roles=True))


@golden("check_has_the_user_name")
def broken_user_name_alone(scene: Scene) -> None:
    """A user name without the agent's own fragment."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, username=scene.right.ufrag))


@golden("transaction_ids_are_unique")
def broken_transaction_id_used_again(scene: Scene) -> None:
    """Check and nomination share a transaction id."""
    link = active(scene).open()
    same = scene.transaction()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, transaction=same))
    nomination = scene.check(scene.left, scene.right, nominate=True, transaction=same)
    scene.transact(link, scene.left, scene.right, nomination)


@golden("transaction_ids_are_random")
def broken_transaction_ids_count(scene: Scene) -> None:
    """Transaction ids count up."""
    link = active(scene).open()
    for number in range(4):
        identifier = bytes(11) + bytes([number])
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, transaction=identifier))


@golden("response_answers_a_request")
def broken_unasked_response(scene: Scene) -> None:
    """A response to nothing."""
    link = validated(scene)
    invented = scene.check(scene.left, scene.right)
    link.send(link.server, frame(scene.success(invented, scene.right, link.client)))


@golden("response_answers_a_request")
def broken_response_twice(scene: Scene) -> None:
    """The same request answered twice."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    scene.transact(link, scene.left, scene.right, request)
    link.send(link.server, frame(scene.success(request, scene.right, link.client)))


@golden("success_has_integrity")
def broken_response_without_integrity(scene: Scene) -> None:
    """A success without MESSAGE-INTEGRITY."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    response = scene.success(request, scene.right, link.client, without=(Attribute.MESSAGE_INTEGRITY,))
    link.send(link.server, frame(response))


@golden("success_has_fingerprint")
def broken_response_without_fingerprint(scene: Scene) -> None:
    """A success without FINGERPRINT."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    response = scene.success(request, scene.right, link.client, without=(Attribute.FINGERPRINT,))
    link.send(link.server, frame(response))


@golden("success_has_the_mapped_address")
def broken_mapped_port(scene: Scene) -> None:
    """A success tells the port of the agent's candidate instead of the one that the check came from."""
    link = active(scene).open()
    request = scene.check(scene.left, scene.right)
    link.send(link.client, frame(request))
    link.send(link.server, frame(scene.success(request, scene.right, scene.left.at(9))))


@golden("media_waits_for_a_success")
def broken_media_first(scene: Scene) -> None:
    """The controlled agent sends media before its own check has succeeded."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    link.send(link.server, frame(scene.check(scene.right, scene.left)))
    link.send(link.server, frame(s.RTP))


@golden("dtls_waits_for_ice")
def broken_dtls_first(scene: Scene) -> None:
    """DTLS is the first thing on the connection after a check that is not answered yet."""
    link = active(scene).open()
    link.send(link.client, frame(scene.check(scene.left, scene.right)))
    link.send(link.client, frame(s.DTLS_HELLO))


@golden("unselected_connections_are_closed")
def broken_left_open(scene: Scene) -> None:
    """A validated connection that was not selected is open half a minute later."""
    link = validated(scene)
    spare = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(spare, scene.right)
    scene.nominate(link)
    scene.wait(30 * s.SECOND)
    for connection in (link, spare):
        connection.end(connection.client)


# -- what offer and answer show ----------------------------------------------------------------------------------------


@golden("other_preference_tells_equals_apart")
def broken_equal_priorities(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """Two passive candidates of one component with the same priority."""
    usual(scene)
    twin = s.candidate_of(scene.left, "passive", port=7001)
    offer = SessionDescription.parse(f"{s.described(scene.left, ALL_KINDS)}a={twin}\r\n")
    return offer, s.described(scene.right, ALL_KINDS)


@golden("active_candidate_states_port_9")
def broken_active_port(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """An active candidate with a port of its own."""
    usual(scene)
    return s.described(scene.left, "active", port=50000), s.described(scene.right, ALL_KINDS)


@golden("candidate_has_tcptype")
def broken_no_tcptype(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A TCP candidate that does not say its direction."""
    usual(scene)
    offer = str(s.described(scene.left, "passive")).replace(" tcptype passive", "")
    return SessionDescription.parse(offer), s.described(scene.right, ALL_KINDS)


@golden("priority_follows_the_formula", "host_direction_preference")
def broken_priorities(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """A priority of another component, type and direction."""
    usual(scene)
    wrong = (120 << 24) + (2 << 21) + (12 << 8) + 250
    return s.described(scene.left, "active", priority=wrong), s.described(scene.right, ALL_KINDS)
