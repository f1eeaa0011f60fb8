"""What ACME's radio gateway must do in addition to the RFCs."""

from conformance.catalogue import Requirement, add

add(
    Requirement(
        id="ACME-4.2-01",
        title="responses fit into a radio block",
        text="A success response to a check has at most 128 octets, so that it fits into one block.",
        keywords=("MUST",),
    ),
    Requirement(
        id="ACME-4.3-01",
        title="short lists of candidates",
        text="A description should have no more than 20 candidates for each component.",
        keywords=("SHOULD",),
    ),
)
