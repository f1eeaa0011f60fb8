"""RFC 6062: TCP allocations, the client's side."""

from __future__ import annotations

from conformance.catalogue.model import excluded
from conformance.catalogue.model import requirement as r

_SERVERS = "binds servers; an ICE agent is a client there"
_PERMISSION = "a permission; both using it and not are lawful, and nothing follows for the server"

REQUIREMENTS = (
    r("RFC6062-4.1-01", "MUST", "new connection for the allocation",
      "For a TCP allocation the client opens a new TCP or TLS connection to the server.", binds="client",
      pics="tcp_relay"),
    r("RFC6062-4.1-02", "MUST", "Allocate on it", "On this connection the client sends an Allocate.", binds="client",
      pics="tcp_relay", repeats="RFC6062-4.1-01"),
    r("RFC6062-4.1-03", "MUST", "transport 6 is asked for", "Its REQUESTED-TRANSPORT is 6, TCP.", binds="client",
      pics="tcp_relay",
      note="A UDP allocation may be asked for over TCP as well (RFC 6544, 4.1): judged of the one that yields TCP "
           "candidates."),
    r("RFC6062-4.1-04", "MUST NOT", "no attributes of datagrams",
      "It has no DONT-FRAGMENT, RESERVATION-TOKEN or EVEN-PORT.", binds="client", pics="tcp_relay"),
    r("RFC6062-4.2-01", "MUST", "Refresh on the control connection", "A Refresh is sent on the control connection.",
      binds="client", pics="tcp_relay"),
    r("RFC6062-4.3-01", "MUST", "Connect for a connection to the peer",
      "To open a connection to a peer the client sends Connect on the control connection.", binds="client",
      pics="tcp_relay offers:active"),
    r("RFC6062-4.3-02", "MUST", "Connect names the peer", "Connect has XOR-PEER-ADDRESS with the peer's address.",
      binds="client", pics="tcp_relay offers:active"),
    r("RFC6062-4.3-03", "MUST", "data connection to the same server address",
      "The data connection goes to the server address of the control connection.", binds="client",
      pics="tcp_relay offers:active"),
    r("RFC6062-4.3-04", "MUST", "data connection from another port",
      "It comes from another local transport address.", binds="client", pics="tcp_relay offers:active",
      untestable="two connections to the same address and port never come from the same one: TCP forbids it"),
    r("RFC6062-4.3-05", "MUST", "same credentials on the data connection",
      "It is authenticated like the control connection.", binds="client", pics="tcp_relay offers:active"),
    r("RFC6062-4.3-06", "MUST", "ConnectionBind on the data connection",
      "On the new connection the client sends ConnectionBind.", binds="client", pics="tcp_relay offers:active"),
    r("RFC6062-4.3-07", "MUST", "CONNECTION-ID of the Connect response",
      "ConnectionBind has the CONNECTION-ID of the Connect response.", binds="client",
      pics="tcp_relay offers:active"),
    r("RFC6062-4.3-08", "MAY+MUST", "447: ten seconds before a repetition",
      "After 447 the same peer is tried again after 10 seconds at the earliest.", binds="client",
      pics="tcp_relay offers:active"),
    r("RFC6062-4.3-10", "MUST NOT", "no two Connects for one peer at a time",
      "Connects for the same peer address are not outstanding together.", binds="client",
      pics="tcp_relay offers:active"),
    r("RFC6062-4.4-01", "MUST", "data connection for an attempt of a peer",
      "To take a connection of a peer the client opens a new connection to the same server address.",
      binds="client", pics="tcp_relay"),
    r("RFC6062-4.4-02", "MUST", "from another port",
      "It comes from another local transport address than the control connection.", binds="client",
      pics="tcp_relay",
      untestable="two connections to the same address and port never come from the same one: TCP forbids it"),
    r("RFC6062-4.4-03", "MUST", "same credentials", "It is authenticated like the control connection.",
      binds="client", pics="tcp_relay"),
    r("RFC6062-4.4-04", "MUST", "ConnectionBind on it", "On it the client sends ConnectionBind.", binds="client",
      pics="tcp_relay"),
    r("RFC6062-4.4-05", "MUST", "CONNECTION-ID of the attempt",
      "ConnectionBind has the CONNECTION-ID of the ConnectionAttempt.", binds="client", pics="tcp_relay"),
    r("RFC6062-4.5-s01", "", "data connection carries octets as they are",
      "Behind the response to ConnectionBind the data connection carries the peer's octets as they are: ICE's frames, "
      "with no further framing.", binds="client", pics="tcp_relay"),
    r("RFC6062-4.6-01", "MUST", "allocation is refreshed while data flows",
      "The allocation is refreshed for as long as its data connections are to live.", binds="client",
      pics="tcp_relay"),
    r("RFC6062-4.6-s01", "", "relayed connection ends by closing",
      "To end the connection to the peer the client closes the data connection.", binds="client",
      pics="tcp_relay"),
)  # fmt: skip

EXCLUSIONS = (
    excluded("RFC6062-4.1", "5", _PERMISSION),
    excluded("RFC6062-4.3", "9", _PERMISSION),
    excluded("RFC6062-4.6", "2", _PERMISSION),
    excluded("RFC6062-5", "all", _SERVERS),
)
