# SPDX-License-Identifier: GPL-2.0-or-later
"""The adapter of libwebrtc M152, by the PyPI package wrtc: each session is an RTCPeerConnection with audio and data."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "packages"))  # where the build has put it
import webrtc

NO_METHOD, NO_PARAMS, REJECTED, INTERNAL = -32601, -32602, -32010, -32603
METHODS = {"open", "describe", "accept", "trickle", "send", "restart", "close"}
STATES = {"new", "checking", "connected", "completed", "disconnected", "failed", "closed"}
PICS = {
    "agent": ["full"],
    "sides": ["offerer", "answerer"],
    "offers": ["active"],
    "connects": ["active"],
    "transports": ["tcp", "udp"],
    "families": [4, 6],
    "obeys": [],
    "role": "stack",
    "components": 2,
    "streams": 3,
    "restart": True,
    "updates": True,
    "trickle": True,
    "consent": True,
    "turn_over_tcp": True,
    "sdp": "full",
    "profile": "webrtc",
    "payload": "dtls",
    "reports": ["state", "data"],
    "sessions": 8,
}


class Refused(Exception):
    """An error of the contract's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def write(line: dict[str, Any]) -> None:
    """Write one line of JSON-RPC."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **line}) + "\n")
    sys.stdout.flush()


async def rejecting(call: Awaitable[Any]) -> Any:
    """Await a call that takes a description or candidate of the tester's; an exception is the stack's rejection."""
    try:
        return await call
    except Exception as error:
        raise Refused(REJECTED, f"{type(error).__name__}: {error}") from error


class Session:
    """One RTCPeerConnection. Its calls are served in order by one task."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.channel: Any = None
        self.restarting = self.trickling = False
        self.ufrag = ""

    def tell(self, method: str, **params: Any) -> None:
        """Write a notification."""
        write({"method": method, "params": {"session": self.name, **params}})

    async def open(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make the connection."""
        if params.get("media") == "bytes" or params.get("agent") == "lite":
            raise Refused(NO_PARAMS, "packets, full ICE: more is not driven")
        components, streams = params.get("components", 1), params.get("streams", 1)
        servers = [
            webrtc.RTCIceServer(urls=[s["url"]], username=s.get("username"), credential=s.get("credential"))
            for s in params.get("ice_servers") or []
        ]
        configuration = webrtc.RTCConfiguration(
            ice_servers=servers,
            bundle_policy="max-compat" if streams > 1 or components > 1 else "max-bundle",
            rtcp_mux_policy="negotiate" if components > 1 else "require",
        )
        self.connection = webrtc.RTCPeerConnection(configuration)
        self.gathered = asyncio.Event()
        self.connection.on("icecandidate", self.take_candidate)
        self.connection.on("iceconnectionstatechange", self.take_state)
        self.connection.on("datachannel", lambda event: self.take_channel(event.channel))
        if params.get("side") == "offerer":
            for _ in range(max(streams - (components == 1), 1)):
                self.connection.add_transceiver("audio")
            if components == 1:
                self.take_channel(self.connection.create_data_channel("icetcp"))
        return {}

    def take_candidate(self, event: Any) -> None:
        """Tell a candidate that trickles; none means the end."""
        found = event.candidate
        if self.trickling:
            value = "" if found is None else found.candidate
            self.tell("candidate", candidate=value, mid="0" if found is None else found.sdp_mid)
        if found is None:
            self.gathered.set()

    def take_state(self, _event: Any) -> None:
        """Tell the state, as the stack calls it."""
        state = self.connection.ice_connection_state
        name = str(getattr(state, "value", state))
        if name in STATES:
            self.tell("state", state=name)

    def take_channel(self, channel: Any) -> None:
        """Keep the data channel, and tell what comes over it."""
        self.channel = channel
        channel.binary_type = "arraybuffer"
        channel.on("message", lambda event: self.tell("data", component=1, data=encoded(event.data)))

    async def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the offer or answer."""
        self.trickling = bool(params.get("trickle"))
        self.gathered.clear()
        offering = str(getattr(self.connection.signaling_state, "value", "")) != "have-remote-offer"
        if offering:
            options = webrtc.RTCOfferOptions(ice_restart=self.restarting)
            created = await self.connection.create_offer(options)
        else:
            created = await rejecting(self.connection.create_answer())
        self.restarting = False
        await self.connection.set_local_description(created)
        begun, self.ufrag = self.ufrag, fragment_of(created.sdp)
        if not self.trickling and self.ufrag != begun:  # else nothing is gathered anew
            await self.gathered.wait()
        found = created if self.trickling else self.connection.local_description
        return {"type": "offer" if offering else "answer", "sdp": found.sdp}

    async def accept(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take the tester's description."""
        description = webrtc.RTCSessionDescriptionInit(type=params["type"], sdp=params["sdp"])
        await rejecting(self.connection.set_remote_description(description))
        return {}

    async def trickle(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take a candidate."""
        candidate = webrtc.RTCIceCandidateInit(candidate=params["candidate"], sdp_mid=params.get("mid") or "0")
        await rejecting(self.connection.add_ice_candidate(candidate))
        return {}

    async def send(self, params: dict[str, Any]) -> dict[str, Any]:
        """Send over the data channel."""
        if self.channel is None or str(getattr(self.channel.ready_state, "value", "")) != "open":
            raise Refused(INTERNAL, "the data channel is not open")
        self.channel.send(base64.b64decode(params["data"]))
        return {}

    async def restart(self, _params: dict[str, Any]) -> dict[str, Any]:
        """Make the next description an offer with new credentials."""
        self.restarting = True
        return {}

    async def close(self, _params: dict[str, Any]) -> dict[str, Any]:
        """Close the connection."""
        self.connection.close()
        return {}

    async def serve(self) -> None:
        """Serve the calls one after the other, until the session is closed or could not be opened."""
        while True:
            call = await self.calls.get()
            failed = await answered(call, getattr(self, call["method"])(call["params"]))
            if call["method"] == "close" or (call["method"] == "open" and failed):
                SESSIONS.pop(self.name, None)
                return


SESSIONS: dict[str, Session] = {}
TASKS: set[asyncio.Task[None]] = set()


def fragment_of(sdp: str) -> str:
    """Return the user name fragment of a description, which is a new one where ICE begins anew."""
    lines = (line.partition(":") for line in sdp.splitlines())
    return next((value for name, _, value in lines if name == "a=ice-ufrag"), "")


def encoded(data: str | bytes) -> str:
    """Return base64 of what came."""
    return base64.b64encode(data.encode() if isinstance(data, str) else bytes(data)).decode()


async def answered(call: dict[str, Any], result: Awaitable[dict[str, Any]]) -> bool:
    """Write the answer to a call; return whether it is an error."""
    try:
        write({"id": call["id"], "result": await result})
    except Exception as error:
        write({"id": call["id"], "error": {"code": getattr(error, "code", INTERNAL), "message": f"{error}"}})
        return True
    return False


async def hello() -> dict[str, Any]:
    """Say who this is."""
    return {"name": "libwebrtc M152 by wrtc", "version": version("wrtc"), "pics": PICS}


async def refuse(code: int, text: str) -> dict[str, Any]:
    """Refuse a call."""
    raise Refused(code, text)


async def serve(call: dict[str, Any]) -> None:
    """Answer a call, or give it to its session."""
    name = call.get("params", {}).get("session")
    if call["method"] == "hello":
        await answered(call, hello())
    elif call["method"] not in METHODS:
        await answered(call, refuse(NO_METHOD, "no such method"))
    elif call["method"] == "open":
        session = SESSIONS[name] = Session(name)
        session.calls.put_nowait(call)
        task = asyncio.create_task(session.serve())
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)
    elif name not in SESSIONS:
        await answered(call, refuse(NO_PARAMS, "no such session"))
    else:
        SESSIONS[name].calls.put_nowait(call)


async def main() -> None:
    """Serve stdin until it ends."""
    webrtc.allow_loopback()
    reader = asyncio.StreamReader(limit=1 << 21)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await serve(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
