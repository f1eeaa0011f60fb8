"""libnice's adapter, built and driven: with itself, and with the reference agent."""

import base64
import contextlib
import functools
import socket

import pytest
from iut_tools import WITHIN, News

from conformance.catalogue.capabilities import validate
from conformance.iut import stacks
from conformance.iut.errors import RpcError
from conformance.iut.pool import Pool
from conformance.iut.stacks.build import build
from conformance.wire.rfc4571 import Deframer
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Message

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{session}m=audio 9 TCP/RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n"
    "a=mid:zero\r\na=setup:{setup}\r\na=connection:new\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
    "a=candidate:1 1 TCP 2128609279 127.0.0.1 9 typ host tcptype active\r\n{more}"
)


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    """Both stacks. Without libnice's headers this fails, and says which packages are missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        build(stacks.description("libnice"))
        logs = tmp_path_factory.mktemp("logs")
        both = {name: Pool(stacks.resolve(name), processes=1, log_dir=logs) for name in ("libnice", "reference")}
    yield both
    for pool in both.values():
        pool.close()


class Side:
    """One session of a stack, with the waits that a test needs."""

    def __init__(self, lease):
        self.session = lease.session()
        self.call = self.session.call
        self.news = News(self.session)
        self.heard = []

    def open(self, side, **wishes):
        self.call("open", side=side, **{"agent": "full", "media": "rtp", "addresses": ["127.0.0.1"], **wishes})

    def describe(self, **options):
        return self.call("describe", **{"trickle": False, **options})

    def accept(self, description):
        self.call("accept", **description)

    def _take(self):
        while self.session.notifications:
            self.heard.append(self.session.notifications.popleft())
        return self.heard

    def until(self, method, **wanted):
        def found():
            return any(n.method == method and wanted.items() <= n.params.items() for n in self._take())

        assert self.news.until(found), (method, wanted, self.heard)

    def connected(self, component=1):
        def found():
            said = [n.params for n in self._take() if n.method == "state"]
            return any(
                p["state"] in ("connected", "completed") for p in said if p.get("component") in (None, component)
            )

        assert self.news.until(found), self.heard

    def sends(self, octets, to, component=1):
        self.call("send", component=component, data=base64.b64encode(octets).decode())

        def arrived():
            notes = [n.params for n in to._take() if n.method == "data" and n.params["component"] == component]
            return b"".join(base64.b64decode(p["data"]) for p in notes).endswith(octets)

        assert to.news.until(arrived), to.heard


@pytest.fixture
def side(pools, request):
    """Make a `Side` of a stack."""
    with contextlib.ExitStack() as stack:
        yield lambda name="libnice": Side(stack.enter_context(pools[name].lease(request.node.name)))


def loopback_has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def negotiate(offerer, answerer):
    answerer.accept(offerer.describe())
    offerer.accept(answerer.describe())


def test_hello(pools):
    hello = pools["libnice"].hello()
    assert hello.name == "libnice"
    assert hello.version[0].isdigit()
    assert validate(hello.pics) == []
    assert (hello.pics["role"], hello.pics["sdp"]) == ("adapter", "candidates")


PAIRS = [("libnice", "libnice"), ("libnice", "reference"), ("reference", "libnice")]


@pytest.mark.parametrize("media", ["rtp", "bytes"])
@pytest.mark.parametrize(("offerer", "answerer"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_session_from_offer_to_data(side, offerer, answerer, media):
    one, two = side(offerer), side(answerer)
    one.open("offerer", media=media)
    two.open("answerer", media=media)
    negotiate(one, two)
    one.connected()
    two.connected()
    one.sends(b"\x80" + bytes(range(256)), two)
    two.sends(b"\x80" + bytes(3000), one)
    one.until("selected", component=1)
    for end in (one, two):
        assert end.call("close") == {}


def test_ipv6(side, pools):
    has_ipv6 = loopback_has_ipv6()
    assert (6 in pools["libnice"].hello().pics["families"]) is has_ipv6
    if not has_ipv6:
        return
    one, two = side(), side()
    one.open("offerer", addresses=["::1"])
    two.open("answerer", addresses=["::1"])
    negotiate(one, two)
    one.connected()
    two.connected()


def test_lite_beside_full(side):
    one, two = side(), side()
    one.open("offerer")
    two.open("answerer", agent="lite")
    two.accept(one.describe())
    answer = two.describe()
    assert "a=ice-lite\r\n" in answer["sdp"]
    one.accept(answer)
    one.connected()
    two.connected()


@pytest.mark.parametrize(
    ("transports", "offered"), [(["udp"], {"UDP"}), (["tcp"], {"TCP"}), (["tcp", "udp"], {"TCP", "UDP"})]
)
def test_transports_are_obeyed(side, transports, offered):
    one = side()
    one.open("offerer", transports=transports)
    candidates = SessionDescription.parse(one.describe()["sdp"]).media[0].candidates
    assert {candidate.transport for candidate in candidates} == offered
    assert {candidate.address for candidate in candidates} == {"127.0.0.1"}


def test_two_components(side):
    one, two = side(), side("reference")
    one.open("offerer", components=2)
    two.open("answerer", components=2)
    negotiate(one, two)
    for component in (1, 2):
        one.connected(component)
        two.connected(component)
        one.sends(b"\x80 to %d" % component, two, component)


def test_description_is_sound_and_stays_as_gathered(side):
    one, two = side(), side()
    one.open("offerer", components=2)
    two.open("answerer", components=2)
    offer = one.describe()
    negotiate(one, two)
    one.connected()
    media = SessionDescription.parse(offer["sdp"]).media[0]
    assert [(c.component, c.tcptype) for c in media.candidates] == [
        (1, "active"),
        (1, "passive"),
        (2, "active"),
        (2, "passive"),
    ]
    assert media.port == media.candidates[1].port
    assert media.setup == "passive"
    assert media.ufrag
    assert media.pwd
    again = SessionDescription.parse(one.describe()["sdp"]).media[0]
    assert again.candidates == media.candidates  # no peer-reflexive ones


@pytest.mark.parametrize(
    ("offered", "answered"), [("passive", "active"), ("active", "passive"), ("actpass", "passive")]
)
def test_answer_mirrors_the_offer(side, offered, answered):
    one = side()
    one.open("answerer")
    more = "m=video 9 TCP/RTP/AVP 96\r\na=ice-ufrag:zzzz\r\n"
    one.accept({"type": "offer", "sdp": OFFER.format(session="", setup=offered, more=more)})
    answer = one.describe()
    first, second = SessionDescription.parse(answer["sdp"]).media
    assert answer["type"] == "answer"
    assert (first.kind, first.mid, first.setup) == ("audio", "zero", answered)
    assert (second.kind, second.port) == ("video", 0)


def test_restart_by_the_iut(side):
    one, two = side(), side()
    one.open("offerer")
    two.open("answerer")
    negotiate(one, two)
    one.connected()
    two.connected()
    before = SessionDescription.parse(one.describe()["sdp"]).media[0]
    one.call("restart")
    offer = one.describe()
    assert offer["type"] == "offer"
    after = SessionDescription.parse(offer["sdp"]).media[0]
    assert (after.ufrag, after.pwd) != (before.ufrag, before.pwd)
    for end in (one, two):
        end.heard.clear()
    two.accept(offer)
    answer = two.describe()
    assert answer["type"] == "answer"
    one.accept(answer)
    one.connected()
    two.connected()
    one.sends(b"\x80 again", two)


def test_restart_by_an_offer_with_new_credentials(side):
    one = side()
    one.open("answerer")
    offer = OFFER.format(session="", setup="active", more="")
    one.accept({"type": "offer", "sdp": offer})
    first = SessionDescription.parse(one.describe()["sdp"]).media[0]
    one.accept({"type": "offer", "sdp": offer})
    same = SessionDescription.parse(one.describe()["sdp"]).media[0]
    one.accept({"type": "offer", "sdp": offer.replace("abcd", "efgh")})
    new = SessionDescription.parse(one.describe()["sdp"]).media[0]
    assert (same.ufrag, same.pwd) == (first.ufrag, first.pwd)
    assert new.ufrag != first.ufrag
    assert new.pwd != first.pwd


def test_trickle(side):
    one, two = side(), side()
    one.open("offerer")
    two.open("answerer")
    offer = one.describe(trickle=True)
    assert "a=ice-options:trickle\r\n" in offer["sdp"]
    one.until("candidate", candidate="")
    lines = offer["sdp"].splitlines()
    bare = "".join(f"{line}\r\n" for line in lines if not line.startswith("a=candidate:"))
    two.accept({"type": "offer", "sdp": bare})
    one.accept(two.describe())
    for line in lines:
        if line.startswith("a=candidate:"):
            two.call("trickle", candidate=line.removeprefix("a="), mid="0")
    two.call("trickle", candidate="", mid="0")
    one.connected()
    two.connected()


REFUSALS = {
    "unknown session": ("describe", {"session": "nobody"}, -32602),
    "side": ("open", {"session": "new", "side": "both"}, -32602),
    "components": ("open", {"session": "new", "side": "offerer", "components": 999}, -32602),
    "address": ("open", {"session": "new", "side": "offerer", "addresses": ["localhost"]}, -32602),
    "servers": ("open", {"session": "new", "side": "offerer", "ice_servers": [{"url": "stun:127.0.0.1"}]}, -32602),
    "no transport": ("open", {"session": "new", "side": "offerer", "transports": ["sctp"]}, -32602),
    "describe before accept": ("describe", {}, -32000),
    "type": ("accept", {"type": "pranswer", "sdp": ""}, -32602),
    "no sdp": ("accept", {"type": "offer"}, -32602),
    "no credentials": ("accept", {"type": "offer", "sdp": "v=0\r\nm=audio 9 TCP/RTP/AVP 0\r\n"}, -32010),
    "every candidate": (
        "accept",
        {
            "type": "offer",
            "sdp": OFFER.format(session="", setup="active", more="").replace("candidate:1 1 TCP", "candidate:1 TCP"),
        },
        -32010,
    ),
    "send too early": ("send", {"component": 1, "data": "AAAA"}, -32602),
    "restart too early": ("restart", {}, -32000),
    "trickle too early": ("trickle", {"candidate": "", "mid": "0"}, -32602),
}


@pytest.mark.parametrize(("method", "params", "code"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(side, method, params, code):
    one = side()
    one.open("answerer")
    with pytest.raises(RpcError) as caught:
        one.call(method, **params)
    assert caught.value.code == code
    assert caught.value.message


def test_a_candidate_that_libnice_refuses_beside_others_is_ignored(side):
    one = side()
    one.open("answerer")
    one.call("accept", type="offer", sdp=OFFER.format(session="", setup="active", more="a=candidate:1\r\n"))
    assert one.describe()


def test_send_before_connection_is_an_error(side):
    one = side()
    one.open("offerer")
    one.describe()
    with pytest.raises(RpcError, match="nice_agent_send_messages_nonblocking"):
        one.call("send", component=1, data="AAAA")


def test_full_agent_controls_beside_a_lite_one(side):
    """RFC 8445 section 6.1.1: the answerer controls if the offer is lite; its check says so to our listener."""
    one = side()
    one.open("answerer")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WITHIN)
        port = listener.getsockname()[1]
        passive = f"a=candidate:2 1 TCP 2124414975 127.0.0.1 {port} typ host tcptype passive\r\n"
        one.accept({"type": "offer", "sdp": OFFER.format(session="a=ice-lite\r\n", setup="passive", more=passive)})
        one.describe()
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(WITHIN)
            deframer, frames = Deframer(), []
            while not frames:
                frames = deframer.feed(connection.recv(4096))
    check = Message.decode(frames[0])
    assert check.ice_controlling is not None
    assert check.ice_controlled is None


def test_many_sessions_in_one_process(side):
    ends = [(side(), side()) for _ in range(10)]
    for one, two in ends:
        one.open("offerer")
        two.open("answerer")
    offers = [one.session.begin("describe", {"trickle": False}) for one, _ in ends]
    for (one, _), offer in zip(ends, offers, strict=True):
        assert one.news.until(functools.partial(getattr, offer, "done"))
    for (one, two), offer in zip(ends, offers, strict=True):
        two.accept(offer.result())
        one.accept(two.describe())
    for one, two in ends:
        one.connected()
        two.connected()


TWO = OFFER + (
    "m=audio {port} TCP/RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\na=mid:other\r\na=setup:actpass\r\na=ice-ufrag:efgh\r\n"
    "a=ice-pwd:" + "e" * 22 + "\r\na=candidate:1 1 TCP 2128609279 127.0.0.1 9 typ host tcptype active\r\n"
)


@pytest.mark.parametrize("streams", [1, 2])
def test_an_offer_has_as_many_streams_as_are_asked_for(side, streams):
    libnice = side()
    libnice.open("offerer", components=1, streams=streams)
    media = SessionDescription.parse(libnice.describe()["sdp"]).media
    assert [section.mid for section in media] == ["0", "1"][:streams]
    assert len({section.ufrag for section in media}) == streams
    assert all(section.candidates for section in media)


def test_a_section_with_port_0_has_no_stream_and_the_other_has_credentials_of_its_own(side):
    for port, used in ((9, True), (0, False)):
        libnice = side()
        libnice.open("answerer", components=1)
        libnice.accept({"type": "offer", "sdp": TWO.format(session="", setup="actpass", more="", port=port)})
        first, second = SessionDescription.parse(libnice.describe()["sdp"]).media
        assert (first.mid, bool(first.candidates), first.port != 0) == ("zero", True, True)
        assert (second.port != 0, bool(second.candidates)) == (used, used)


def test_data_of_two_streams_are_told_apart(side):
    offerer, answerer = side(), side()
    offerer.open("offerer", components=1, streams=2)
    answerer.open("answerer", components=1)
    negotiate(offerer, answerer)
    for one in (offerer, answerer):
        one.until("selected", component=1, stream=1)
        one.until("selected", component=1)
    offerer.call("send", component=1, stream=1, data=base64.b64encode(b"second").decode())
    answerer.until("data", stream=1, component=1)
