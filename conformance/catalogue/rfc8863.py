"""RFC 8863: patiently awaiting connectivity."""

from __future__ import annotations

from conformance.catalogue.model import excluded
from conformance.catalogue.model import requirement as r

REQUIREMENTS = (
    r("RFC8863-4-01", "MUST", "PAC timer is set",
      "When ICE begins, a full agent sets a timer for the time that ICE runs at least.", binds="full",
      pics="agent:full ice2",
      note="RFC 8863 updates RFC 8445; agents of RFC 5245 may fail at once. Judged by the state that the stack reports "
           "and by whether a late check of the peer is still taken.", repeats="RFC8863-4-03"),
    r("RFC8863-4-02", "RECOMMENDED", "duration of the PAC timer",
      "The timer lasts as long as a check's transaction: 39.5 s over TCP.", binds="full", pics="agent:full ice2"),
    r("RFC8863-4-03", "MUST NOT", "no failure while the timer runs",
      "While the timer runs, no checklist fails, even with no pairs left.", binds="full", pics="agent:full ice2"),
    r("RFC8863-4-04", "MUST", "failure when the timer is over",
      "When the timer is over, a checklist without pairs left fails.", binds="full",
      pics="agent:full ice2 reports:state"),
    r("RFC8863-4-05", "SHOULD+MAY", "controlling agent waits before it nominates",
      "The controlling agent waits long enough before it nominates.", binds="controlling", pics="agent:full",
      untestable="what is long enough is left to the agent, and 4-06 lets it nominate at any time"),
    r("RFC8863-5-01", "MUST", "timer with Trickle ICE too",
      "With Trickle ICE too the timer counts, after the end of candidates as well.", binds="full",
      pics="agent:full ice2 trickle"),
)  # fmt: skip

EXCLUSIONS = (
    excluded("RFC8863-4", "6", "a permission; both using it and not are lawful"),
    excluded("RFC8863-5", "2-3", "comments on RFC 8838; what binds is said there"),
)
