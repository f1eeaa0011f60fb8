"""Faults in first offers and answers (RFC 8839 sections 4.2 and 4.3, RFC 3264, RFC 4145)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.agent.faults.model import Faults
from conformance.agent.faults.texts import Text, texts, value

if TYPE_CHECKING:
    from collections.abc import Sequence

fault = Faults()
written, offered, answered = texts(fault, "written"), texts(fault, "offered"), texts(fault, "written_answer")

_ICE = ("ice-ufrag", "ice-pwd", "ice-options", "ice-pacing", "candidate", "end-of-candidates")
_PORT = r"^(m=\S+) [1-9]\d*"


def _nth(said: Text, change: Sequence[tuple[str, str]], number: int) -> str:
    """Return the text with one section changed."""
    found = said.sections
    for pattern, replacement in change if number < len(found) else ():
        found[number] = re.sub(pattern, replacement, found[number], flags=re.MULTILINE)
    return "".join(found)


# -- the default destination ------------------------------------------------------------------------------------


@written("default-is-no-candidate", "RFC8839-4.2.1.2-s01", "writes the port of no candidate into the media line")
def _default_is_no_candidate(said: Text) -> str:
    return said.text if said.later else said.sub(_PORT, r"\1 40123")


@answered("passive-default-elsewhere", "RFC4145-4.1-05", "answers with a passive default where it does not listen")
def _passive_default_elsewhere(said: Text) -> str:
    return said.sub(_PORT, r"\1 40123") if value(said.text, "setup") == "passive" else said.text


@written("active-default-with-a-port", "RFC4145-4.1-03", "writes a port into the media line although it is active")
def _active_default_with_a_port(said: Text) -> str:
    passive = re.search(r"a=candidate:\S+ 1 TCP \d+ \S+ (\d+) typ host tcptype passive", said.text)
    active = value(said.text, "setup") == "active" and passive is not None and not said.later
    return said.sub(r"^(m=\S+) 9 ", rf"\1 {passive[1]} ") if active and passive is not None else said.text


@offered("offer-with-port-0", "RFC4145-4.1-04", "offers a stream that it wants with port 0")
def _offer_with_port_0(said: Text) -> str:
    return said.text if said.later else said.sub(_PORT, r"\1 0")


@answered(
    "default-of-another-transport",
    "RFC8839-4.3.2-06",
    "answers with a TCP candidate as the default of a media line of UDP",
)
def _default_of_another_transport(said: Text) -> str:
    found = re.search(r"a=candidate:\S+ 1 TCP \d+ (\S+) (\d+) typ host tcptype passive", said.text)
    if found is None or re.search(r"^m=\S+ \d+ TCP", said.text, re.MULTILINE) or "typ host\r" in said.text:
        return said.text
    ours = re.sub(r"(?m)^c=IN (IP\d) \S+", rf"c=IN \1 {found[1]}", said.text)
    return re.sub(r"(?m)^(m=\S+) 9 ", rf"\1 {found[2]} ", ours)


# -- candidates and credentials ---------------------------------------------------------------------------------


@written("no-rtcp-candidates", "RFC8839-4.2.2-01", "states no candidates for RTCP, although it has a port of its own")
def _no_rtcp_candidates(said: Text) -> str:
    return said.sub(r"^a=candidate:\S+ 2 .*\r\n", "")


@written("rtp-is-component-2", "RFC8839-5.1-04", "states RTP as component 2 and RTCP as component 1")
def _rtp_is_component_2(said: Text) -> str:
    if not re.search(r"(?m)^a=candidate:\S+ 2 ", said.text):
        return said.text
    return re.sub(r"(?m)^(a=candidate:\S+) ([12]) ", lambda found: f"{found[1]} {3 - int(found[2])} ", said.text)


@offered("offer-without-one-address", "RFC8839-4.3.1-01", "leaves the candidates of its last address out of offers")
def _offer_without_one_address(said: Text) -> str:
    return _without_last_address(said)


@answered("answer-without-one-address", "RFC8839-4.3.2-01", "leaves the candidates of its last address out of answers")
def _answer_without_one_address(said: Text) -> str:
    return _without_last_address(said)


def _without_last_address(said: Text) -> str:
    found = re.findall(r"(?m)^a=candidate:\S+ \d \S+ \d+ (\S+) ", said.text)
    if len(set(found)) < 2:
        return said.text
    return said.sub(rf"^a=candidate:\S+ \d \S+ \d+ {re.escape(found[-1])} .*\r\n", "")


@offered("offer-without-password", "RFC8839-4.3.1-02", "leaves ice-pwd out of its offers")
def _offer_without_password(said: Text) -> str:
    return said.without("ice-pwd")


@answered("answer-without-password", "RFC8839-4.3.2-02", "leaves ice-pwd out of its answers")
def _answer_without_password(said: Text) -> str:
    return said.without("ice-pwd")


@answered("inactive-without-ice", "RFC8839-4.2.1.6-01", "leaves ICE out of its answer for a stream that is inactive")
def _inactive_without_ice(said: Text) -> str:
    return said.without(*_ICE) if "a=inactive" in said.heard else said.text


@answered("disabled-with-candidates", "RFC8839-4.2.1.6-02", "states candidates in a section that is disabled")
def _disabled_with_candidates(said: Text) -> str:
    ours = re.search(r"(?m)^a=candidate:.*\r\n", said.text)
    disabled = [s + ours[0] if ours and re.match(r"m=\S+ 0 ", s) else s for s in said.sections]
    return "".join(disabled)


@written("mismatch-in-offers", "RFC8839-5.3-s02", "says a=ice-mismatch in its offers")
def _mismatch_in_offers(said: Text) -> str:
    return said.sub(r"^(a=ice-ufrag:)", r"a=ice-mismatch\r\n\1") if said.config.offerer else said.text


@written("lite-in-the-section", "RFC8839-5.3-s01", "says a=ice-lite in its media sections instead of the session")
def _lite_in_the_section(said: Text) -> str:
    if "a=ice-lite" not in said.text:
        return said.text
    return re.sub(r"(?m)^(a=ice-ufrag:)", r"a=ice-lite\r\n\1", said.without("ice-lite"))


def _further_candidate(said: Text, address: str, port: int) -> str:
    """Return the text with one more candidate in its last section: like its passive one, but worse than all hosts'."""
    like = re.search(r"(?m)^a=candidate:(\S+) 1 TCP (\d+) (\S+) \d+ typ host tcptype passive", said.sections[-1])
    if like is None or said.later:
        return said.text
    foundation = like[1] if address == like[3] else "further"
    priority = int(like[2]) - (4096 << 8)  # another other-pref (RFC 6544 section 4.2) than that of any address
    return f"{said.text}a=candidate:{foundation} 1 TCP {priority} {address} {port} typ host tcptype passive\r\n"


@written("unspecified-address-stated", "RFC8839-4.2.4-01", "states a further candidate at 0.0.0.0")
def _unspecified_address_stated(said: Text) -> str:
    return _further_candidate(said, "0.0.0.0", 40123)  # noqa: S104


@written("broadcast-address-stated", "RFC8839-4.2.4-01", "states a further candidate at 255.255.255.255")
def _broadcast_address_stated(said: Text) -> str:
    return _further_candidate(said, "255.255.255.255", 40123)


@written("port-0-stated", "RFC8839-4.2.4-01", "states a further passive candidate with port 0")
def _port_0_stated(said: Text) -> str:
    return _further_candidate(said, "127.0.0.1", 0)


# -- pacing and options -----------------------------------------------------------------------------------------


@offered("offer-without-pacing", "RFC8839-4.3.1-03", "leaves ice-pacing out of its offers")
def _offer_without_pacing(said: Text) -> str:
    return said.without("ice-pacing")


@answered("answer-without-pacing", "RFC8839-4.3.2-03", "leaves ice-pacing out of its answers")
def _answer_without_pacing(said: Text) -> str:
    return said.without("ice-pacing")


@offered("lite-offer-with-pacing", "RFC8839-4.3.1-04", "says ice-pacing in its offers as a lite agent")
def _lite_offer_with_pacing(said: Text) -> str:
    return said.sub(r"^t=0 0\r\n", "t=0 0\r\na=ice-pacing:50\r\n", 1) if said.config.lite else said.text


@answered("lite-answer-with-pacing", "RFC8839-4.3.2-04", "says ice-pacing in its answers as a lite agent")
def _lite_answer_with_pacing(said: Text) -> str:
    return said.sub(r"^t=0 0\r\n", "t=0 0\r\na=ice-pacing:50\r\n", 1) if said.config.lite else said.text


@written("pacing-in-seconds", "RFC8839-5.5-s01", "writes ice-pacing in seconds")
def _pacing_in_seconds(said: Text) -> str:
    return said.sub(r"^a=ice-pacing:.*\r$", "a=ice-pacing:0.05\r")


@written("options-in-one-word", "RFC8839-5.6-s01", "separates its ICE options by commas")
def _options_in_one_word(said: Text) -> str:
    return said.sub(r"^a=ice-options:(\S+) (\S+)", r"a=ice-options:ice2 \1,\2")


# -- sections, origin, setup and connection -----------------------------------------------------------------------


@answered("answer-with-the-offers-origin", "RFC3264-6-01", "answers with the o= line of the offer")
def _answer_with_the_offers_origin(said: Text) -> str:
    theirs = re.search(r"(?m)^o=.*$", said.heard)
    return said.sub(r"^o=.*$", theirs[0]) if theirs else said.text


@answered("disabled-section-answered", "RFC3264-8.2-02", "answers a section of port 0 with another port")
def _disabled_section_answered(said: Text) -> str:
    return said.sub(r"^(m=\S+) 0 ", r"\1 9 ")


@offered("offer-without-connection", "RFC4145-5.1-01", "leaves a=connection out of its offers")
def _offer_without_connection(said: Text) -> str:
    return said.without("connection")


@offered("first-offer-existing", "RFC4145-5.1-03", "says a=connection:existing in its first offer")
def _first_offer_existing(said: Text) -> str:
    return said.text if said.later else said.sub(r"^a=connection:new", "a=connection:existing")


@answered("answers-new-with-existing", "RFC4145-5.2-01", "answers a=connection:new with existing")
def _answers_new_with_existing(said: Text) -> str:
    new = value(said.heard, "connection") == "new"
    return said.sub(r"^a=connection:new", "a=connection:existing") if new else said.text


@answered("answers-existing-where-none-is", "RFC4145-5.2-s01", "answers a first offer's a=connection:existing alike")
def _answers_existing_where_none_is(said: Text) -> str:
    existing = value(said.heard, "connection") == "existing"
    return said.sub(r"^a=connection:new", "a=connection:existing") if existing else said.text
