# SPDX-License-Identifier: GPL-2.0-or-later
"""The adapter of GStreamer's webrtcbin: each session is a pipeline of one webrtcbin with a data channel.

Its ICE is libnice's. ICE-TCP is on by default; if the tester asks for TCP alone, UDP is switched off in the agent.
That agent also tells the state, because webrtcbin does not reliably notify changes of its own property. Which addresses
are gathered cannot be chosen.
"""

from __future__ import annotations

import base64
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import gi

if TYPE_CHECKING:
    from conformance.iut.stacks.contract import INTERNAL, NO_PARAMS, REJECTED, Refused, Session, serve
else:  # a copy lies beside the built adapter
    from contract import INTERNAL, NO_PARAMS, REJECTED, Refused, Session, serve

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

WITHIN = 10.0  # seconds for a promise of webrtcbin's
STATES = ["disconnected", "new", "checking", "connected", "completed", "failed"]  # as libnice counts its own
PICS = {
    "agent": ["full"],
    "sides": ["offerer", "answerer"],
    "offers": ["active", "passive"],
    "connects": ["active", "passive"],
    "transports": ["tcp", "udp"],
    "families": [4, 6],
    "obeys": ["transports"],
    "role": "stack",
    "components": 1,
    "restart": False,
    "updates": True,
    "trickle": True,
    "consent": False,
    "sdp": "full",
    "profile": "webrtc",
    "payload": "dtls",
    "reports": ["state", "data"],
    "sessions": 8,
}


class Connection(Session):
    """One pipeline with its webrtcbin."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._gathered = threading.Event()
        self._channel: Any = None
        self._trickling = False
        self._handlers: list[tuple[Any, int]] = []

    def open(self, params: dict[str, Any]) -> None:
        """Make the pipeline."""
        if params.get("components", 1) > 1 or params.get("media") == "bytes" or params.get("agent") == "lite":
            raise Refused(NO_PARAMS, "one component, packets, full ICE: more is not driven")
        if params.get("ice_servers"):
            raise Refused(NO_PARAMS, "host candidates: more is not driven")
        self._pipeline = Gst.Pipeline.new(None)
        self._bin = Gst.ElementFactory.make("webrtcbin", None)
        if self._bin is None:
            raise Refused(INTERNAL, "GStreamer has no webrtcbin, or the libnice plugin is missing")
        self._bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._pipeline.add(self._bin)
        self._ice = self._bin.get_property("ice-agent")  # kept: webrtcbin loses it with our last reference
        agent = self._ice.get_property("agent")
        agent.set_property("upnp", False)
        if params.get("transports"):
            agent.set_property("ice-udp", "udp" in params["transports"])
            agent.set_property("ice-tcp", "tcp" in params["transports"])
        self._handlers = [
            (agent, agent.connect("component-state-changed", self._take_state)),
            (self._bin, self._bin.connect("on-ice-candidate", self._take_candidate)),
            (self._bin, self._bin.connect("notify::ice-gathering-state", self._take_gathering)),
        ]
        self._bin.connect("on-data-channel", lambda _bin, channel: self._take(channel))
        self._pipeline.set_state(Gst.State.PLAYING)
        if params["side"] == "offerer":
            self._take(self._bin.emit("create-data-channel", "icetcp", None))

    def _take(self, channel: Any) -> None:
        self._channel = channel
        channel.connect("on-message-data", lambda _channel, octets: self._tell_data(octets.get_data()))
        channel.connect("on-message-string", lambda _channel, text: self._tell_data(text.encode()))

    def _tell_data(self, octets: bytes) -> None:
        self.tell("data", component=1, data=base64.b64encode(octets).decode())

    def _take_state(self, _agent: Any, _stream: int, _component: int, state: int) -> None:
        if int(state) != 1:  # gathering
            self.tell("state", state=STATES[int(state)])

    def _take_candidate(self, _bin: Any, line: int, candidate: str) -> None:
        if self._trickling:
            self.tell("candidate", candidate=candidate, mid=str(line))

    def _take_gathering(self, element: Any, _property: Any) -> None:
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self._gathered.set()
            if self._trickling:
                self.tell("candidate", candidate="", mid="0")

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create the offer or answer."""
        self._trickling = bool(params.get("trickle"))
        answering = self._bin.get_property("signaling-state") == GstWebRTC.WebRTCSignalingState.HAVE_REMOTE_OFFER
        kind = "answer" if answering else "offer"
        reply = self._promise(f"create-{kind}", None)
        description = reply.get_value(kind)
        if description is None:
            raise Refused(REJECTED, f"webrtcbin creates no {kind}")
        self._promise("set-local-description", description)
        if not self._trickling:
            if not self._gathered.wait(WITHIN):
                raise Refused(INTERNAL, "webrtcbin did not finish gathering")
            description = self._bin.get_property("local-description")
        return {"type": kind, "sdp": description.sdp.as_text()}

    def accept(self, params: dict[str, Any]) -> None:
        """Give it the tester's description."""
        result, message = GstSdp.SDPMessage.new_from_text(params["sdp"])
        if result != GstSdp.SDPResult.OK:
            raise Refused(REJECTED, "GStreamer cannot parse it")
        kind = getattr(GstWebRTC.WebRTCSDPType, params["type"].upper())
        self._promise("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message))

    def trickle(self, params: dict[str, Any]) -> None:
        """Give it a candidate; an empty one tells it that there are no more."""
        self._bin.emit("add-ice-candidate", 0, params["candidate"])

    def send(self, params: dict[str, Any]) -> None:
        """Send over the data channel."""
        if self._channel is None or self._channel.get_property("ready-state") != GstWebRTC.WebRTCDataChannelState.OPEN:
            raise Refused(INTERNAL, "the data channel is not open")
        self._channel.emit("send-data", GLib.Bytes.new(base64.b64decode(params["data"])))

    def close(self, _params: dict[str, Any]) -> None:
        """End the pipeline, and let it go: what refers to it, our handlers too, would keep its sockets open."""
        self._pipeline.set_state(Gst.State.NULL)
        for each, handler in self._handlers:
            each.disconnect(handler)
        self._handlers.clear()
        self._pipeline = self._bin = self._ice = self._channel = None

    def _promise(self, signal: str, argument: Any) -> Any:
        """Emit a signal that takes a promise, and return the reply. Raises `Refused` with webrtcbin's words."""
        promise = Gst.Promise.new()
        self._bin.emit(signal, argument, promise)
        if promise.wait() != Gst.PromiseResult.REPLIED:
            raise Refused(INTERNAL, f"webrtcbin did not reply to {signal}")
        reply = promise.get_reply()
        if reply is not None and reply.has_field("error"):
            raise Refused(REJECTED, str(reply.get_value("error")))
        return reply


def main() -> None:
    """Serve stdin until it ends."""
    Gst.init(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libnice10"], capture_output=True, text=True, check=False
    )
    version = ".".join(map(str, Gst.version()[:3]))
    serve(Connection, {"name": "webrtcbin", "version": f"{version} with libnice {found.stdout}".strip(), "pics": PICS})


if __name__ == "__main__":
    main()
