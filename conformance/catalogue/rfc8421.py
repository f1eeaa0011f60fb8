"""RFC 8421: priorities of agents with several addresses or two families."""

from __future__ import annotations

from conformance.catalogue.model import requirement as r

REQUIREMENTS = (
    r("RFC8421-4-s01", "", "families are mixed in the order of priority",
      "Candidates of the two families stand mixed, so that none waits for all of the other.",
      pics="families:4 families:6 obeys:addresses",
      note="The sentence advises (lower-case should). With one address of each family any order is mixed: judged with "
           "several addresses of one family."),
    r("RFC8421-4-s02", "", "IPv6 first", "Of candidates that are alike otherwise an IPv6 one comes first.",
      pics="families:4 families:6 obeys:addresses", note="The sentence advises (lower-case should).",
      untestable="RFC 8421 leaves the algorithm to the agent, and an administrator may prefer IPv4"),
    r("RFC8421-5-01", "MUST", "local preference tells equals apart",
      "Candidates of one component and type differ in their local preference.",
      pics="families:4 families:6 obeys:addresses", note="Judged over both families together."),
)  # fmt: skip
