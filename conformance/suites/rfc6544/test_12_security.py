"""RFC 6544 section 12: how hard the IUT may press a peer."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, Data
from conformance.suites.driving import needs_refused_check
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import (
    await_sent,
    carries,
    expect_coming,
    note_delivery,
)
from conformance.suites.negotiation import STREAMS, negotiate, negotiate_streams
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame

_CANDIDATES = 9


@both_sides
@requirement("RFC6544-12-03", needs="connects:active")
def test_no_more_than_five_attempts_are_outstanding(upper, peer, side, pixit):
    """with    nine passive candidates of ours at one address, of different foundations, none answering a SYN
    when    the IUT has had time for an attempt at each
    then    never more than five of its attempts are outstanding."""
    silent = [
        peer.candidate("passive", port=peer.silent_port(), other=8191 - n, foundation=f"silent{n}")
        for n in range(_CANDIDATES)
    ]
    negotiate(upper, peer, side, peer_candidates=silent)
    most = peer.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} connection attempts to one address were outstanding at once"


@both_sides
@requirement("RFC6544-12-03", needs="connects:active components:2")
def test_no_more_than_five_attempts_of_all_components_are_outstanding(upper, peer, side, pixit):
    """with    two components, and five passive candidates of ours for each, at one address, none answering a SYN
    when    the IUT has had time for an attempt at each
    then    never more than five of its attempts are outstanding."""
    silent = [
        peer.candidate(
            "passive", component=number, port=peer.silent_port(), other=8191 - n, foundation=f"c{number}n{n}"
        )
        for n in range(5)
        for number in (1, 2)
    ]
    negotiate(upper, peer, side, components=2, peer_candidates=silent)
    most = peer.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} connection attempts to one address were outstanding at once"


@both_sides
@requirement("RFC6544-12-03", needs="connects:so")
def test_no_more_than_five_so_attempts_are_outstanding(upper, peer, side, pixit):
    """with    nine S-O candidates of ours at one address, of different foundations, none answering a SYN
    when    the IUT has had time for an attempt at each
    then    never more than five of its attempts are outstanding."""
    silent = [
        peer.candidate("so", port=peer.silent_port(), other=8191 - n, foundation=f"silent{n}")
        for n in range(_CANDIDATES)
    ]
    negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=silent)
    most = peer.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} connection attempts to one address were outstanding at once"


@both_sides
@requirement("RFC6544-12-03", needs="connects:active connects:so")
def test_no_more_than_five_attempts_of_either_kind_are_outstanding(upper, peer, side, pixit):
    """with    four passive and four S-O candidates of ours at one address, of different foundations, all silent
    when    the IUT has had time for an attempt at each
    then    never more than five of its attempts are outstanding."""
    silent = [
        peer.candidate(tcptype, port=peer.silent_port(), other=8191 - n, foundation=f"{tcptype}{n}")
        for n in range(4)
        for tcptype in ("passive", "so")
    ]
    negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=silent)
    most = peer.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} connection attempts to one address were outstanding at once"


@varied("family", "candidates")
@requirement("RFC6544-12-s01", needs="connects:active")
def test_no_media_before_validation(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, and its check on it unanswered
    when    the IUT's application wants to send data
    then    none comes over the connection."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-12-s01", needs="offers:passive")
def test_data_on_an_unvalidated_connection_diverts_no_media(upper, peer, side):
    """with    ICE completed on one connection
    when    data arrives on another one that has carried no check, and the IUT's application sends
    then    its data goes over the selected connection, none over the other."""
    selected = establish(upper, peer, side)
    await_sent(upper, peer, selected)
    stranger = peer.connect_if_possible(upper.description.candidate(tcptype="passive"))
    stranger.send(frame(MORE_DATA))
    note_delivery(upper, peer, MORE_DATA)
    expect_coming(upper, peer, selected, DATA, "the data did not come over the selected connection any more")
    assert not carries(upper, stranger, DATA), "the data came over the connection without a check"


@varied("components")
@requirement("RFC6544-12-s01", needs="offers:passive")
def test_no_media_for_data_before_any_valid_check(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate, on which a check with a wrong password was refused
    when    data arrives on it before any other check, and the IUT's application wants to send
    then    no data comes over it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive", component=peer.shape.components))
    needs_refused_check(peer, iut, connection)
    connection.send(frame(DATA))
    note_delivery(upper, peer, DATA)
    upper.try_to_send(MORE_DATA, connection.component)
    connection.expect_nothing(Data, within=pixit.silence)


@requirement("RFC6544-12-s01", needs="offers:passive sides:answerer")
def test_no_media_for_a_nomination_before_the_iuts_own_check_succeeds(upper, peer, pixit):
    """with    the IUT controlled, and a connection on which we nominate with our very first check
    when    its own check there is unanswered, and its application wants to send data
    then    none comes over the connection."""
    peer.answering = False
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, use_candidate=True))
    connection.wait_for(BindingRequest, within=pixit.connect)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@both_sides
@requirement("RFC6544-12-03", needs="connects:active streams:2")
def test_no_more_than_five_attempts_of_all_streams_are_outstanding(upper, peer, side, pixit):
    """with    two streams, and five passive candidates of ours for each, at one address, none answering a SYN
    when    the IUT has had time for an attempt at each
    then    never more than five of its attempts are outstanding."""
    silent = [
        [
            peer.candidate("passive", port=peer.silent_port(), other=8191 - n, foundation=f"s{stream}n{n}")
            for n in range(5)
        ]
        for stream in range(STREAMS)
    ]
    negotiate_streams(upper, peer, side, peer_candidates=silent)
    most = peer.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} connection attempts to one address were outstanding at once"
