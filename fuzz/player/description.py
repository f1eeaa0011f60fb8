"""Our offers and answers, and what a description of the IUT says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.player.render import Env

ADDRESS = "127.0.0.1"
ADDRESSES = (ADDRESS, "127.0.0.2")
_OUR_TCPTYPE = {"passive": "active", "active": "passive", "so": "so"}
_PREFERENCE = {"active": 6, "passive": 4, "so": 2}  # RFC 6544 section 4.2, of host candidates
_SESSION = ["v=0", "o=- 1 1 IN IP4 {address}", "s=-", "t=0 0"]
_MEDIA = {"rtp": "m=audio {port} TCP/RTP/AVP 0", "bytes": "m=application {port} TCP *"}
# What WebRTC stacks accept (profile webrtc of the adapter contract): a data channel, and an invented fingerprint.
_DATA_CHANNEL = "m=application {port} UDP/DTLS/SCTP webrtc-datachannel"
_SECURED = ["a=sctp-port:5000", "a=max-message-size:65536", f"a=fingerprint:sha-256 {':'.join(['5A'] * 32)}"]


def description(plan: dict[str, Any], offer: str, env: Env, port: int) -> str:
    """Return our answer to an offer, or our offer, with the plan's mutations."""
    ours = _OUR_TCPTYPE[plan["iut"]]
    theirs = offer.split("\r\n") if plan["side"] == "offerer" else []
    webrtc = plan.get("profile") == "webrtc"
    usual = _DATA_CHANNEL if webrtc else _MEDIA[plan["media"]]
    media = next((line for line in theirs if line.startswith("m=")), usual)
    words = media.split(" ")
    media = " ".join([words[0], "{port}", *words[2:]])
    mid = next((line for line in theirs if line.startswith("a=mid:")), "a=mid:0")
    session = [*_SESSION, f"a=group:BUNDLE {mid[6:]}"] if webrtc else _SESSION
    lines = [*session, media, "c=IN IP4 {address}"]
    lines += _SECURED if webrtc else ["b=RS:0", "b=RR:0"] if plan["media"] == "rtp" else []
    lines += ["a=ice-ufrag:{ufrag}", "a=ice-pwd:{pwd}", mid]
    lines += [f"a=setup:{'active' if theirs else 'actpass'}", *([] if webrtc else ["a=connection:new"])]
    for component in range(1, plan["components"] + 1):
        priority = (126 << 24) + (_PREFERENCE[ours] << 21) + 256 - component
        lines.append(f"a=candidate:1 {component} TCP {priority} {{address}} {{port}} typ host tcptype {ours}")
    return fill("".join(f"{line}\r\n" for line in edit(lines, plan.get("sdp", []))), env, port)


def fill(text: str, env: Env, port: int) -> str:
    """Replace names in braces by the values of this session."""
    for name, value in (("port", str(port)), ("address", ADDRESS), ("ufrag", env.ufrag), ("pwd", env.pwd)):
        text = text.replace(f"{{{name}}}", value)
    return text


def mid_of(text: str) -> str:
    """Return the mid of a description's media."""
    return next((line[6:] for line in text.split("\r\n") if line.startswith("a=mid:")), "0")


def learn(text: str) -> tuple[str, str, list[tuple[int, str, str, int]]]:
    """Return what a description of the IUT tells: ufrag, pwd, candidates (component, tcptype, address, port)."""
    found = {"ice-ufrag": "", "ice-pwd": ""}
    candidates = []
    for line in text.split("\r\n"):
        name, _, value = line[2:].partition(":")
        if name in found:
            found[name] = value
        elif name == "candidate":
            words = value.split(" ")
            if len(words) > 7 and words[2].upper() == "TCP" and "tcptype" in words:
                kind = words[words.index("tcptype") + 1]
                candidates.append((int(words[1]), kind, words[4], int(words[5])))
    return found["ice-ufrag"], found["ice-pwd"], candidates


def _key(line: str) -> str:
    """Return the type of a line, and the name of its attribute: "m=", "a=mid"."""
    return line.partition(":")[0] if line[:2] == "a=" else line[:2]


def edit(lines: list[str], operations: list[list[Any]]) -> list[str]:
    """Apply the mutations of a description: set, insert, drop, swap; places count modulo the number of lines.

    "replace" sets the first line of the same type or attribute, wherever it is.
    """
    lines = list(lines)
    for name, place, *more in operations:
        at = place % (len(lines) or 1)
        if name == "set" and lines:
            lines[at] = more[0]
        elif name == "replace":
            same = [number for number, line in enumerate(lines) if _key(line) == _key(more[0])]
            lines[same[0] if same else at] = more[0]
        elif name == "insert":
            lines.insert(at, more[0])
        elif name == "drop" and lines:
            del lines[at]
        elif name == "swap" and lines:
            other = more[0] % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
    return lines
