"""The adapter of a WHIP or WHEP server (RFC 9725, draft-ietf-wish-whep): the tester's offer is POSTed to it.

    python -m conformance.iut.remote.whip [--whep] [--pics FILE] URL
    python -m conformance.iut.remote.whip [--whep] --serve PROGRAM...

PROGRAM is a server on this machine that ends with its stdin. Its first line on stdout is a JSON object with its url,
name, version and, where they differ from the usual ones, pics.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.iut.remote import fragment
from conformance.iut.remote.endpoint import Resource
from conformance.iut.stacks import contract
from conformance.iut.stacks.contract import INTERNAL, NO_PARAMS, Refused

# A server answers, and says all its candidates in its answer (RFC 9725 section 4.3.1).
PICS: dict[str, Any] = {
    "sides": ["answerer"],
    "offers": ["passive"],
    "connects": ["passive"],
    "transports": ["tcp", "udp"],
    "trickle": True,
    "restart": True,
    "payload": "dtls",
    "sessions": 16,
}


class Session(contract.Session):
    """One session at the server."""

    endpoint = ""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._resource: Resource | None = None
        self._offer = ""

    def open(self, params: dict[str, Any]) -> None:
        """Refuse what HTTP cannot ask of a server."""
        if params.get("side") != "answerer" or params.get("components", 1) > 1 or params.get("media") == "bytes":
            raise Refused(NO_PARAMS, "a server answers; one component, RTP")
        if params.get("agent") == "lite" or params.get("ice_servers"):
            raise Refused(NO_PARAMS, "a server cannot be told to be lite, or which ICE servers to use")

    def accept(self, params: dict[str, Any]) -> None:
        """POST an offer; a later one restarts ICE by PATCH if it has new credentials."""
        former, self._offer = self._offer, params["sdp"]
        if self._resource is None:
            self._resource = Resource(self.endpoint, self._offer)
        elif fragment.ufrag(former) != fragment.ufrag(self._offer):
            self._resource.restart(fragment.of_restart(self._offer))
        else:
            raise Refused(NO_PARAMS, "WHIP has no later offer that does not restart ICE")

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the server's answer. It holds all candidates."""
        if self._resource is None:
            raise Refused(INTERNAL, "there is no answer before an offer")
        if params.get("trickle"):
            self.tell("candidate", candidate="", mid="0")
        return {"type": "answer", "sdp": self._resource.answer}

    def trickle(self, params: dict[str, Any]) -> None:
        """PATCH a candidate."""
        if self._resource is None:
            raise Refused(INTERNAL, "there is no session before an offer")
        self._resource.add(fragment.of_candidate(self._offer, params["candidate"], params.get("mid") or "0"))

    def close(self, _params: dict[str, Any]) -> None:
        """DELETE the session."""
        if self._resource is not None:
            self._resource.delete()


def _served(command: list[str]) -> dict[str, Any]:
    """Start a server and return what it says of itself. It ends when our end of its stdin is closed, as we end."""
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout is not None
    said = json.loads(program.stdout.readline() or b"{}")
    if not isinstance(said, dict) or "url" not in said:
        raise ValueError(f"{command[0]} did not say its url")
    _KEPT.append(program)
    return said


def _look_for(url: str) -> None:
    """Raise `OSError` if nothing listens at a URL: a run would find that out case by case."""
    parts = urlsplit(url)
    where = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(where, _WITHIN).close()
    except OSError as error:
        raise OSError(f"cannot connect to {url}: {error.strerror or error}; is the server up, the URL right?") from None


_WITHIN = 5.0  # seconds to connect in: a hello has ten
_KEPT: list[subprocess.Popen[bytes]] = []  # its stdin stays open as long as we live


def main() -> int:
    """Serve the tester until stdin ends."""
    parser = argparse.ArgumentParser(prog="icetcp-whip")
    parser.add_argument("--whep", action="store_true")
    parser.add_argument("--pics")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    kind = "whep" if options.whep else "whip"
    try:
        said = _served(options.words) if options.serve else {"url": options.words[0]}
        more = json.loads(Path(options.pics).read_text(encoding="utf-8")) if options.pics else said.get("pics", {})
        pics = {**PICS, "profile": kind, **more}
        _look_for(said["url"])
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"{kind.upper()}: {error}\n")
        return 1
    Session.endpoint = said["url"]
    name = said.get("name") or f"{kind.upper()} server {Session.endpoint}"
    contract.serve(Session, {"name": name, "version": said.get("version", ""), "pics": pics})
    return 0


if __name__ == "__main__":
    sys.exit(main())
