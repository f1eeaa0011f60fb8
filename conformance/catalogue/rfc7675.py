"""RFC 7675: consent freshness."""

from __future__ import annotations

from conformance.catalogue.model import excluded
from conformance.catalogue.model import requirement as r

REQUIREMENTS = (
    r("RFC7675-4-s01", "", "no keepalives where consent is checked",
      "On a pair on which consent is checked, no Binding indications are sent.", binds="full",
      pics="agent:full consent"),
    r("RFC7675-5.1-01", "MUST NOT", "no data without consent",
      "Without the peer's consent nothing is sent but what asks for it, checks and their responses.", binds="full",
      pics="agent:full consent"),
    r("RFC7675-5.1-02", "MUST", "consent ends after 30 s",
      "30 seconds after the last valid response the agent stops sending on the 5-tuple.", binds="full",
      pics="agent:full consent"),
    r("RFC7675-5.1-03", "MUST", "intervals are random",
      "Each interval between checks of consent is drawn from 0.8 to 1.2 times the period.", binds="full",
      pics="agent:full consent"),
    r("RFC7675-5.1-04", "SHOULD", "period of 5 s", "The period is 5 seconds, so that intervals are 4 to 6 seconds.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-05", "MUST NOT", "no more often than each 4 s", "Intervals are never below 4 seconds.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-06", "MUST", "new transaction each time", "Each check of consent has a new transaction id.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-07", "SHOULD", "response is awaited by the round-trip time",
      "A response is awaited for as long as the round-trip time suggests.", binds="full", pics="agent:full consent",
      untestable="when the agent stops waiting for one request shows in nothing but the expiry of all"),
    r("RFC7675-5.1-08", "MUST", "expiry discards the transactions",
      "When consent expires, its outstanding transactions are discarded: a late response brings no consent back.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-09", "MUST NOT", "transaction ids are out of the application's reach",
      "Untrusted applications neither learn nor choose transaction ids.", binds="full",
      untestable="asks about the interface towards the application, which the adapter contract replaces"),
    r("RFC7675-5.1-10", "MUST", "consent in a restart",
      "While data goes on over the previous pair in a restart, its consent is checked.", binds="full",
      pics="agent:full consent restart"),
    r("RFC7675-5.1-11", "MUST", "consent over TCP too", "Consent is checked on all connections, TCP included.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-12", "MUST", "consent is regained before data",
      "Before data is resumed, consent is there again.", binds="full", pics="agent:full consent",
      untestable="the adapter contract cannot make an agent stop checking for consent while it sends nothing; one that "
                 "never stops has nothing to regain"),
    r("RFC7675-5.1-13", "MUST NOT", "lost consent: these credentials are spent",
      "After consent was lost, the same credentials are not used on the 5-tuple again.", binds="full",
      pics="agent:full consent"),
    r("RFC7675-5.1-s01", "", "consent by an authenticated success from the peer's address",
      "Consent comes by an authenticated success response from the peer's address, with the session's credentials.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-s02", "", "checks of consent are sent once", "A check of consent is never retransmitted.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.1-s03", "", "requests for consent carry the session's credentials",
      "A request for consent is authenticated by the same short-term credentials as the checks before.",
      binds="full", pics="agent:full consent"),
    r("RFC7675-5.2-01", "SHOULD", "closed connection is no revocation",
      "When the connection closes without authentication, the agent tries to open it again until consent expires.",
      binds="full", pics="agent:full consent connects:active",
      note="RFC 6544 section 11.1 lets the active or S-O side reopen it."),
    r("RFC7675-5.2-s01", "", "403 revokes consent",
      "An authenticated error response with code 403 ends consent at once.", binds="full", pics="agent:full consent"),
)  # fmt: skip

EXCLUSIONS = (excluded("RFC7675-6", "all", "the adapter contract says nothing of DSCP markings of data"),)
