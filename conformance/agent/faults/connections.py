"""Faults in restarts, media, connections and frames (RFC 6544 sections 9 to 12, RFC 4571)."""

from __future__ import annotations

from conformance.agent.faults.model import Fault

FAULTS = (
    Fault(
        "media-over-first-stream", "RFC6544-10.1-01", "sends the media of all streams over the first one's connection"
    ),
    Fault("streams-delivered-as-first", "RFC6544-10.2-01", "delivers what comes for any stream as the first one's"),
    Fault("media-not-sent", "RFC6544-10.1-01", "sends no media on the selected pair's connection"),
    Fault("media-not-delivered", "RFC6544-10.2-01", "gives no received media to the application"),
    Fault("media-without-frame", "RFC6544-10.1-02", "sends media without LENGTH before it"),
    Fault("lookalike-not-split", "RFC6544-10.1-03", "sends octets of a byte stream that look like STUN in one frame"),
    Fault("stream-portions-swapped", "RFC6544-10.1-s01", "puts the portions of a byte stream in the wrong order"),
    Fault("dtls-never-starts", "RFC6544-10.1-s02", "begins no DTLS handshake"),
    Fault("dtls-without-frame", "RFC6544-10.1-02", "sends DTLS records without LENGTH before them"),
    Fault("components-mixed-up", "RFC6544-10.2-01", "delivers what comes for any component to the first"),
    Fault("stun-delivered-as-data", "RFC6544-10.2-s01", "delivers STUN messages to the application as well"),
    Fault(
        "frame-ends-become-newlines", "RFC6544-10.2-s02", "adds an octet to the byte stream at the end of each frame"
    ),
    Fault("dtls-taken-for-media", "RFC6544-10.2-s03", "takes DTLS records for media"),
    Fault("media-taken-for-dtls", "RFC6544-10.2-s03", "takes RTP packets for DTLS records, and fails over them"),
    Fault("selected-closed", "RFC6544-11.1-01", "closes the selected connection with the others when ICE completes"),
    Fault("selected-outlives-session", "RFC6544-11.1-02", "leaves the selected connection open when the session ends"),
    Fault(
        "updated-offer-wants-new-connection",
        "RFC6544-9.1-s01",
        "says a=connection:new in an updated offer, although the selected pair has its connection",
    ),
    Fault("restart-closes-selected", "RFC6544-9.2-01", "closes the selected connections when ICE restarts"),
    Fault(
        "restart-opens-new-connection",
        "RFC6544-9.2-03",
        "opens another connection for an S-O pair that matches the existing one",
    ),
    Fault(
        "restart-ignores-existing-connection",
        "RFC6544-9.2-03",
        "sends no check on the existing connection although an S-O pair matches it",
    ),
    Fault(
        "reused-connection-closed",
        "RFC6544-9.2-03",
        "closes the existing connection, as a former one, when the restart has selected it again",
    ),
    Fault(
        "restart-begins-dtls-anew",
        "RFC6544-9.2-03",
        "begins another DTLS handshake on a connection that it uses again after a restart",
    ),
    Fault(
        "former-selected-kept",
        "RFC6544-9.2-04",
        "keeps the formerly selected connection when a restart has selected another pair",
    ),
    Fault("idle-selected-closed", "RFC6544-11.1-04", "closes a selected connection half a second after completion"),
    Fault("lost-connection-not-reopened", "RFC6544-11.1-05", "does not reopen the selected connection that it opened"),
    Fault(
        "lost-so-connection-not-reopened",
        "RFC6544-11.1-05",
        "waits for the peer to reopen the connection of a selected pair of S-O candidates",
    ),
    Fault(
        "reopened-so-not-checked-back",
        "RFC6544-11.1-09",
        "sends no check in return on a connection to its S-O candidate that the peer has reopened",
    ),
    Fault(
        "passive-side-reopens",
        "RFC6544-11.1-06",
        "connects to the peer's active candidate when the connection from there is lost",
    ),
    Fault(
        "lost-passive-not-listening",
        "RFC6544-11.1-06",
        "stops listening once the connection to its selected passive candidate is lost",
    ),
    Fault("reopened-without-check", "RFC6544-11.1-07", "sends no check on a connection that it has reopened"),
    Fault(
        "reopened-not-checked-back",
        "RFC6544-11.1-09",
        "sends no check in return on a connection that the peer has reopened",
    ),
    Fault("media-not-resumed", "RFC6544-11.1-s01", "sends no data on a reopened connection that was checked"),
    Fault(
        "media-before-check-on-reopened",
        "RFC6544-11.1-s01",
        "sends data on a connection that it has reopened before its check has succeeded",
    ),
    Fault(
        "loss-never-noticed",
        "RFC6544-11.1-10",
        "neither restarts ICE nor shows another state when the selected connection cannot be reopened",
    ),
    Fault(
        "check-after-completion-unanswered",
        "RFC6544-11.1-08",
        "ignores checks on the selected connection after ICE has completed",
    ),
    Fault("stun-connection-kept", "RFC6544-11.2-01", "keeps connections to STUN servers after completion"),
    Fault(
        "turn-connection-closed",
        "RFC6544-11.2-02",
        "closes the connection to the TURN server although a relayed candidate is selected",
    ),
    Fault(
        "turn-server-abandoned",
        "RFC6544-11.2-04",
        "asks no server again once the connection to a TURN server in use was lost",
    ),
    Fault("turn-connection-kept", "RFC6544-11.2-03", "keeps connections to TURN servers that it does not use"),
    Fault("attempts-unlimited", "RFC6544-12-03", "has any number of connection attempts to one address outstanding"),
    Fault("so-attempts-uncounted", "RFC6544-12-03", "has any number of attempts of S-O candidates outstanding"),
    Fault("media-before-validation", "RFC6544-12-s01", "sends data on a connection before any check"),
    Fault(
        "unvalidated-data-delivered",
        "RFC6544-12-s01",
        "delivers data from connections on which nobody has authenticated",
    ),
    Fault("length-includes-itself", "RFC4571-2-01", "counts LENGTH's own two octets in LENGTH"),
    Fault("length-little-endian", "RFC4571-2-s01", "writes LENGTH with its low octet first"),
    Fault("split-length-lost", "RFC4571-2-s01", "loses the first octet of a LENGTH that arrives alone"),
    Fault("unfinished-frame-lost", "RFC4571-2-s01", "loses the beginning of a frame whose end comes later"),
    Fault("paused-frame-lost", "RFC4571-2-s01", "loses the beginning of a frame that takes longer than half a second"),
    Fault(
        "coalesced-frame-lost", "RFC4571-2-s01", "loses what follows the first of several frames that arrive together"
    ),
    Fault("frame-marker", "RFC4571-2-s03", "puts an octet of constant value between its frames"),
    Fault("null-frame-closes", "RFC4571-2-s02", "closes the connection on a null frame"),
    Fault("null-frame-eats-next", "RFC4571-2-s02", "loses the frame that arrives together with a null frame before it"),
    Fault("rtp-format-named", "RFC4571-4-07", "writes an encoding's name as the format of an RTP media line"),
    Fault("rtcp-not-disclaimed", "RFC4571-4-11", "leaves b=RS:0 and b=RR:0 out although it sends no RTCP"),
    Fault("receive-limit-1500", "RFC4571-8-s01", "drops frames of more than 1,500 octets"),
    Fault("receive-limit-16k", "RFC4571-8-s01", "drops frames of more than 16,384 octets"),
    Fault("length-signed", "RFC4571-8-s01", "takes LENGTH for a signed number and drops frames from 32,768 octets"),
    Fault("media-follows-latest", "RFC6544-10.1-01", "sends media on the connection that came last"),
    Fault("media-lost-in-restart", "RFC6544-10.2-01", "gives no media to the application while ICE restarts"),
    Fault("cookie-taken-for-stun", "RFC6544-10.2-s01", "discards data that has the magic cookie in its place"),
    Fault("restart-closes-opened", "RFC6544-9.2-01", "closes selected connections that it opened when ICE restarts"),
    Fault("reopens-once", "RFC6544-11.1-05", "does not reopen a connection that it has reopened before"),
    Fault("nomination-before-own-check", "RFC6544-12-s01", "uses a nominated pair before its own check has succeeded"),
    Fault("media-length-modulo-256", "RFC4571-2-01", "writes only the lower octet of the LENGTH of data"),
    Fault("frames-padded", "RFC4571-2-s03", "pads its frames to a multiple of four octets"),
    Fault("connections-share-deframer", "RFC4571-2-s01", "puts what comes on all connections into one stream"),
    Fault("check-in-restart-unanswered", "RFC6544-11.1-08", "ignores checks on selected connections in a restart"),
    Fault("opened-connections-deaf", "RFC6544-11.1-08", "ignores checks on connections that it opened"),
)
