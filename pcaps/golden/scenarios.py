"""The golden captures: what each shows, and which rules of the judge it breaks (none: it is lawful)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.wire.sdp import SessionDescription
from pcaps.golden import scene as s
from pcaps.golden.scene import Connection, Scene

ALL_KINDS = "active passive so"
Written = tuple[bytes, SessionDescription, SessionDescription]


@dataclass(frozen=True, slots=True)
class Golden:
    """One capture. ``breaks`` names rules; ``only``: the agents judged, all if empty; ``tshark``: whether it agrees."""

    name: str
    write: Callable[[Scene], tuple[SessionDescription, SessionDescription] | None]
    breaks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    tshark: bool = True
    make: Callable[[str], Scene] = Scene

    def written(self, number: int = 0) -> Written:
        """Return the capture and the offer and answer to it; each `number` has IP addresses of its own."""
        scene = self.make(self.name)
        scene.move(number)
        own = self.write(scene)
        return scene.octets, *(own or described(scene))


GOLDEN: dict[str, Golden] = {}


def described(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """Return the usual offer and answer: host candidates of every kind."""
    return s.described(scene.left, ALL_KINDS), s.described(scene.right, ALL_KINDS)


def golden(
    *breaks: str,
    doubts: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    tshark: bool = True,
    make: Callable[[str], Scene] = Scene,
) -> Callable[[Callable[[Scene], tuple[SessionDescription, SessionDescription] | None]], None]:
    """Make a function a golden capture that breaks these rules."""

    def register(write: Callable[[Scene], tuple[SessionDescription, SessionDescription] | None]) -> None:
        name = write.__name__.replace("_", "-")
        GOLDEN[name] = Golden(name, write, breaks, doubts, only, tshark, make)

    return register


def active(scene: Scene, port: int = 50000, *, component: int = 1) -> Connection:
    """Return a connection from the offerer's active to the answerer's passive candidate, not yet open."""
    return scene.connection(scene.left.at(port), scene.right.at(scene.right.passive + component - 1))


def validated(scene: Scene, port: int = 50000) -> Connection:
    """Return an open connection over which both sides have checked."""
    link = active(scene, port).open()
    scene.validate(link)
    return link


def selected(scene: Scene) -> Connection:
    """Return a connection that was selected."""
    link = validated(scene)
    scene.nominate(link)
    return link


def usual(scene: Scene) -> None:
    """Write a whole exchange: the offerer connects, both check, it nominates, media, the end."""
    link = selected(scene)
    scene.media(link)
    link.end(link.client)


def both(first: SessionDescription, second: SessionDescription) -> SessionDescription:
    """Return one text with the media sections of both, as a person may put them together for the judge."""
    return SessionDescription.parse(str(first) + "".join(str(line) for line in second.media[0].lines))
