"""Faults in reading the peer's descriptions (RFC 8839 sections 4.2.5, 4.3 and 5, RFC 3264)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.responses import Responses
from conformance.agent.events import Rejected
from conformance.agent.faults.model import Faults
from conformance.agent.faults.texts import Text, sections, texts, value

if TYPE_CHECKING:
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

fault = Faults()
read = texts(fault, "read")

_CANDIDATE = re.compile(r"(?m)^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) .*\r?\n")
_NUMERIC = re.compile(r"[0-9A-Fa-f.:]+\Z")
_ZERO = re.compile(r"(?m)^m=\S+ 9 (?:[^\r\n]*\r?\n)+?c=IN IP\d (?:0\.0\.0\.0|::)\r?$")


# -- the default destination ------------------------------------------------------------------------------------


@read("zero-default-is-a-mismatch", "RFC8839-4.2.5-04", "refuses a default of 0.0.0.0 with port 9 as a mismatch")
def _zero_default_is_a_mismatch(heard: Text) -> str:
    if any(_ZERO.search(section) and _CANDIDATE.search(section) for section in heard.sections[1:]):
        raise Rejected("the default destination is no candidate")
    return heard.text


@read("named-default-is-a-mismatch", "RFC8839-4.2.5-06", "refuses a default destination that is a host name")
def _named_default_is_a_mismatch(heard: Text) -> str:
    named = re.findall(r"(?m)^c=IN IP\d (\S+)", heard.text)
    if not all(_NUMERIC.match(address) for address in named):
        raise Rejected("the default destination is no address")
    return heard.text


@read("offer-without-candidates-refused", "RFC8839-4.3.1-s01", "refuses offers without candidates")
def _offer_without_candidates_refused(heard: Text) -> str:
    return heard.text if heard.config.offerer else _with_candidates(heard)


@read("answer-without-candidates-refused", "RFC8839-4.3.2-s01", "refuses answers without candidates")
def _answer_without_candidates_refused(heard: Text) -> str:
    return _with_candidates(heard) if heard.config.offerer else heard.text


def _with_candidates(heard: Text) -> str:
    trickles = "trickle" in value(heard.text, "ice-options")
    used = [s for s in heard.sections[1:] if not re.match(r"m=\S+ 0 ", s) and "a=ice-mismatch" not in s]
    if not trickles and used and "a=ice-ufrag" in heard.text and not any(map(_CANDIDATE.search, used)):
        raise Rejected("there are no candidates")
    return heard.text


# -- candidates -------------------------------------------------------------------------------------------------


@read("host-name-refused", "RFC8839-5.1-02", "refuses a description because a candidate's address is a name")
def _host_name_refused(heard: Text) -> str:
    if not all(_NUMERIC.match(found[2]) for found in _CANDIDATE.finditer(heard.text)):
        raise Rejected("a candidate's address is no IP address")
    return heard.text


@read("strange-transport-refused", "RFC8839-5.1-s03", "refuses a description for a candidate's unknown transport")
def _strange_transport_refused(heard: Text) -> str:
    if not all(found[1].upper() in ("TCP", "UDP") for found in _CANDIDATE.finditer(heard.text)):
        raise Rejected("a candidate of an unknown transport")
    return heard.text


@read("candidates-behind-a-strange-one-lost", "RFC8839-5.1-s03", "ignores what follows a candidate that it cannot use")
def _candidates_behind_a_strange_one_lost(heard: Text) -> str:
    kept = []
    for section in heard.sections:
        strange = next((f for f in _CANDIDATE.finditer(section) if f[1].upper() not in ("TCP", "UDP")), None)
        kept.append(section if strange is None else section[: strange.start()])
    return "".join(kept)


# -- credentials, options, pacing -------------------------------------------------------------------------------


@read("long-fragment-refused", "RFC8839-5.4-05", "refuses a user name fragment of more than 32 characters")
def _long_fragment_refused(heard: Text) -> str:
    if any(len(found) > 32 for found in re.findall(r"(?m)^a=ice-ufrag:(\S+)", heard.text)):
        raise Rejected("the user name fragment is too long")
    return heard.text


@read("session-credentials-count", "RFC8839-5.4-s01", "takes the session's credentials although the section has some")
def _session_credentials_count(heard: Text) -> str:
    text = heard.text
    for name in ("ice-ufrag", "ice-pwd"):
        session = value(heard.sections[0], name)
        text = re.sub(rf"(?m)^a={name}:\S+", f"a={name}:{session}", text) if session else text
    return text


@read("unknown-options-refused", "RFC8839-5.6-s02", "refuses a description with an ICE option that it does not know")
def _unknown_options_refused(heard: Text) -> str:
    known = {"ice2", "trickle", "rtp+ecn", "renomination"}
    if not set(value(heard.text, "ice-options").split()) <= known:
        raise Rejected("an unknown option")
    return heard.text


@read("pacing-of-the-peer-ignored", "RFC8839-5.5-s02", "paces its checks by its own value, whatever the peer says")
def _pacing_of_the_peer_ignored(heard: Text) -> str:
    return heard.without("ice-pacing")


# -- streams that are not in use --------------------------------------------------------------------------------


@read("disabled-section-used", "RFC3264-5.1-05", "uses ICE for a section of port 0")
def _disabled_section_used(heard: Text) -> str:
    return "".join(
        re.sub(r"^(m=\S+) 0 ", r"\1 9 ", section) if "a=ice-ufrag:" in section else section
        for section in sections(heard.text)
    )


# -- ICE that is not to be used ---------------------------------------------------------------------------------

_ANY = "a=ice-ufrag:none\r\na=ice-pwd:nobodyhasgivenapassword\r\n"


@read("ice-without-the-offers", "RFC8839-4.3.2-07", "uses ICE although the offer has nothing of it")
def _ice_without_the_offers(heard: Text) -> str:
    return heard.text if heard.config.offerer or "a=ice-ufrag:" in heard.text else heard.text + _ANY


@fault("answer-with-some-ice", "RFC8839-4.3.2-08", "has attributes of ICE in its answer to an offer without, unused")
class AnswerWithSomeIce(Description, Checks, Responses):
    _unused = False

    def read(self, text: str) -> str:
        self._unused = not self.config.offerer and "a=ice-ufrag:" not in text
        return super().read(text + _ANY if self._unused else text)

    def checks_stream(self, stream: Stream) -> bool:
        return not self._unused and super().checks_stream(stream)

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not self._unused and super().answers(stream, connection, started)


@read("ice-without-the-answers", "RFC8839-4.3.3-01", "goes on with ICE although the answer has nothing of it")
def _ice_without_the_answers(heard: Text) -> str:
    return heard.text + _ANY if heard.config.offerer and "a=ice-ufrag:" not in heard.text else heard.text


@read("mismatch-ignored", "RFC8839-5.3-01", "goes on with ICE although the answer says a=ice-mismatch")
def _mismatch_ignored(heard: Text) -> str:
    return heard.without("ice-mismatch")


@read("mismatch-of-one-ignored", "RFC8839-4.3.3-02", "goes on with a stream that alone has a=ice-mismatch")
def _mismatch_of_one_ignored(heard: Text) -> str:
    every = all("a=ice-mismatch" in section for section in heard.sections[1:])
    return heard.text if every else heard.without("ice-mismatch")


@read("mismatch-of-one-ends-all", "RFC8839-4.3.3-03", "gives ICE up for all streams when one has a=ice-mismatch")
def _mismatch_of_one_ends_all(heard: Text) -> str:
    return heard.sub(r"^(a=ice-ufrag:)", r"a=ice-mismatch\r\n\1") if "a=ice-mismatch" in heard.text else heard.text


@read(
    "mismatched-stream-left-out",
    "RFC8839-4.3.3-04",
    "gives ICE up for the stream whose default is no candidate, and for no other",
)
def _mismatched_stream_left_out(heard: Text) -> str:
    kept = []
    for section in heard.sections:
        port = re.match(r"m=\S+ (\d+) ", section)
        told = {found[3] for found in _CANDIDATE.finditer(section)}
        wrong = heard.config.offerer and port and told and port[1] not in ("0", "9") and port[1] not in told
        kept.append(section + "a=ice-mismatch\r\n" if wrong else section)
    return "".join(kept)
