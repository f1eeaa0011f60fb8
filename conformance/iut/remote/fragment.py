"""SDP fragments (RFC 8840 section 9): what a PATCH of WHIP carries to add candidates or to restart ICE.

Of bundled sections a fragment names the one that the offer tags (RFC 9725 section 4.3.2).

Lines are passed on as they are: what the tester writes wrongly on purpose reaches the server so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MEDIA_TYPE = "application/trickle-ice-sdpfrag"
_CREDENTIALS = ("a=ice-ufrag:", "a=ice-pwd:")
_CANDIDATES = ("a=candidate:", "a=end-of-candidates")
_OF_ICE = (*_CREDENTIALS, *_CANDIDATES)
_TERMS = ("a=ice-lite", "a=ice-options:", "a=ice-pacing:")  # the same in a restart (RFC 9725 section 4.3.3)
_BUNDLE = "a=group:BUNDLE "


def of_candidate(description: str, candidate: str, mid: str) -> str:
    """Return the fragment that adds a candidate to a section of a description; an empty one: that there are no more."""
    head, sections = _divided(description)
    chosen = [section for section in sections if f"a=mid:{mid}" in section] or sections[:1]
    said = f"a={candidate}" if candidate else "a=end-of-candidates"
    return _fragment(head, sections, [[*_named(section), said] for section in chosen])


def of_restart(description: str) -> str:
    """Return the fragment with the credentials, candidates and terms of a whole description."""
    head, sections = _divided(description)
    terms = dict.fromkeys(_beginning([*head, *(line for section in sections for line in section)], _TERMS))
    told = [[*_named(section), *_beginning(section, _CANDIDATES)] for section in _tagged(head, sections)]
    return _text(terms) + _fragment(head, sections, told)


def _tagged(head: Sequence[str], sections: Sequence[list[str]]) -> Sequence[list[str]]:
    """Return the sections that have candidates of their own: of bundled ones the first that the group names."""
    groups = [line.removeprefix(_BUNDLE).split() for line in _beginning(head, (_BUNDLE,))]
    others = {f"a=mid:{mid}" for group in groups for mid in group[1:]}
    return [section for section in sections if not others & set(section)]


def _fragment(head: Sequence[str], sections: Sequence[Sequence[str]], told: Iterable[Sequence[str]]) -> str:
    """Return a fragment with the description's credentials and groups, and what is told of its sections."""
    every = [*head, *(line for section in sections for line in section)]
    credentials = [line for name in _CREDENTIALS for line in _beginning(every, (name,))[:1]]
    about = [*credentials, *_beginning(head, ("a=group:",))]
    return _text([*about, *(line for section in told for line in section)])


def _named(section: Sequence[str]) -> list[str]:
    """Return the lines by which a section is recognised."""
    return [section[0], *_beginning(section, ("a=mid:",))]


def restarted(answer: str, fragment: str) -> str:
    """Return an answer as a restart's fragment makes it: its credentials and candidates in place of the former.

    Of bundled sections the fragment may name only one.
    """
    head, sections = _divided(answer)
    told_head, told = _divided(fragment)
    credentials = _beginning(told_head, _CREDENTIALS)
    lines = [line for line in head if not line.startswith(_OF_ICE)]
    for section in sections:
        mine = next((one for one in told if set(_beginning(one, ("a=mid:",))) & set(section)), [])
        lines += [line for line in section if not line.startswith(_OF_ICE)]
        lines += _beginning(mine, _CREDENTIALS) or credentials or _beginning(_first(told), _CREDENTIALS)
        lines += _beginning(mine, _CANDIDATES) if told else _beginning(told_head, _CANDIDATES)
    return _text(lines)


def has_credentials(fragment: str) -> bool:
    """Whether a fragment has a user name fragment and a password."""
    return all(_beginning(fragment.splitlines(), (name,)) for name in _CREDENTIALS)


def ufrag(description: str) -> str:
    """Return the first user name fragment of a description; nothing if it has none."""
    return "".join(_beginning(description.splitlines(), _CREDENTIALS[:1])[:1])


def _divided(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the lines before the first section, and those of each section."""
    head: list[str] = []
    sections: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else head).append(line)
    return head, sections


def _beginning(lines: Iterable[str], names: tuple[str, ...]) -> list[str]:
    return [line for line in lines if line.startswith(names)]


def _first(sections: Sequence[list[str]]) -> list[str]:
    return sections[0] if sections else []


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)
