"""What the IUT's application sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import Data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.iut.upper import Upper
    from conformance.peer.channel import Channel
    from conformance.peer.tester import Peer

SENDING = 0.2  # seconds between two packets of the application


def send_each(upper: Upper, packets: Iterable[bytes]) -> None:
    """Let the IUT's application send these, one after the other."""
    for packet in packets:
        upper.send(packet)


def came(upper: Upper, peer: Peer, channel: Channel, octets: bytes) -> bool:
    """Let the IUT's application send until this comes over a connection, in a frame or not; return whether it does."""
    for _ in range(round(peer.pixit.response / SENDING)):
        upper.try_to_send(octets, channel.component)
        if peer.wait_until(lambda: octets in channel.octets, SENDING):
            return True
    return False


def expect_media(upper: Upper, peer: Peer, channel: Channel, octets: bytes, *, within: float | None = None) -> None:
    """Let the IUT's application send until this packet comes over a connection; the IUT may refuse it before."""
    for _ in range(round((peer.pixit.response if within is None else within) / SENDING)):
        upper.try_to_send(octets)
        if channel.wait_for(Data(octets), within=SENDING):
            break
    channel.expect(Data(octets), within=SENDING)


def expect_media_when_ready(upper: Upper, peer: Peer, channel: Channel, octets: bytes) -> None:
    """Let the IUT's application send when the stack says that it is connected; where it never says, until it comes.

    For a body that judges by what comes over the connection whether ICE has completed.
    """
    upper.allow_for_connecting(within=peer.pixit.complete)
    within = peer.pixit.response if upper.reports_state else peer.pixit.complete
    expect_media(upper, peer, channel, octets, within=within)
