"""Hypothesis strategies: cases and their parts, for properties in process, and for Hypothesis' own shrinking.

The fast generator makes volume; these make examples that Hypothesis can explore and make small.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from fuzz.generate import Generator
from fuzz.mutate import MUTATORS, TYPES
from fuzz.player.render import Env, message, refusal, request, success

_PICS = {"offers": ["passive", "active"], "connects": ["passive", "active"], "components": 2, "restart": True}
_VALUES = st.one_of(
    st.binary(max_size=80).map(bytes.hex),
    st.builds("{}*{}".format, st.sampled_from(["00", "41", "ff"]), st.integers(0, 2000)),
    st.sampled_from(["$user", "$priority", "$tie", "$integrity", "$integrity:wrong", "$sha256", "$fingerprint"]),
)
_LENGTHS = st.integers(0, 0xFFFF)


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    """Attributes of any type and value, some with a wrong length or padding."""
    kinds = st.one_of(st.sampled_from(TYPES), st.integers(0, 0xFFFF))
    more = {"length": _LENGTHS, "padding": st.binary(max_size=7).map(bytes.hex)}
    return st.fixed_dictionaries({"type": kinds, "value": _VALUES}, optional=more)


def free_messages() -> st.SearchStrategy[dict[str, Any]]:
    """Messages of any header and any attributes."""
    patches = st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4).map(bytes.hex)), max_size=3)
    more = {
        "cookie": st.integers(0, 0xFFFFFFFF),
        "delta": st.integers(-24, 64),
        "tail": st.binary(max_size=9).map(bytes.hex),
        "patch": patches,
        "cut": st.integers(0, 80),
    }
    required = {"type": st.integers(0, 0x3FFF), "attributes": st.lists(attributes(), max_size=8)}
    return st.fixed_dictionaries(required, optional=more)


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """Valid messages after some of the fast generator's mutations."""
    made: dict[str, Any] = draw(st.sampled_from([request, success, lambda: refusal(487)]))()
    for mutate in draw(st.lists(st.sampled_from(MUTATORS), max_size=4)):
        mutate(Random(draw(st.integers(0, 2**32))), made)
    return made


def messages() -> st.SearchStrategy[dict[str, Any]]:
    """Messages, free or mutated."""
    return st.one_of(free_messages(), mutants())


def octets() -> st.SearchStrategy[bytes]:
    """Messages as octets, in an invented session."""
    return messages().map(lambda spec: message(spec, _env()))


def cases() -> st.SearchStrategy[dict[str, Any]]:
    """Whole cases, as campaigns play them."""
    generator = Generator(0, 0, _PICS)
    return st.integers(0, 2**31).map(lambda number: generator.case(number, generator.plan(number // 24)))


def _env() -> Env:
    env = Env("tstr", "testertestertestertester", controlling=True)
    env.learn("iutu", "iutiutiutiutiutiutiutiut")
    return env
