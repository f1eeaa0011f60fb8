"""Faults in connections that come and the answers to checks on them (RFC 6544 section 7.2)."""

from __future__ import annotations

from conformance.agent.faults.model import Fault

FAULTS = (
    Fault("passive-not-listening", "RFC6544-7.2-01", "states passive candidates but listens on none of them"),
    Fault("trickled-passive-not-listening", "RFC6544-7.2-01", "listens on none of the candidates that it trickles"),
    Fault("first-stream-alone-listens", "RFC6544-7.2-01", "listens for the first of several streams only"),
    Fault("so-not-listening", "RFC6544-7.2-01", "listens on none of its S-O candidates"),
    Fault("so-connection-refused", "RFC6544-7.2-02", "closes connections to its S-O candidates at once"),
    Fault("one-address-listens", "RFC6544-7.2-01", "listens on its first address only"),
    Fault("listens-after-answer", "RFC6544-7.2-01", "accepts no connection before it has the answer"),
    Fault("early-connections-dropped", "RFC6544-7.2-02", "closes the connections that came before the answer"),
    Fault("listens-once", "RFC6544-7.2-02", "stops listening after the first connection"),
    Fault(
        "broken-connection-shuts-all", "RFC6544-7.2-02", "accepts none after a connection that ended in its first check"
    ),
    Fault("second-connection-refused", "RFC6544-7.2-02", "closes a second connection to a passive candidate at once"),
    Fault("response-without-frame", "RFC6544-7.2-03", "answers on accepted connections without LENGTH"),
    Fault("framing-ends-with-selection", "RFC6544-7.2-03", "answers checks without LENGTH once the pair is selected"),
    Fault("mapped-address-wrong", "RFC6544-7.2-s01", "says a wrong port in XOR-MAPPED-ADDRESS"),
    Fault("response-without-integrity", "RFC6544-7.2-s01", "sends success responses without MESSAGE-INTEGRITY"),
    Fault("response-without-fingerprint", "RFC6544-7.2-s01", "sends success responses without FINGERPRINT"),
    Fault(
        "error-without-integrity",
        "RFC6544-7.2-s01",
        "sends error responses to authenticated requests without MESSAGE-INTEGRITY",
    ),
    Fault("password-unchecked", "RFC6544-7.2-s01", "accepts requests whatever their MESSAGE-INTEGRITY"),
    Fault("username-unchecked", "RFC6544-7.2-s01", "accepts requests whatever their USERNAME"),
    Fault("missing-integrity-answered-401", "RFC6544-7.2-s01", "answers requests without credentials with 401"),
    Fault(
        "unknown-attribute-ignored",
        "RFC6544-7.2-s01",
        "accepts requests with unknown comprehension-required attributes",
    ),
    Fault("unknown-attributes-unlisted", "RFC6544-7.2-s01", "does not name the attributes for which it answers 420"),
    Fault("role-conflict-ignored", "RFC6544-7.2-s01", "neither answers 487 nor changes its role in a role conflict"),
    Fault("no-triggered-check", "RFC6544-7.2-s01", "sends no check in return for one that it received"),
    Fault("indication-answered", "RFC6544-7.2-s01", "answers Binding indications"),
    Fault("early-check-unanswered", "RFC6544-7.2-s02", "never answers checks that come before the peer's description"),
    Fault(
        "early-check-forgotten",
        "RFC6544-7.2-s02",
        "answers early checks but does not take them up when the description is there",
    ),
    Fault(
        "peer-reflexive-ignored",
        "RFC6544-7.2-s03",
        "answers checks from unknown addresses but makes no candidate of them",
    ),
    Fault("username-prefix-enough", "RFC6544-7.2-s01", "accepts user names that only begin with its fragment"),
    Fault("unknown-attributes-first-only", "RFC6544-7.2-s01", "names one of several unknown attributes"),
    Fault("error-without-fingerprint", "RFC6544-7.2-s01", "sends error responses without FINGERPRINT"),
    Fault("lost-conflict-ignored", "RFC6544-7.2-s01", "keeps its role in a role conflict that it loses"),
    Fault("fingerprint-unchecked", "RFC6544-7.2-s01", "answers requests whatever their FINGERPRINT"),
    Fault("malformed-message-closes", "RFC6544-7.2-s01", "closes a connection on a malformed STUN message"),
    Fault("error-without-frame", "RFC6544-7.2-03", "refuses checks without LENGTH before the error response"),
    Fault("bare-message-accepted", "RFC6544-7.2-03", "takes STUN messages without LENGTH as well"),
    Fault("unknown-address-refused", "RFC6544-7.2-02", "accepts connections from the addresses of candidates only"),
    Fault("second-component-deaf", "RFC6544-7.2-01", "listens for the first component only"),
    Fault("nomination-ignored", "RFC6544-7.2-s01", "ignores USE-CANDIDATE"),
    Fault("lite-selects-unnominated", "RFC6544-7.2-s01", "selects, as a lite agent, the pair of the first check"),
    Fault("refused-check-triggers", "RFC6544-7.2-s01", "checks in return for a check that it has refused"),
    Fault("response-with-username", "RFC6544-7.2-s01", "says the request's USERNAME in success responses"),
    Fault("optional-attribute-refused", "RFC6544-7.2-s01", "answers 420 for unknown optional attributes"),
)
