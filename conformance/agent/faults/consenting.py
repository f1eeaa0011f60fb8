"""Faults in keeping consent to send (RFC 7675)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.consenting import Consenting
from conformance.agent.faults.model import Faults
from conformance.agent.messages import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.messages import Outcome
    from conformance.agent.pairs import Connection

fault = Faults()


@fault("indications-beside-consent", "RFC7675-4-s01", "sends Binding indications although it checks consent")
class IndicationsBesideConsent(Checks):
    def says_alive(self) -> bool:
        return True


@fault("consent-every-5-s", "RFC7675-5.1-03", "checks consent every five seconds to the point")
class ConsentEvery5S(Consenting):
    def consent_interval(self, period: float, random: Callable[[int], bytes]) -> float:
        return period


@fault("consent-every-9-s", "RFC7675-5.1-04", "checks consent every seven to eleven seconds")
class ConsentEvery9S(Consenting):
    def consent_interval(self, period: float, random: Callable[[int], bytes]) -> float:
        return super().consent_interval(period, random) * 1.8


@fault("consent-every-second", "RFC7675-5.1-05", "checks consent about every second")
class ConsentEverySecond(Consenting):
    def consent_interval(self, period: float, random: Callable[[int], bytes]) -> float:
        return super().consent_interval(period, random) / 5


@fault("consent-not-over-tcp", "RFC7675-5.1-11", "checks no consent over TCP")
class ConsentNotOverTcp(Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return connection.is_udp


@fault("consent-rests-in-restarts", "RFC7675-5.1-10", "checks no consent while ICE restarts")
class ConsentRestsInRestarts(Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return not restarting and super().asks_consent(connection, restarting)


@fault("consent-asked-twice", "RFC7675-5.1-s02", "sends two checks of consent at a time")
class ConsentAskedTwice(Consenting):
    def asks_consent_at_once(self) -> int:
        return 2


@fault("consent-for-a-minute", "RFC7675-5.1-02", "goes on for a minute without consent")
class ConsentForAMinute(Consenting):
    def consent_lasts(self, seconds: float) -> float:
        return 2 * seconds


@fault("sends-without-consent", "RFC7675-5.1-01", "does not stop when consent ends")
class SendsWithoutConsent(Consenting):
    def stops_without_consent(self) -> bool:
        return False


@fault("consent-by-anyone", "RFC7675-5.1-s01", "takes any response for consent, whatever its integrity")
class ConsentByAnyone(Consenting):
    def renews_consent(self, outcome: Outcome, succeeded: bool) -> bool:
        return succeeded or (isinstance(outcome, CheckFailed) and "MESSAGE-INTEGRITY" in outcome.why)


@fault("revocation-ignored", "RFC7675-5.2-s01", "ignores a 403 to its checks of consent")
class RevocationIgnored(Consenting):
    def heeds_revocation(self) -> bool:
        return False


@fault("one-consent-transaction", "RFC7675-5.1-06", "gives all its checks of consent one transaction id")
class OneConsentTransaction(Checks):
    _consenting: bytes | None = None

    def check_id_of_consent(self, fresh: bytes) -> bytes:
        self._consenting = self._consenting or fresh
        return self._consenting


class _Silent(Consenting):
    """An agent that keeps the connection on which consent has ended, and sends no data there: that is lawful."""

    def closes_without_consent(self) -> bool:
        return False


@fault("late-response-renews-consent", "RFC7675-5.1-08", "takes a late response for consent when consent has ended")
class LateResponseRenewsConsent(_Silent):
    def discards_with_consent(self) -> bool:
        return False


@fault("spent-credentials-used", "RFC7675-5.1-13", "goes on with its checks of consent when consent has ended")
class SpentCredentialsUsed(_Silent):
    def spends_credentials(self) -> bool:
        return False


@fault("close-taken-for-revocation", "RFC7675-5.2-01", "takes the end of its connection for the end of consent")
class CloseTakenForRevocation(Consenting):
    def keeps_consent_when_closed(self) -> bool:
        return False
