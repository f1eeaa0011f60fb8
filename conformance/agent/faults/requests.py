"""Faults that are a change of what requests to servers say: declared in a line, by the modules of what is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.decisions.serving import Serving
from conformance.agent.faults.model import Faults
from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Change = Callable[[list[RawAttribute]], list[RawAttribute]]


def without(attributes: Sequence[RawAttribute], *kinds: Attribute) -> list[RawAttribute]:
    """Return attributes without those of some types."""
    return [a for a in attributes if a.type not in kinds]


def with_value(
    attributes: Sequence[RawAttribute], kind: Attribute, change: Callable[[bytes], bytes]
) -> list[RawAttribute]:
    """Return attributes with the value of one type changed."""
    return [replace(a, value=change(a.value)) if a.type == kind else a for a in attributes]


def asked(fault: Faults, name: str, requirement: str, summary: str, method: Method, change: Change) -> None:
    """Declare a fault in what the requests of a method say."""

    def request_attributes(self: Serving, of: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return change(attributes) if of == method else attributes

    fault(name, requirement, summary)(type(name, (Serving,), {"request_attributes": request_attributes}))


def login(fault: Faults, name: str, requirement: str, summary: str, change: Change, *methods: Method) -> None:
    """Declare a fault in the credentials of requests, of some methods or of all."""

    def login_attributes(self: Serving, of: Method, attributes: list[RawAttribute]) -> list[RawAttribute]:
        return change(attributes) if attributes and (of in methods or not methods) else attributes

    fault(name, requirement, summary)(type(name, (Serving,), {"login_attributes": login_attributes}))


def insisting(fault: Faults, name: str, requirement: str, code: int, method: Method = Method.ALLOCATE) -> None:
    """Declare the fault to send a request again at once that was refused with a code."""

    def insists_on(self: Serving, refused: int, of: Method) -> bool:
        return (refused, of) == (code, method)

    summary = f"sends {method.name.capitalize()} again at once after {code}"
    fault(name, requirement, summary)(type(name, (Serving,), {"insists_on": insists_on}))
