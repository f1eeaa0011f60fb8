"""The reference agent as a TURN client over TCP whose allocations are of UDP addresses; the arguments are the agent's."""

import sys

from conformance.agent import __main__, adapter, allocation, servers

places, pics = servers._places, adapter.pics


def udp_places(stream, server):
    return (place for place in places(stream, server) if not server.relays or place.protocol == allocation.UDP)


def udp_pics(**options):
    return pics(**options) | {"tcp_relay": False, "turn_over_tcp": True}


servers._places, adapter.pics = udp_places, udp_pics
sys.exit(__main__.main())
