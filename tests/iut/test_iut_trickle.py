"""The upper tester where candidates come after the descriptions: what it says when, and what it takes."""

from __future__ import annotations

from collections import deque

import pytest

from conformance.iut.calls import REJECTED, Rejected
from conformance.iut.errors import RpcError
from conformance.iut.process import Notification, Pending
from conformance.iut.trickle import without_candidates
from conformance.iut.upper import Upper
from conformance.verdict import Inconclusive, NotApplicable
from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription

PASSIVE = "candidate:1 1 TCP 5 192.0.2.1 5000 typ host tcptype passive"
ACTIVE = "candidate:2 1 TCP 6 192.0.2.1 9 typ host tcptype active"
BARE = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n{options}"
    "m=audio {port} TCP/RTP/AVP 0\r\nc=IN IP4 {address}\r\na=ice-ufrag:abcd\r\na=ice-pwd:{pwd}\r\na=mid:a\r\n"
)
FULL = BARE.format(options="", port=5000, address="192.0.2.1", pwd="p" * 22) + f"a={PASSIVE}\r\na={ACTIVE}\r\n"
LATER = BARE.format(options="a=ice-options:trickle\r\n", port=9, address="0.0.0.0", pwd="p" * 22)


class Adapter:
    """Stands for a session: remembers calls, and after a description notifies of what it is given."""

    def __init__(self, sdp, later, kind="offer", refused=()):
        self.sdp, self.later, self.kind, self.refused = sdp, later, kind, refused
        self.calls, self.notifications, self.died = [], deque(), None
        self.on_activity = lambda: None

    def begin(self, method, parameters):
        self.calls.append((method, parameters))
        pending = Pending(method)
        result = {}
        if method == "describe":
            result = {"type": self.kind, "sdp": self.sdp}
            for candidate, mid in self.later:
                told = {"session": "s", "candidate": candidate, "mid": mid}
                self.notifications.append(Notification("candidate", told, 0.0))
        refusal = RpcError(REJECTED, "no such candidate") if parameters.get("candidate") in self.refused else None
        pending.settle(result, refusal)
        return pending


class Waiter:
    """Never waits: what has not come does not come."""

    def __init__(self):
        self.waits = 0

    def wait(self, condition, within):
        self.waits += 1
        return condition()

    poll = wait

    def wake(self):
        pass


def upper_of(adapter, *, trickles=True):
    upper = Upper(lambda: adapter, Waiter(), pics={}, addresses=["192.0.2.1"], timeout=1)
    upper.trickles = trickles
    return upper


def methods(adapter):
    return [(method, parameters.get("candidate")) for method, parameters in adapter.calls]


# -- texts -----------------------------------------------------------------------------------------------------------


def test_a_description_without_candidates_keeps_everything_else():
    assert str(without_candidates(SessionDescription.parse(FULL))) == LATER


def test_trickle_joins_the_options_that_are_there():
    full = FULL.replace("t=0 0\r\n", "t=0 0\r\na=ice-options:ice2\r\n")
    bare = without_candidates(SessionDescription.parse(full))
    assert bare.ice_options == ("ice2", "trickle")
    assert without_candidates(bare).ice_options == ("ice2", "trickle")


def test_a_disabled_stream_stays_disabled_and_no_end_is_left():
    full = FULL.replace("m=audio 5000", "m=audio 0") + "a=end-of-candidates\r\n"
    media = without_candidates(SessionDescription.parse(full)).media[0]
    assert (media.port, media.end_of_candidates) == (0, False)


# -- ours --------------------------------------------------------------------------------------------------------------


def test_candidates_of_an_answer_follow_it_one_by_one_and_then_their_end():
    adapter = Adapter(FULL, [])
    upper_of(adapter).accept(SessionDescription.parse(FULL), kind="answer")
    assert methods(adapter) == [("accept", None), ("trickle", PASSIVE), ("trickle", ACTIVE), ("trickle", "")]
    assert adapter.calls[0][1]["sdp"] == LATER
    assert {parameters["mid"] for _, parameters in adapter.calls[1:]} == {"a"}


@pytest.mark.parametrize("refused", [(PASSIVE,), (ACTIVE,), (PASSIVE, ACTIVE)])
def test_a_candidate_that_is_refused_was_ignored_unless_all_are(refused):
    adapter = Adapter(FULL, [], refused=refused)
    upper = upper_of(adapter)
    if len(refused) == 2:
        with pytest.raises(Rejected):
            upper.accept(SessionDescription.parse(FULL), kind="answer")
        return
    upper.accept(SessionDescription.parse(FULL), kind="answer")
    assert methods(adapter)[1:] == [("trickle", PASSIVE), ("trickle", ACTIVE), ("trickle", "")]


def test_nothing_is_trickled_for_a_section_that_we_reject():
    adapter = Adapter(LATER, [])
    upper = upper_of(adapter)
    rejected = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:b\r\n"
    upper.accept(SessionDescription.parse(FULL + rejected))
    assert {parameters["mid"] for method, parameters in adapter.calls if method == "trickle"} == {"a"}


def test_candidates_of_an_offer_follow_its_answer():
    adapter = Adapter(FULL, [], kind="answer")
    upper = upper_of(adapter)
    upper.accept(SessionDescription.parse(FULL), kind="offer")
    assert methods(adapter) == [("accept", None)]
    upper.describe()
    upper.describe()
    told = [("trickle", PASSIVE), ("trickle", ACTIVE), ("trickle", "")]
    assert methods(adapter) == [("accept", None), ("describe", None), *told, ("describe", None)]


def test_without_trickling_nothing_of_this_happens():
    adapter = Adapter(FULL, [(PASSIVE, "a")])
    upper = upper_of(adapter, trickles=False)
    upper.accept(SessionDescription.parse(FULL), kind="answer")
    assert adapter.calls == [("accept", {"type": "answer", "sdp": FULL})]
    assert len(upper.describe().media().candidates) == 2
    assert adapter.calls[-1] == ("describe", {"trickle": False})


def test_a_candidate_told_by_hand_is_known_to_the_judge():
    adapter = Adapter(FULL, [])
    upper = upper_of(adapter, trickles=False)
    upper.accept(SessionDescription.parse(LATER), kind="answer")
    upper.trickle(Candidate.parse(PASSIVE))
    upper.trickle(None)
    (_, ours), *_ = upper.exchanged
    assert [str(candidate) for candidate in ours.media[0].candidates] == [PASSIVE]


@pytest.mark.parametrize(("mid", "section"), [(None, 1), ("b", 1), ("c", 2)])
def test_a_candidate_told_by_hand_belongs_to_the_section_that_is_meant(mid, section):
    """The first section in use, where none is named: before it stands one that we reject."""
    rejected = "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\n"
    head, media = LATER[: LATER.index("m=")], LATER[LATER.index("m=") :]
    text = head + rejected + media.replace("mid:a", "mid:b") + media.replace("mid:a", "mid:c")
    adapter = Adapter(FULL, [])
    upper = upper_of(adapter, trickles=False)
    upper.accept(SessionDescription.parse(text), kind="answer")
    upper.trickle(Candidate.parse(PASSIVE), mid)
    (_, ours), *_ = upper.exchanged
    assert [len(media.candidates) for media in ours.media] == [int(n == section) for n in range(3)]
    assert adapter.calls[-1][1]["mid"] == (mid or "b")


# -- the IUT's -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mid", ["a", "", "other"])
def test_what_the_iut_trickles_becomes_part_of_its_description(mid):
    adapter = Adapter(LATER, [(PASSIVE, mid), (ACTIVE, mid), ("", mid)])
    description = upper_of(adapter).describe()
    assert [str(candidate) for candidate in description.candidates()] == [PASSIVE, ACTIVE]
    assert [str(c) for c in description.trickled_candidates(tcptype="active")] == [ACTIVE]
    assert description.complete


def test_where_no_end_is_told_silence_is_one():
    adapter = Adapter(LATER, [(PASSIVE, "a")])
    upper = upper_of(adapter)
    assert not upper.describe().complete
    assert upper._waiter.waits == 3  # the call, a candidate, none


def test_the_end_in_the_description_is_not_waited_for():
    adapter = Adapter(FULL + "a=end-of-candidates\r\n", [])
    upper = upper_of(adapter)
    description = upper.describe()
    assert description.complete
    assert upper._waiter.waits == 1
    with pytest.raises(NotApplicable):
        description.trickled_candidates()


def test_a_candidate_that_never_ends_is_not_waited_for_forever():
    adapter = Adapter(LATER, [(PASSIVE.replace("5000", str(port)), "a") for port in range(1, 400)])
    assert len(upper_of(adapter).describe().candidates()) == 256


def test_a_malformed_candidate_is_inconclusive():
    with pytest.raises(Inconclusive):
        upper_of(Adapter(LATER, [("candidate:1 1 TCP", "a")])).describe()


def test_candidates_of_a_former_description_are_not_those_of_the_next():
    adapter = Adapter(LATER, [("", "a")])
    adapter.notifications.append(Notification("candidate", {"candidate": PASSIVE, "mid": "a"}, 0.0))
    upper = upper_of(adapter)
    description = upper.describe()
    assert description.media().candidates == []
    assert description.complete
