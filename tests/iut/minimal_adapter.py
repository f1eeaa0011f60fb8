"""The smallest adapter: hello, open, describe, accept, close. `toy_stack` stands for the stack that you test."""

import json
import sys

import toy_stack

PICS = {
    "offers": ["passive"],  # tcptypes in its candidates
    "connects": ["passive"],  # tcptypes it acts as: this one only accepts connections
    "obeys": ["addresses"],  # of the wishes in `open`, it keeps this one
    "role": "adapter",  # the stack does not work out its role from offer and answer
    "sdp": "candidates",  # only candidates, ufrag and pwd are the stack's; the rest of the SDP is written below
    "sessions": 16,
}
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio {port} TCP/RTP/AVP 0\r\nc=IN IP4 {address}\r\n"
    "b=RS:0\r\nb=RR:0\r\na=setup:passive\r\na=connection:new\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n"
)
sessions = {}


class Refused(Exception):
    def __init__(self, code, text):
        self.error = {"code": code, "message": text}


def hello(params):
    return {"name": "toy", "version": "1.0", "pics": PICS}


def open_session(params):
    if params.get("components", 1) > 1 or params.get("ice_servers") or params.get("media") == "bytes":
        raise Refused(-32602, "one component, RTP, host candidates: that is all it does")
    addresses = params.get("addresses") or ["127.0.0.1"]
    sessions[params["session"]] = params["side"], toy_stack.Agent(addresses[0])
    return {}


def describe(params):
    side, agent = sessions[params["session"]]
    lines = [SDP.format(port=agent.port, address=agent.address, ufrag=agent.ufrag, pwd=agent.pwd)]
    lines += [f"a={candidate}\r\n" for candidate in agent.candidates]
    return {"type": "offer" if side == "offerer" else "answer", "sdp": "".join(lines)}


def accept(params):
    attributes = [line[2:] for line in params["sdp"].splitlines() if line.startswith("a=")]
    value = dict(attribute.split(":", 1) for attribute in attributes if ":" in attribute)
    candidates = [attribute for attribute in attributes if attribute.startswith("candidate:")]
    try:
        sessions[params["session"]][1].set_remote(value["ice-ufrag"], value["ice-pwd"], candidates)
    except (KeyError, ValueError) as error:
        raise Refused(-32010, f"{error}") from None  # the stack's own words: the case judges them
    return {}


def close(params):
    sessions.pop(params["session"])[1].close()
    return {}


METHODS = {"hello": hello, "open": open_session, "describe": describe, "accept": accept, "close": close}
for line in sys.stdin:
    request = json.loads(line)
    response = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        if request["method"] not in METHODS:
            raise Refused(-32601, "no such method")
        response["result"] = METHODS[request["method"]](request["params"])
    except Refused as refused:
        response["error"] = refused.error
    print(json.dumps(response), flush=True)
