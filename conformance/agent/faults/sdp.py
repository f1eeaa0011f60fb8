"""Faults in the lines of descriptions (RFC 3264, RFC 8839 sections 4 and 5, RFC 8445 sections 5 and 9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from conformance.agent.decisions.candidates import Candidates
from conformance.agent.decisions.description import Description
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from conformance.agent.candidates import Base

_OTHER_PREFERENCE = 100 << 8  # in a priority, a hundred steps of other-pref (RFC 6544 section 4.2)

fault = Faults()


@fault("full-says-lite", "RFC8839-4.2.1.4-02", "says a=ice-lite as a full agent")
class FullSaysLite(Description):
    def written(self, text: str) -> str:
        return super().written(text).replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1)


@fault("rtp-over-tls", "RFC6544-4.5-07", "offers RTP over TLS")
class RtpOverTls(Description):
    def offered(self, text: str) -> str:
        return super().offered(text).replace(" TCP/RTP/AVP ", " TCP/TLS/RTP/AVP ")


@fault("ice2-unsaid", "RFC8839-4.2.1.5-01", "leaves ice2 out of its options")
class Ice2Unsaid(Description):
    def written(self, text: str) -> str:
        return super().written(text).replace("a=ice-options:ice2 ", "a=ice-options:")


@fault("remote-candidates-at-once", "RFC8839-5.2-02", "says a=remote-candidates in its first description")
class RemoteCandidatesAtOnce(Description):
    def written(self, text: str) -> str:
        return super().written(text).replace("a=ice-ufrag:", "a=remote-candidates:1 192.0.2.1 9\r\na=ice-ufrag:")


@fault("candidates-at-session-level", "RFC8839-5.1-s02", "repeats its candidates at the session level")
class CandidatesAtSessionLevel(Description):
    def written(self, text: str) -> str:
        text = super().written(text)
        lines = "".join(line for line in text.splitlines(keepends=True) if line.startswith("a=candidate:"))
        return text.replace("m=", f"{lines}m=", 1)


@fault("host-with-related-address", "RFC8839-5.1-07", "gives host candidates a related address")
class HostWithRelatedAddress(Description):
    def written(self, text: str) -> str:
        return super().written(text).replace(" typ host", " typ host raddr 0.0.0.0 rport 9")


@fault("reflexive-without-related-address", "RFC8839-5.1-06", "leaves the related address of reflexive candidates out")
class ReflexiveWithoutRelatedAddress(Description):
    def written(self, text: str) -> str:
        return re.sub(r" typ srflx raddr \S+ rport \d+", " typ srflx", super().written(text))


@fault("reflexive-related-to-others", "RFC8839-5.1-s04", "gives reflexive candidates a related address that is no base")
class ReflexiveRelatedToOthers(Description):
    def written(self, text: str) -> str:
        return re.sub(r" typ srflx raddr \S+ rport", " typ srflx raddr 192.0.2.77 rport", super().written(text))


@fault("hidden-with-a-port", "RFC8839-5.1-08", "hides related addresses as 0.0.0.0, but not their ports")
class HiddenWithAPort(Description):
    def written(self, text: str) -> str:
        return re.sub(r" typ srflx raddr \S+ rport \d+", " typ srflx raddr 0.0.0.0 rport 4711", super().written(text))


@fault("relayed-related-to-itself", "RFC8839-5.1-s05", "gives relayed candidates their own address as the related one")
class RelayedRelatedToItself(Description):
    def written(self, text: str) -> str:
        return re.sub(r" (\S+) (\d+) typ relay raddr \S+", r" \1 \2 typ relay raddr \1", super().written(text))


@fault("named-candidates", "RFC8839-5.1-01", "states its first active candidate once more, with a host name")
class NamedCandidates(Description):
    def written(self, text: str) -> str:
        def again(active: re.Match[str]) -> str:
            named = f"a=candidate:named 1 TCP {int(active[1]) - _OTHER_PREFERENCE} agent.example 9{active[2]}"
            return f"{active[0]}{named}"

        active = r"a=candidate:\S+ 1 TCP (\d+) \S+ 9( typ host tcptype active\r\n)"
        return re.sub(active, again, super().written(text), count=1)


@fault("components-from-2", "RFC8839-5.1-03", "states the second component as the third")
class ComponentsFrom2(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(a=candidate:\S+) 2 ", r"\1 3 ", super().written(text))


@fault("priorities-shared", "RFC8445-5.1.2-01", "gives all candidates of a component the same priority")
class PrioritiesShared(Candidates):
    def host_priority(self, base: Base) -> int:
        return self.priority("host", base, 65535)


@fault("priority-of-11-digits", "RFC8839-5.1-s01", "writes priorities that no priority can be")
class PriorityOf11Digits(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(a=candidate:\S+ \d+ \w+) (\d+)", r"\1 99999999999", super().written(text))


@fault("foundation-of-its-own", "RFC8445-5.1.1.3-s01", "gives each candidate a foundation of its own")
class FoundationOfItsOwn(Description):
    def written(self, text: str) -> str:
        lines = super().written(text).splitlines(keepends=True)
        return "".join(re.sub(r"^(a=candidate:)\S+", rf"\g<1>{n}", line) for n, line in enumerate(lines))


@fault("one-foundation", "RFC8445-5.1.1.3-s02", "gives all candidates the same foundation")
class OneFoundation(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(?m)^(a=candidate:)\S+", r"\g<1>1", super().written(text))


@fault("short-password", "RFC8839-5.4-s02", "has a password of 21 characters")
class ShortPassword(Description):
    def written(self, text: str) -> str:
        return re.sub(r"a=ice-pwd:(\S{21})\S*", r"a=ice-pwd:\1", super().written(text))


@fault("long-fragment", "RFC8839-5.4-05", "has a user name fragment of more than 32 characters")
class LongFragment(Description):
    def written(self, text: str) -> str:
        return re.sub(r"a=ice-ufrag:(\S+)", lambda found: f"a=ice-ufrag:{found[1] * 33}"[:60], super().written(text))


@fault("second-stream-without-credentials", "RFC8839-5.4-01", "leaves the credentials of further streams out")
class SecondStreamWithoutCredentials(Description):
    def written(self, text: str) -> str:
        sections = re.split(r"(?<=\r\n)(?=m=)", super().written(text))
        bare = [re.sub(r"a=ice-(?:ufrag|pwd):\S+\r\n", "", section) for section in sections[2:]]
        return "".join([*sections[:2], *bare])


@fault("one-fragment-two-passwords", "RFC8839-5.4-02", "gives streams the same fragment and different passwords")
class OneFragmentTwoPasswords(Description):
    def written(self, text: str) -> str:
        text = super().written(text)
        first = re.search(r"a=ice-ufrag:(\S+)", text)
        return re.sub(r"a=ice-ufrag:\S+", first[0], text) if first else text


@fault("answers-first-section-alone", "RFC3264-6-03", "answers the first of several media sections only")
class AnswersFirstSectionAlone(Description):
    def written(self, text: str) -> str:
        return "".join(re.split(r"(?<=\r\n)(?=m=)", super().written(text))[:2])


@fault("answer-of-another-media-type", "RFC3264-6.1-02", "writes m=video whatever was offered")
class AnswerOfAnotherMediaType(Description):
    def written_answer(self, text: str) -> str:
        return re.sub(r"(?m)^m=\S+", "m=video", super().written_answer(text))


@fault("answer-of-another-protocol", "RFC8839-4.3.2-05", "writes another protocol than offered into media lines")
class AnswerOfAnotherProtocol(Description):
    def written_answer(self, text: str) -> str:
        return re.sub(r"(?m)^(m=\S+ \d+) \S+", r"\1 TCP/BFCP", super().written_answer(text))


# What an attribute said in an agent's first description, by the agent's decisions and the attribute's name.
_FIRST: WeakKeyDictionary[Description, dict[str, str]] = WeakKeyDictionary()


def _with_first(agent: Description, text: str, name: str) -> str:
    """Return the text with the value that an attribute had in the agent's first description."""
    found = re.search(rf"a={name}:(\S+)", text)
    first = _FIRST.setdefault(agent, {}).setdefault(name, found[1]) if found else ""
    return re.sub(rf"a={name}:\S+", f"a={name}:{first}", text)


@fault("restart-keeps-fragment", "RFC8445-9-03", "restarts with the user name fragment of before")
class RestartKeepsFragment(Description):
    def written(self, text: str) -> str:
        return _with_first(self, super().written(text), "ice-ufrag")


@fault("restart-offer-keeps-password", "RFC8839-4.4.1.1.1-03", "offers a restart with the password of before")
class RestartOfferKeepsPassword(Description):
    def written(self, text: str) -> str:
        text = super().written(text)
        return _with_first(self, text, "ice-pwd") if self.config.offerer else text


@fault("restart-keeps-password", "RFC8839-4.4.2.1-01", "restarts with the password of before")
class RestartKeepsPassword(Description):
    def written(self, text: str) -> str:
        return _with_first(self, super().written(text), "ice-pwd")


@fault("component-257", "RFC8445-5.1.2.1-07", "calls its second component 257")
class Component257(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(a=candidate:\S+) 2 ", r"\1 257 ", super().written(text))


@fault("foundation-of-33", "RFC8445-5.3-s01", "writes foundations of 33 characters")
class FoundationOf33(Description):
    def written(self, text: str) -> str:
        return re.sub(r"(?m)^a=candidate:(\S+)", lambda match: f"a=candidate:{match[1]:0>33}", super().written(text))


@fault("update-says-lite", "RFC8445-9-02", "says a=ice-lite in offers of later, without a restart")
class UpdateSaysLite(Description):
    def written(self, text: str) -> str:
        text = super().written(text)
        later = "a=connection:existing" in text and "a=ice-lite" not in text
        return text.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1) if later else text


@fault("lite-without-update", "RFC8445-8.2-02", "makes no updated offer as a lite agent")
class LiteWithoutUpdate(Description):
    def updates(self) -> bool:
        return not self.config.lite and super().updates()
