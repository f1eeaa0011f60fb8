"""Faults in later offers and answers (RFC 8839 section 4.4, RFC 3264 section 8, RFC 4145 section 5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.decisions.media import Data
from conformance.agent.decisions.nomination import Nomination
from conformance.agent.decisions.pairing import Pairing
from conformance.agent.events import Rejected
from conformance.agent.faults.model import Faults
from conformance.agent.faults.texts import Text, sections, texts, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.candidates import Local
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

fault = Faults()
written, offered, answered = texts(fault, "written"), texts(fault, "offered"), texts(fault, "written_answer")
read = texts(fault, "read")

_PLACE = r"(?m)^(?:m=.*|c=.*)\r?$"


def _as_before(said: Text) -> str:
    """Return a later description with the m= and c= lines of the one before."""
    before = iter(re.findall(_PLACE, said.said))
    return re.sub(_PLACE, lambda found: next(before, found[0]), said.text) if said.later else said.text


# -- the default destination --------------------------------------------------------------------------------------


@written("default-never-aligned", "RFC8839-4.4.1.2.2-01", "keeps its first default destination after the nomination")
def _default_never_aligned(said: Text) -> str:
    return _as_before(said)


@offered("default-aligned-for-ice2-alone", "RFC8839-4.3.4-01", "aligns the default only for peers that say ice2")
def _default_aligned_for_ice2_alone(said: Text) -> str:
    return said.text if "ice2" in value(said.heard, "ice-options") else _as_before(said)


@offered("default-aligned-for-rfc5245-alone", "RFC8839-4.3.4-02", "aligns the default only for peers without ice2")
def _default_aligned_for_rfc5245_alone(said: Text) -> str:
    return _as_before(said) if "ice2" in value(said.heard, "ice-options") else said.text


@offered("later-default-is-no-candidate", "RFC8839-4.4.1.2.1-04", "writes the port of no candidate into later offers")
def _later_default_is_no_candidate(said: Text) -> str:
    settled = "a=remote-candidates" in said.text
    return said.sub(r"^(m=\S+) [1-9]\d*", r"\1 40123") if said.later and not settled else said.text


@offered("lite-default-stays", "RFC8839-4.4.1.3-04", "keeps its first default as a lite agent that has completed")
def _lite_default_stays(said: Text) -> str:
    moved = said.config.lite and said.later
    return said.sub(r"^c=IN IP4 \S+", "c=IN IP4 127.0.0.77") if moved else said.text


@offered("lite-default-without-candidate", "RFC8839-4.4.1.3-05", "leaves candidates out once completed as a lite agent")
def _lite_default_without_candidate(said: Text) -> str:
    return said.without("candidate") if said.config.lite and said.later else said.text


@answered("answer-keeps-its-default", "RFC8839-4.4.2-04", "answers later offers with its first default destination")
def _answer_keeps_its_default(said: Text) -> str:
    return said.sub(r"^(m=\S+) [1-9]\d*", r"\1 40123") if said.later else said.text


# -- candidates and credentials -----------------------------------------------------------------------------------


@offered("later-offer-loses-a-candidate", "RFC8839-4.4.1.2.1-01", "leaves a candidate out before the nomination")
def _later_offer_loses_a_candidate(said: Text) -> str:
    several = said.later and not said.config.lite and said.text.count("a=candidate:") > 1
    return said.sub(r"^a=candidate:.*\r\n", "", 1) if several else said.text


@offered("all-candidates-in-later-offers", "RFC8839-4.4.1.2.2-02", "states all its candidates after the nomination")
def _all_candidates_in_later_offers(said: Text) -> str:
    if not (said.later and "a=remote-candidates" in said.text):
        return said.text
    return said.without("candidate") + "".join(re.findall(r"(?m)^a=candidate:.*\r\n", said.said))


@offered("remote-candidates-forgotten", "RFC8839-4.4.1.2.2-03", "leaves a=remote-candidates out")
def _remote_candidates_forgotten(said: Text) -> str:
    return said.without("remote-candidates") if not said.config.lite else said.text


@offered("remote-candidates-are-its-own", "RFC8839-4.4.1.2.2-03", "names its own candidates in a=remote-candidates")
def _remote_candidates_are_its_own(said: Text) -> str:
    own = re.search(r"a=candidate:\S+ 1 \S+ \d+ (\S+) (\d+) ", said.text)
    return said.sub(r"^a=remote-candidates:1 \S+ \d+", f"a=remote-candidates:1 {own[1]} {own[2]}") if own else said.text


@offered("remote-candidates-of-rtp-alone", "RFC8839-5.2-01", "names the first component's remote candidate alone")
def _remote_candidates_of_rtp_alone(said: Text) -> str:
    return said.sub(r"^(a=remote-candidates:1 \S+ \d+) .*\r$", r"\1\r")


@answered("answer-with-remote-candidates", "RFC8839-4.4.2-01", "says a=remote-candidates in its answers")
def _answer_with_remote_candidates(said: Text) -> str:
    return (
        said.sub(r"^a=ice-ufrag:", "a=remote-candidates:1 192.0.2.1 9\r\na=ice-ufrag:", 1) if said.later else said.text
    )


@answered("named-candidate-missing", "RFC8839-4.4.2-05", "leaves the candidate that was named out of its answer")
def _named_candidate_missing(said: Text) -> str:
    port = (value(said.heard, "remote-candidates").split() or ["", "", "none"])[2]
    return said.sub(rf"^(a=candidate:\S+ \d+ \S+ \d+ \S+) {port} ", r"\1 40123 ") if said.later else said.text


@offered("lite-later-offer-loses-a-candidate", "RFC8839-4.4.1.3-01", "leaves a candidate out as a lite agent")
def _lite_later_offer_loses_a_candidate(said: Text) -> str:
    return said.without("candidate") if said.config.lite and said.later else said.text


@offered("lite-adds-a-candidate", "RFC8839-4.4.1.3-02", "adds a candidate without a restart as a lite agent")
def _lite_adds_a_candidate(said: Text) -> str:
    more = "a=candidate:9 1 TCP 1 127.0.0.77 4711 typ host tcptype passive\r\n"
    return said.text + more if said.config.lite and said.later else said.text


@offered("lite-restart-keeps-password", "RFC8839-4.4.1.3-03", "restarts with its old password as a lite agent")
def _lite_restart_keeps_password(said: Text) -> str:
    old = value(said.said, "ice-pwd")
    return said.sub(r"^a=ice-pwd:.*\r$", f"a=ice-pwd:{old}\r") if said.config.lite and said.restarts else said.text


@offered("restart-offer-names-remote-candidates", "RFC8839-4.4.1.1.1-s01", "says a=remote-candidates when it restarts")
def _restart_offer_names_remote_candidates(said: Text) -> str:
    return said.text + "a=remote-candidates:1 192.0.2.1 9\r\n" if said.restarts else said.text


@read("moved-credentials-restart", "RFC8839-4.4.1.1.1-04", "restarts when credentials move from session to section")
def _moved_credentials_restart(heard: Text) -> str:
    at_session = "a=ice-ufrag:" in heard.heard.partition("m=")[0]
    moved = at_session and "a=ice-ufrag:" not in heard.sections[0]
    return heard.sub(r"^(a=ice-(?:ufrag|pwd):)", r"\1x") if moved else heard.text


# -- options ------------------------------------------------------------------------------------------------------


@offered("later-offer-of-another-pace", "RFC8839-4.4.1.1.1-07", "offers another ice-pacing without a restart")
def _later_offer_of_another_pace(said: Text) -> str:
    return said.sub(r"^a=ice-pacing:.*\r$", "a=ice-pacing:100\r") if said.later else said.text


@answered("later-answer-of-other-options", "RFC8839-4.4.2.1-03", "answers with other options without a restart")
def _later_answer_of_other_options(said: Text) -> str:
    return said.sub(r"^a=ice-options:ice2.*\r$", "a=ice-options:ice2\r") if said.later else said.text


@fault("changed-options-taken", "RFC8839-4.4.2.1-04", "takes later offers that change options without a restart")
class ChangedOptionsTaken(Description):
    def refuses_new_terms(self) -> bool:
        return False


@fault("refused-offer-ends-ice", "RFC8839-4.4-s01", "ends the session when it has refused a later offer")
class RefusedOfferEndsIce(Closing):
    def ends_with_refused_offer(self) -> bool:
        return True


# -- origin and sections ------------------------------------------------------------------------------------------


@offered("version-raised-by-two", "RFC3264-8-04", "raises the version of later offers by two")
def _version_raised_by_two(said: Text) -> str:
    if not said.said:
        return said.text
    return re.sub(r"(?m)^(o=\S+ \S+) (\d+)", lambda found: f"{found[1]} {int(found[2]) + 1}", said.text)


@offered("origin-follows-default", "RFC3264-8-04", "has the address of the default destination in each o= line")
def _origin_follows_default(said: Text) -> str:
    default = re.search(r"(?m)^c=(IN IP[46] \S+)", said.text)
    return said.sub(r"^(o=\S+ \S+ \S+) .*?(\r?)$", rf"\1 {default[1]}\2") if default else said.text


@answered("version-not-raised", "RFC3264-8-05", "answers something else under the version of before")
def _version_not_raised(said: Text) -> str:
    before = re.search(r"(?m)^o=.*$", said.said)
    return said.sub(r"^o=.*$", before[0]) if before else said.text


@read("unchanged-offer-refused", "RFC3264-8-06", "refuses an offer whose version has not been raised")
def _unchanged_offer_refused(heard: Text) -> str:
    if heard.heard and re.findall(r"(?m)^o=.*$", heard.heard) == re.findall(r"(?m)^o=.*$", heard.text):
        raise Rejected("an old offer")
    return heard.text


@offered("later-offer-of-one-section", "RFC3264-8-08", "has the first section alone in later offers")
def _later_offer_of_one_section(said: Text) -> str:
    return "".join(said.sections[:2]) if said.said else said.text


# -- what follows -------------------------------------------------------------------------------------------------


@fault("update-closes-connection", "RFC4145-5.1-05", "closes the connection in an exchange that goes on with it")
class UpdateClosesConnection(Closing):
    def closes_for_update(self, connection: Connection) -> bool:
        return True


@fault("restart-checks-nothing", "RFC8839-4.4.3.1-01", "makes no checks once ICE has been restarted")
class RestartChecksNothing(Checks):
    def checks_stream(self, stream: Stream) -> bool:
        return stream.former is None and super().checks_stream(stream)


@fault("update-begins-checks-anew", "RFC8839-4.4.3.1-s01", "begins its checks anew in an exchange without a restart")
class UpdateBeginsChecksAnew(Description):
    def keeps_pair_states(self) -> bool:
        return False


@fault("later-answer-without-ice-refused", "RFC8839-4.4.3.1-06", "refuses a later answer that has no ICE any more")
class LaterAnswerWithoutIceRefused(Description):
    def takes_answer_without_ice(self, later: bool) -> bool:
        return not later and super().takes_answer_without_ice(later)


@fault("no-restart-after-fallback", "RFC8839-4.4.3.1-07", "goes on with its credentials after an answer without ICE")
class NoRestartAfterFallback(Description):
    def restarts_after_fallback(self) -> bool:
        return False


@fault("completed-begins-again", "RFC8839-4.4.3.1-05", "runs ICE again in an exchange without a restart")
class CompletedBeginsAgain(Closing):
    def stays_completed(self) -> bool:
        return False


@fault("answers-before-its-checks", "RFC8839-4.4.2-03", "answers a later offer whose checks it is still making")
class AnswersBeforeItsChecks(Description):
    def waits_for_checks(self) -> bool:
        return False


@read("unchanged-offer-restarts", "RFC3264-8-07", "restarts for an offer whose version has not been raised")
def _unchanged_offer_restarts(heard: Text) -> str:
    same = heard.heard and re.findall(r"(?m)^o=.*$", heard.heard) == re.findall(r"(?m)^o=.*$", heard.text)
    return heard.sub(r"^(a=ice-(?:ufrag|pwd):)", r"\1x") if same else heard.text


# -- streams that come and go -------------------------------------------------------------------------------------


@fault("removed-stream-goes-on", "RFC8839-4.4.3.1-02", "goes on with a stream that was removed")
class RemovedStreamGoesOn(Closing):
    def ends_removed(self, stream: Stream) -> bool:
        return False


@fault("checks-of-removed-stream-go-on", "RFC8839-4.4.3.1-03", "goes on with the checks of a stream that was removed")
class ChecksOfRemovedStreamGoOn(Closing):
    def ends_removed(self, stream: Stream) -> bool:
        return stream.completed_at is not None


@answered("removed-with-candidates", "RFC8839-4.4.1.1.2-01", "states candidates of a stream that was removed")
def _removed_with_candidates(said: Text) -> str:
    old = re.findall(r"(?m)^a=(?:candidate|ice-ufrag).*\r\n", said.said)
    return "".join(s + "".join(old) if said.said and re.match(r"m=\S+ 0 ", s) else s for s in said.sections)


@answered("added-without-candidates", "RFC8839-4.4.1.1.3-s01", "states no candidates of a stream that was added")
def _added_without_candidates(said: Text) -> str:
    found = said.sections
    if said.said and said.said.count("\nm=") < len(found) - 1:
        found[-1] = re.sub(r"(?m)^a=candidate:.*\r\n", "", found[-1])
        found[0] = found[0].replace(" trickle", "")
    return "".join(found)


@fault("added-stream-not-checked", "RFC8839-4.4.3.1-04", "makes no checks for a stream that was added")
class AddedStreamNotChecked(Description, Checks):
    _sections = 0  # of the first exchange

    def read(self, text: str) -> str:
        self._sections = self._sections or len(sections(text)) - 1
        return super().read(text)

    def checks_stream(self, stream: Stream) -> bool:
        return stream.section < self._sections and super().checks_stream(stream)


@read("rejected-stream-used", "RFC3264-6-07", "goes on with ICE for a stream that the answer has rejected")
def _rejected_stream_used(heard: Text) -> str:
    if not heard.config.offerer:
        return heard.text
    ours = "a=ice-ufrag:none\r\na=ice-pwd:nobodyhasgivenapassword\r\n"
    rejected = [bool(re.match(r"m=\S+ 0 ", section)) for section in heard.sections]
    used = [re.sub(r"^(m=\S+) 0 ", r"\1 9 ", section) + ours for section in heard.sections]
    return "".join(b if no else a for no, a, b in zip(rejected, heard.sections, used, strict=True))


@offered("removed-section-dropped", "RFC3264-8-10", "leaves the section of a removed stream out of later offers")
def _removed_section_dropped(said: Text) -> str:
    return "".join(section for section in said.sections if not re.match(r"m=\S+ 0 ", section))


# -- restarts -----------------------------------------------------------------------------------------------------


@fault("restart-checks-no-pair", "RFC8839-4.4.3.1.1-02", "checks no pair of its own once ICE has been restarted")
class RestartChecksNoPair(Pairing, Nomination):
    _restarted = False

    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        self._restarted = True
        return super().role_in_restart(controlling, ours=ours)

    def checks_from(self, mine: list[Local]) -> list[Local]:
        return [] if self._restarted else super().checks_from(mine)


@fault("restart-stops-data", "RFC8839-4.4.3.1.1-01", "sends no data from a restart to the next selection")
class RestartStopsData(Data):
    def sends_in_restart(self) -> bool:
        return self.config.lite


@fault("lite-restart-stops-data", "RFC8839-4.4.3.2-02", "sends no data in a restart as a lite agent")
class LiteRestartStopsData(Data):
    def sends_in_restart(self) -> bool:
        return not self.config.lite


@fault("lite-restart-hidden", "RFC8839-4.4.3.2-03", "stays completed in a restart as a lite agent")
class LiteRestartHidden(Closing):
    def shows_restart(self) -> bool:
        return not self.config.lite


@fault("lite-restart-selects-nothing", "RFC8839-4.4.3.2-01", "takes no nomination after a restart as a lite agent")
class LiteRestartSelectsNothing(Gathering, Nomination):
    _begun = 0

    def credentials(self, random: Callable[[int], bytes]) -> tuple[str, str]:
        self._begun += 1
        return super().credentials(random)

    def selects_unchecked(self, checks: bool) -> bool:
        return self._begun < 2 and super().selects_unchecked(checks)


@offered("lite-remote-candidates-missing", "RFC8839-4.4.1.3-06", "leaves a=remote-candidates out as a lite agent")
def _lite_remote_candidates_missing(said: Text) -> str:
    return said.without("remote-candidates") if said.config.lite else said.text


@offered("lite-remote-candidates-are-its-own", "RFC8839-4.4.1.3-06", "names its own candidate as a lite agent")
def _lite_remote_candidates_are_its_own(said: Text) -> str:
    own = re.search(r"a=candidate:\S+ 1 \S+ \d+ (\S+) (\d+) ", said.text)
    if own is None or not said.config.lite:
        return said.text
    return said.sub(r"^a=remote-candidates:1 \S+ \d+", f"a=remote-candidates:1 {own[1]} {own[2]}")


@answered("answer-in-another-order", "RFC3264-6-02", "answers sections of which one is disabled in the opposite order")
def _answer_in_another_order(said: Text) -> str:
    session, *rest = said.sections
    disabled = any(re.match(r"m=\S+ 0 ", section) for section in rest)
    return session + "".join(reversed(rest)) if disabled else said.text
