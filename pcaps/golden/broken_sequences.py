"""One violation each, in what follows what: roles, answers, and where data goes after the nomination."""

from __future__ import annotations

from conformance.wire import attributes as attr
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from pcaps.golden import scene as s
from pcaps.golden.scenarios import active, golden, selected, validated
from pcaps.golden.scene import Scene


@golden("role_changes_by_a_conflict_only")
def broken_role_taken(scene: Scene) -> None:
    """The controlled agent becomes controlling after ten seconds, and nothing told it to."""
    link = validated(scene)
    scene.wait(10 * s.SECOND)
    scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left, controlling=True))
    link.end(link.client)


@golden("control_is_taken_after_487")
def broken_controlled_after_487(scene: Scene) -> None:
    """Told by 487 that both are controlled, the agent stays so."""
    _told(scene, controlling=False)


@golden("control_is_given_up_after_487")
def broken_controlling_after_487(scene: Scene) -> None:
    """Told by 487 that both are controlling, the agent stays so."""
    _told(scene, controlling=True)


def _told(scene: Scene, *, controlling: bool) -> None:
    link = active(scene).open()
    conflict = attr.error_code(487, "Role Conflict")
    for _ in range(2):
        check = scene.check(scene.left, scene.right, controlling=controlling)
        scene.refuse(link, scene.left, scene.right, check, conflict)
        scene.wait(2 * s.SECOND)
    link.end(link.client)


@golden("checks_are_answered")
def broken_check_never_answered(scene: Scene) -> None:
    """One check of three gets no response, on a connection that lives on."""
    link = validated(scene)
    link.send(link.server, frame(scene.check(scene.right, scene.left)))
    scene.nominate(link)
    for _ in range(4):
        scene.wait(5 * s.SECOND)
        scene.media(link)
    link.end(link.client)


@golden("data_goes_over_the_selected_pair")
def broken_data_beside_the_selected_pair(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """One pair is nominated, and the data of the offerer goes on over another."""
    other = scene.connection(scene.left.at(50001), scene.right.at(scene.right.so)).open()
    scene.validate(other)
    link = selected(scene)
    scene.wait(2 * s.SECOND)
    link.send(link.server, frame(s.RTP))
    other.send(other.client, frame(s.RTP))
    scene.wait(3 * s.SECOND)
    other.end(other.client)
    link.end(link.client)
    return s.described(scene.left, "active passive"), s.described(scene.right, "passive")


@golden("nominated_pair_is_used")
def broken_nominated_pair_unchecked(scene: Scene) -> None:
    """The answerer says success to the nomination and never checks the pair, so that it cannot select it."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.nominate(link)
    for _ in range(4):
        scene.wait(5 * s.SECOND)
        link.send(link.client, frame(s.RTP))
    link.end(link.client)


@golden("nominated_pair_is_used")
def broken_nominated_again_and_again(scene: Scene) -> None:
    """The offerer nominates the pair every half second, is answered each time, and uses it for nothing else."""
    link = validated(scene)
    for _ in range(40):
        scene.nominate(link)
        scene.wait(500 * s.MILLISECOND)
    link.end(link.client)


@golden("nominated_pair_is_used", "unselected_connections_are_closed")
def broken_checks_go_on(scene: Scene) -> tuple[SessionDescription, SessionDescription]:
    """The offerer nominates a pair and goes on with its checks of another, as if nothing were selected."""
    other = scene.connection(scene.left.at(50001), scene.right.at(scene.right.so)).open()
    link = selected(scene)
    for _ in range(5):
        scene.wait(3 * s.SECOND)
        scene.transact(other, scene.left, scene.right, scene.check(scene.left, scene.right))
        link.send(link.server, frame(s.RTP))
    other.end(other.server)
    link.end(link.client)
    return s.described(scene.left, "active passive"), s.described(scene.right, "passive")


@golden("nominated_pair_is_used", "unselected_connections_are_closed")
def broken_nominated_connection_closed(scene: Scene) -> None:
    """The answerer closes the connection that was nominated, and keeps the other one."""
    other = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(other, scene.right)
    link = selected(scene)
    scene.wait(s.SECOND)
    link.end(link.server)
    for _ in range(3):
        scene.wait(5 * s.SECOND)
        scene.transact(other, scene.right, scene.left, scene.check(scene.right, scene.left))
    other.end(other.server)
