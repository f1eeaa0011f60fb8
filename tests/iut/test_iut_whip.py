"""WHIP and WHEP: what the adapter asks by HTTP, what it makes of the answers, and what it says where they are wrong."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from urllib.parse import urljoin

import pytest
from iut_tools import closing

from conformance.iut import stacks
from conformance.iut.errors import AdapterDied, RpcError
from conformance.iut.pool import Pool
from conformance.iut.process import AdapterProcess
from conformance.iut.remote import endpoint, fragment
from conformance.iut.stacks import StackError
from conformance.iut.stacks.build import built
from conformance.iut.stacks.contract import Refused
from conformance.verdict import Verdict
from conformance.wire.sdp import SessionDescription
from reports.record import read

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
MEDIA = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
OFFER = f"{HEAD}{MEDIA}a=ice-ufrag:mine\r\na=ice-pwd:myPasswordIsLongEnough\r\na=sendonly\r\n"
FULL = OFFER + (
    f"a=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\n"
)
VIDEO = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\n"
AGAIN = OFFER.replace("a=ice-ufrag:mine", "a=ice-ufrag:new1")
ANSWER = (
    f"{HEAD}{MEDIA}a=ice-ufrag:theirs\r\na=ice-pwd:theirpasswordislongenough\r\na=recvonly\r\n"
    "a=candidate:1 1 TCP 5 127.0.0.1 5000 typ host tcptype passive\r\na=end-of-candidates\r\n"
)
CANDIDATE = "candidate:1 1 TCP 5 127.0.0.1 9 typ host tcptype active"
RESTARTED = (
    f"a=ice-ufrag:next\r\na=ice-pwd:nextPasswordIsLongEnough\r\n{MEDIA.splitlines()[0]}\r\na=mid:0\r\n"
    "a=candidate:1 1 TCP 5 127.0.0.1 6000 typ host tcptype passive\r\n"
)
CREATED = (201, {"Location": "/session/1", "ETag": '"one"', "Content-Type": "application/sdp"}, ANSWER)


class Server:
    """An HTTP server that answers each method by the next of its responses and notes what it was asked."""

    def __init__(self) -> None:
        self.responses: dict[str, list[tuple[int, dict[str, str], str]]] = {"DELETE": [(200, {}, "")]}
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                server.asked.append((self.command, self.path, dict(self.headers), body))
                status, headers, text = server.responses[self.command].pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_PATCH = do_DELETE = serve

            def log_message(self, *_args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/whip/room?x=1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def session(server, monkeypatch):
    """A session of the adapter with this server, opened."""
    monkeypatch.setenv("ICETCP_WHIP_TOKEN", "secret")
    stack = stacks.resolve(f"whip:{server.url}")
    process = AdapterProcess(stack.command, stack.environment)
    with closing(process):
        process.call("hello", 10, protocol=1)
        session = process.session("s", lambda _channel, _text: None)
        session.call("open", side="answerer", components=1, media="rtp", agent="full")
        yield session


# -- names -------------------------------------------------------------------------------------------------------


def test_a_server_is_named_by_its_url(tmp_path):
    stack = stacks.resolve("whep:https://media.example:8443/whep/room?x=1")
    assert stack.command[-2:] == ["--whep", "https://media.example:8443/whep/room?x=1"]
    assert stack.host == "media.example"
    (tmp_path / "pics.json").write_text("{}")
    assert str(tmp_path / "pics.json") in stacks.resolve(f"whip:http://h/w#{tmp_path}/pics.json").command


@pytest.mark.parametrize(
    "rest", ["", "media.example", "ftp://h/w", "http://", "http://h:port/w", "/whip", "http:///whip"]
)
def test_what_is_not_a_url_is_refused(rest):
    with pytest.raises(StackError, match="is not whip:URL, as in whip:https://"):
        stacks.resolve(f"whip:{rest}")


def test_a_password_does_not_go_on_the_command_line():
    with pytest.raises(StackError, match=r"a URL with a password is refused.*ICETCP_WHIP_TOKEN"):
        stacks.resolve("whip:http://me:secret@media.example/whip")


def test_pics_that_are_not_there():
    with pytest.raises(StackError, match="there is no file nowhere"):
        stacks.resolve("whip:http://h/w#nowhere")


# -- a session ---------------------------------------------------------------------------------------------------


def test_an_offer_is_posted_and_the_session_ended(session, server):
    server.responses["POST"] = [CREATED]
    session.call("accept", type="offer", sdp=OFFER)
    assert session.call("describe", trickle=False) == {"type": "answer", "sdp": ANSWER}
    session.call("close")
    post, delete = server.asked
    assert (post[0], post[1], post[3]) == ("POST", "/whip/room?x=1", OFFER)
    assert post[2]["Content-Type"] == "application/sdp"
    assert {method[2]["Authorization"] for method in server.asked} == {"Bearer secret"}
    assert delete[:2] == ("DELETE", "/session/1")


def test_candidates_are_patched_with_the_etag(session, server):
    server.responses.update(POST=[CREATED], PATCH=[(204, {}, "")] * 2)
    session.call("accept", type="offer", sdp=OFFER)
    session.call("describe", trickle=True)
    assert session.notifications.popleft().params == {
        "session": "s",
        "candidate": "",
        "mid": "0",
    }  # it holds all of them
    session.call("trickle", candidate=CANDIDATE, mid="0")
    session.call("trickle", candidate="", mid="0")
    first, second = server.asked[1:]
    assert first[:2] == ("PATCH", "/session/1")
    assert first[2]["If-Match"] == '"one"'
    assert first[2]["Content-Type"] == "application/trickle-ice-sdpfrag"
    about = "a=ice-ufrag:mine\r\na=ice-pwd:myPasswordIsLongEnough\r\na=group:BUNDLE 0\r\n"
    section = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    assert first[3] == f"{about}{section}a={CANDIDATE}\r\n"
    assert second[3] == f"{about}{section}a=end-of-candidates\r\n"


def test_an_offer_with_new_credentials_restarts_ice(session, server):
    restarted = (200, {"ETag": '"two"', "Content-Type": fragment.MEDIA_TYPE}, RESTARTED)
    server.responses.update(POST=[CREATED], PATCH=[restarted, (204, {}, "")])
    session.call("accept", type="offer", sdp=OFFER)
    session.call("accept", type="offer", sdp=AGAIN)
    assert server.asked[1][2]["If-Match"] == "*"
    assert "If-Match" not in server.asked[0][2]
    assert "a=ice-ufrag:new1" in server.asked[1][3]
    answer = SessionDescription.parse(session.call("describe", trickle=False)["sdp"])
    media = answer.media[0]
    assert (media.ufrag, media.pwd) == ("next", "nextPasswordIsLongEnough")
    assert [candidate.port for candidate in media.candidates] == [6000]
    assert media.has("recvonly")
    session.call("trickle", candidate=CANDIDATE, mid="0")
    assert server.asked[2][2]["If-Match"] == '"two"'


def test_a_restart_says_the_terms_and_the_tagged_section_alone(session, server):
    """RFC 9725 section 4.3.3: the same ice-options and ice-pacing, and of a bundle only the section that has candidates."""
    bundled = (
        HEAD.replace("BUNDLE 0", "BUNDLE 0 1").removesuffix("\r\n") + "\r\na=ice-options:trickle\r\na=ice-pacing:50\r\n"
    )
    server.responses.update(POST=[CREATED], PATCH=[(200, {"ETag": '"two"'}, RESTARTED)])
    for offer in (OFFER, AGAIN):
        session.call("accept", type="offer", sdp=offer.replace(HEAD, bundled) + f"a={CANDIDATE}\r\n" + VIDEO)
    assert server.asked[1][3] == (
        "a=ice-options:trickle\r\na=ice-pacing:50\r\na=ice-ufrag:new1\r\na=ice-pwd:myPasswordIsLongEnough\r\n"
        f"a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na={CANDIDATE}\r\n"
    )


def test_a_server_that_does_not_restart_ice_says_so_by_422(session, server):
    server.responses.update(POST=[CREATED], PATCH=[(422, {}, "no restarts")])
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match=r"the server does not restart ICE: .*422.*no restarts") as caught:
        session.call("accept", type="offer", sdp=AGAIN)
    assert caught.value.code == -32602


def test_a_server_that_has_taken_candidates_refuses_one_by_422(session, server):
    server.responses.update(POST=[CREATED], PATCH=[(422, {}, ""), (204, {}, ""), (422, {}, "port 9?")])
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match=r"the server takes no later candidates: .*422") as caught:
        session.call("trickle", candidate=CANDIDATE, mid="0")
    assert caught.value.code == -32602
    session.call("trickle", candidate=CANDIDATE, mid="0")
    with pytest.raises(RpcError, match="port 9") as caught:
        session.call("trickle", candidate=CANDIDATE, mid="0")
    assert caught.value.code == -32010


def test_an_unknown_success_is_a_success(session, server):
    """RFC 9725 section 4.1: a status that the client does not know is read as the first of its hundred."""
    server.responses.update(POST=[CREATED], PATCH=[(207, {}, ""), (299, {}, RESTARTED)])
    session.call("accept", type="offer", sdp=OFFER)
    session.call("trickle", candidate=CANDIDATE, mid="0")
    session.call("accept", type="offer", sdp=AGAIN)
    assert "a=ice-ufrag:next" in session.call("describe", trickle=False)["sdp"]


def test_a_redirect_is_followed_with_its_body(session, server):
    moved = (307, {"Location": "/elsewhere/whip"}, "")
    server.responses["POST"] = [moved, (201, {**CREATED[1], "Location": "session"}, ANSWER)]
    session.call("accept", type="offer", sdp=OFFER)
    session.call("close")
    assert [(method, path) for method, path, _headers, _body in server.asked] == [
        ("POST", "/whip/room?x=1"),
        ("POST", "/elsewhere/whip"),
        ("DELETE", "/elsewhere/session"),  # relative to where the answer came from
    ]
    assert server.asked[1][3] == OFFER


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        ((404, {}, ""), -32603, r"was answered 404: nothing is there; is the URL right\?"),
        ((405, {}, ""), -32603, "was answered 405: it does not take this method; is the URL that of an endpoint"),
        (
            (409, {}, "one\nat a time"),
            -32603,
            r"was answered 409: it is busy with another session.*\(it says: one at a time",
        ),
        ((401, {}, ""), -32603, "was answered 401: it wants a bearer token.*ICETCP_WHIP_TOKEN"),
        ((503, {}, ""), -32603, "was answered 503: it takes no session now"),
        ((200, {}, ANSWER), -32603, "was answered 200"),
        ((201, {"Content-Type": "application/sdp"}, ANSWER), -32603, "201 without a Location: the session cannot"),
        ((201, {"Location": "/session/1"}, "x"), -32603, "201 with no Content-Type, not application/sdp"),
        ((302, {"Location": "/"}, ""), -32603, "redirected by 302, which makes a GET of it; RFC 9725 has 307"),
        ((307, {}, ""), -32603, "redirected by 307 without a Location"),
        ((422, {}, "no codec in common"), -32010, r"was answered 422 \(it says: no codec in common"),
        ((400, {}, "candidate?"), -32010, r"was answered 400 \(it says: candidate\?"),
        ((499, {}, ""), -32010, "was answered 499"),
        ((599, {}, ""), -32603, "was answered 599"),
        ((503, {"Retry-After": "30"}, ""), -32603, "it takes no session now; it asks to wait: 30"),
    ],
)
def test_what_is_wrong_with_the_answer_to_an_offer_is_said(session, server, response, code, words):
    server.responses["POST"] = [response]
    with pytest.raises(RpcError, match=words) as caught:
        session.call("accept", type="offer", sdp=OFFER)
    assert caught.value.code == code


def test_a_token_does_not_leave_tls():
    """What was meant for https does not follow a redirect, or a Location, to http."""
    with pytest.raises(Refused, match="https://h/whip points to http://h/s, which is not protected by TLS"):
        endpoint._next("https://h/whip", "http://h/s")
    assert endpoint._next("https://h/whip", "/s") == "https://h/s"
    assert endpoint._next("http://h/whip", "https://h/s") == "https://h/s"


def test_redirects_without_end_end(session, server):
    server.responses["POST"] = [(307, {"Location": "/again"}, "")] * 6
    with pytest.raises(RpcError, match=r"POST was redirected more than 5 times, at last to http://.*/again"):
        session.call("accept", type="offer", sdp=OFFER)


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        ((412, {}, ""), -32603, "was answered 412: the ETag is not that of the present ICE session"),
        ((428, {}, ""), -32603, "was answered 428: it asks for If-Match"),
        ((405, {}, ""), -32602, "the server takes no PATCH: neither later candidates nor restarts .405"),
        ((501, {}, ""), -32602, "the server takes no PATCH"),
        ((400, {}, "port 9?"), -32010, r"was answered 400 \(it says: port 9\?"),
    ],
)
def test_what_is_wrong_with_the_answer_to_a_candidate_is_said(session, server, response, code, words):
    server.responses.update(POST=[CREATED], PATCH=[response])
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match=words) as caught:
        session.call("trickle", candidate=CANDIDATE, mid="0")
    assert caught.value.code == code


def test_a_restart_that_restarts_nothing_is_said(session, server):
    server.responses.update(POST=[CREATED], PATCH=[(200, {}, ""), (204, {}, "")])
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match="200 without new ICE credentials: it restarted nothing"):
        session.call("accept", type="offer", sdp=AGAIN)
    with pytest.raises(RpcError, match="was answered 204"):
        session.call("accept", type="offer", sdp=AGAIN.replace("new1", "new2"))


def test_a_later_offer_that_restarts_nothing_is_not_for_http(session, server):
    server.responses["POST"] = [CREATED]
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match="WHIP has no later offer that does not restart ICE") as caught:
        session.call("accept", type="offer", sdp=OFFER)
    assert caught.value.code == -32602


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_the_server_has_ended_is_ended(session, server, status):
    server.responses.update(POST=[CREATED], DELETE=[(status, {}, "")])
    session.call("accept", type="offer", sdp=OFFER)
    session.call("close")


def test_a_session_that_cannot_be_ended_is_said(session, server):
    server.responses.update(POST=[CREATED], DELETE=[(405, {}, "")])
    session.call("accept", type="offer", sdp=OFFER)
    with pytest.raises(RpcError, match=r"DELETE .* was answered 405"):
        session.call("close")


def test_a_server_that_does_not_listen_is_said(session, server):
    server.stop()
    with pytest.raises(RpcError, match=r"POST .* failed: Connection refused"):
        session.call("accept", type="offer", sdp=OFFER)


def test_a_url_at_which_nothing_listens_is_said_at_once(server, tmp_path):
    server.stop()
    pool = Pool(stacks.resolve(f"whip:{server.url}"), processes=1, log_dir=tmp_path)
    words = f"WHIP: cannot connect to {re.escape(server.url)}: Connection refused; is the server up, the URL right"
    with closing(pool), pytest.raises(AdapterDied, match=words):
        pool.hello()


def test_a_server_that_does_not_start_is_said(tmp_path):
    command = [sys.executable, "-m", "conformance.iut.remote.whip", "--serve", "true"]
    stack = stacks.Stack("x", command, environment=stacks.own_environment())
    pool = Pool(stack, processes=1, log_dir=tmp_path)
    with closing(pool), pytest.raises(AdapterDied, match="WHIP: true did not say its url"):
        pool.hello()


# -- a real server -----------------------------------------------------------------------------------------------

PION = built(stacks.description("pion-whip"))
needs_pion = pytest.mark.skipif(PION is None, reason="icetcp stacks build pion-whip has not been run")


@needs_pion
def test_pions_server_keeps_http():
    """RFC 9725 sections 4.1 to 4.3: methods, preconditions, and which PATCH restarts ICE."""
    program = subprocess.Popen([str(PION)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(program.stdout.readline())["url"]

        def ask(method, where, body="", **headers):
            said = {name.replace("_", "-"): value for name, value in headers.items()}
            return endpoint.request(method, where, body, said)

        assert ask("OPTIONS", url).headers["accept-post"] == "application/sdp"
        assert (ask("GET", url).status, ask("PUT", url).status) == (204, 405)
        assert ask("POST", url, FULL, Content_Type="text/plain").status == 415
        created = ask("POST", url, FULL, Content_Type="application/sdp")
        assert created.status == 201
        session, etag = urljoin(url, created.headers["location"]), created.headers["etag"]

        def patch(text, **headers):
            return ask("PATCH", session, text, Content_Type=fragment.MEDIA_TYPE, **headers)

        one = fragment.of_candidate(FULL, CANDIDATE, "0")
        assert patch(one).status == 428
        assert patch(one, If_Match='"of-before"').status == 412
        assert (added := patch(one, If_Match=etag)).status == 204
        assert "etag" not in added.headers
        for unusable in (CANDIDATE.replace("TCP", "SCTP"), CANDIDATE.replace("127.0.0.1", "nowhere.invalid")):
            assert patch(fragment.of_candidate(FULL, unusable, "0"), If_Match=etag).status == 204
        assert patch(fragment.of_candidate(FULL, "candidate:1 1", "0"), If_Match=etag).status == 422
        restarted = patch(fragment.of_restart(FULL.replace("ufrag:mine", "ufrag:new1")), If_Match="*")
        assert (restarted.status, restarted.headers["content-type"]) == (200, fragment.MEDIA_TYPE)
        assert restarted.headers["etag"] != etag
        assert "a=group:BUNDLE 0\r\n" in restarted.text
        assert fragment.ufrag(restarted.text) != fragment.ufrag(created.text)
        assert (ask("GET", session).status, ask("DELETE", session).status, ask("DELETE", session).status) == (
            204,
            200,
            404,
        )
    finally:
        program.communicate(timeout=10)


@needs_pion
def test_a_server_of_pion_is_judged_over_http(tmp_path):
    command = [sys.executable, "-m", "conformance", "run", "--iut", "pion-whip", "--out", str(tmp_path)]
    for case in (
        "RFC6544-5.1/passive_candidate_is_offered",
        "RFC6544-7.2/request_octet_by_octet[answerer-trickled]",
        "RFC6544-7.2/connection_after_a_restart_is_accepted[answerer]",
        "RFC8839-4.4.2.1/answer_to_a_restart_has_another_password",
    ):
        command += ["--case", case]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    _, results = read(tmp_path / "record.jsonl")
    cases = [result for result in results if "/judge_" not in result.case]
    assert {result.verdict for result in cases} == {Verdict.PASS}
    log = (tmp_path / next(result.log for result in cases if "restart_is_accepted" in result.case)).read_text()
    for words in (
        "POST http://127.0.0.1:",
        "/whip: 201",
        "PATCH http://127.0.0.1:",
        ": 200",
        "DELETE http://127.0.0.1:",
    ):
        assert words in log
