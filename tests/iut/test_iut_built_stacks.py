"""Every stack that has been built on this machine keeps the contract: its pics, its refusals, and a session of each side."""

from __future__ import annotations

import pytest
from iut_tools import closing

from conformance.catalogue.capabilities import validate
from conformance.iut import stacks
from conformance.iut.errors import RpcError
from conformance.iut.pool import Pool
from conformance.iut.stacks.build import built
from conformance.wire.sdp import SessionDescription

BROWSERS = ("chromium", "firefox")  # they take many seconds to start, and have tests of whole runs
HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
ICE = (
    "c=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:actpass\r\n"
    "a=candidate:1 1 TCP 2128609279 192.0.2.9 9 typ host tcptype active\r\n"
)
WEBRTC = f"{HEAD}a=group:BUNDLE 0\r\n{{media}}{ICE}a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\n{{more}}"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
OPUS = "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
OFFERS = {
    "plain": f"{HEAD}m=audio 9 TCP/RTP/AVP 0\r\n{ICE}a=connection:new\r\n",
    "webrtc": WEBRTC.format(media="m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", more="a=sctp-port:5000\r\n"),
    "whip": WEBRTC.format(media=AUDIO, more=f"{OPUS}a=sendonly\r\n"),
    "whep": WEBRTC.format(media=AUDIO, more=f"{OPUS}a=recvonly\r\n"),
}
KNOWN = [stacks.description(name) for name in stacks.names()]
BUILT = [stack.name for stack in KNOWN if not stack.source or built(stack)]


@pytest.mark.parametrize("name", [name for name in BUILT if name not in BROWSERS])
def test_a_stack_keeps_the_contract(name, tmp_path):
    pool = Pool(stacks.resolve(name), processes=1, log_dir=tmp_path)
    with closing(pool):
        hello = pool.hello()  # which also calls a method that there is not
        pics = hello.pics
        assert validate(pics) == []
        assert hello.version
        with pool.lease("case") as lease:
            unknown = lease.session("never-opened")
            with pytest.raises(RpcError) as caught:
                unknown.call("describe", trickle=False)
            assert caught.value.code == -32602
            for side in pics.get("sides", ["offerer", "answerer"]):
                session = lease.session()
                wishes = {"addresses": ["127.0.0.1"], "tcptypes": ["active", "passive"], "transports": ["tcp"]}
                common = {"agent": "full", "components": 1, "media": "rtp", "ice_servers": []}
                session.call("open", side=side, timeout=20, **common, **wishes)
                if side == "answerer":
                    session.call("accept", type="offer", sdp=OFFERS[pics.get("profile", "plain")], timeout=20)
                said = session.call("describe", trickle=False, timeout=20)
                assert said["type"] == ("offer" if side == "offerer" else "answer")
                media = SessionDescription.parse(said["sdp"]).media[0]
                assert media.ufrag or SessionDescription.parse(said["sdp"]).attributes("ice-ufrag")
                session.call("close", timeout=20)
            for _ in range(20):  # the name may be used again as soon as close is answered
                session.call("open", side=side, timeout=20, **common, **wishes)
                session.call("close", timeout=20)
        pool.close()
        assert [str(incident) for incident in pool.incidents if incident.serious] == []
