"""The adapter of the reference agent: the contract's methods, and what they ask of sessions."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import ipaddress
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.agent import rpc, serverurl, variation
from conformance.agent.config import MAX_COMPONENTS, Config, Media, StreamPlan
from conformance.agent.decisions import Decisions, combine
from conformance.agent.events import (
    AgentError,
    DataReceived,
    Note,
    Rejected,
    SelectedPair,
    State,
    StateChanged,
    TrickledCandidate,
    Unsupported,
)
from conformance.agent.gatewaydialogue import PROTOCOLS
from conformance.agent.interfaces import can_bind, host_addresses
from conformance.agent.rpc import INVALID_PARAMS, REJECTED, UNABLE, RpcError
from conformance.agent.shell import Session
from conformance.agent.variation import USUAL, Variation
from conformance.agent.varied import vary
from conformance.wire.attributes import Address
from conformance.wire.natpmp import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.agent.config import IceServer
    from conformance.agent.events import Event

PROTOCOL = 1
MAX_SESSIONS = 1024
MAX_STREAMS = 8
_DESCRIPTORS = 8  # of sockets that a session may need: listening, being checked, selected
MODES = ("full", "lite")
TRANSPORTS = ("tcp", "udp")
TCPTYPES = ("active", "passive", "so")
ROLES = ("", "controlling", "controlled")


class Adapter:
    """Serves the contract, version 1, for as many sessions as are asked for."""

    def __init__(
        self, default_faults: frozenset[str] = frozenset(), *, secured: bool = False, told_role: bool = False
    ) -> None:
        self._faults = default_faults
        self._secured = secured
        self._told_role = told_role
        self._sessions: dict[str, Session] = {}
        self._observations: dict[str, Path] = {}  # by session: the file that takes what was observed
        self._methods = {
            "hello": self._hello,
            "open": self._open,
            "describe": self._describe,
            "accept": self._accept,
            "trickle": self._trickle,
            "send": self._send,
            "restart": self._restart,
            "close": self._close,
        }

    # -- what the server of the protocol asks --------------------------------------------------------------

    def knows(self, method: str) -> bool:
        """Whether there is such a method."""
        return method in self._methods

    async def call(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Serve a call. Raises `RpcError`."""
        try:
            return await self._methods[method](params)
        except Unsupported as error:
            raise RpcError(INVALID_PARAMS, str(error)) from error
        except Rejected as error:
            raise RpcError(REJECTED, str(error)) from error
        except AgentError as error:
            raise RpcError(UNABLE, str(error)) from error

    def hurry(self, session: str) -> None:
        """Stop waiting for a peer that does not read: the tester is about to close the session."""
        found = self._sessions.get(session)
        if found is not None:
            found.hurry()

    def close(self) -> None:
        """End all sessions."""
        for name, session in list(self._sessions.items()):
            self._end(name, session)

    # -- methods -------------------------------------------------------------------------------------------

    async def _hello(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params.get("protocol") != PROTOCOL:
            raise RpcError(INVALID_PARAMS, f"only protocol {PROTOCOL} is spoken here")
        said = pics(secured=self._secured, told_role=self._told_role)
        return {"name": "icetcp reference agent", "version": _version(), "pics": said}

    async def _open(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name = params.get("session")
        if not isinstance(name, str) or not name:
            raise RpcError(INVALID_PARAMS, "session is no name")
        if name in self._sessions:
            raise RpcError(INVALID_PARAMS, f"session {name!r} is open already")
        if len(self._sessions) >= max_sessions():
            raise RpcError(UNABLE, f"{max_sessions()} sessions are open")
        varied, observation = _variation(params), params.get("x-observe")
        config = configure(params, varied, secured=self._secured, told_role=self._told_role)
        decisions = vary(_decisions(self._faults | _faults(params)), varied)
        if observation is not None:
            decisions = _observed(decisions)
            self._observations[name] = Path(_text(params, "x-observe"))
        self._sessions[name] = Session(config, self._reporter(name), decisions, delay=varied.delay)
        rpc.notify("state", {"session": name, "state": State.NEW})
        return {}

    async def _describe(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        session = self._session(params)
        trickle = params.get("trickle", False)
        if not isinstance(trickle, bool):
            raise RpcError(INVALID_PARAMS, "trickle is neither true nor false")
        kind, sdp = await session.describe(trickle=trickle)
        return {"type": kind, "sdp": sdp}

    async def _accept(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self._session(params).accept(_text(params, "type"), _text(params, "sdp"))
        return {}

    async def _trickle(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        mid = _text(params, "mid") if params.get("mid") is not None else ""
        self._session(params).trickle(_text(params, "candidate"), mid)
        return {}

    async def _restart(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self._session(params).restart()
        return {}

    async def _send(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        component = params.get("component", 1)
        if not isinstance(component, int) or isinstance(component, bool):
            raise RpcError(INVALID_PARAMS, "component is no number")
        try:
            octets = base64.b64decode(_text(params, "data"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RpcError(INVALID_PARAMS, f"data is no base64: {error}") from error
        stream = params.get("stream", 0)
        if not isinstance(stream, int) or isinstance(stream, bool):
            raise RpcError(INVALID_PARAMS, "stream is no number")
        await self._session(params).send(component, octets, stream)
        return {}

    async def _close(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self._end(_text(params, "session"), self._session(params))
        return {}

    def _end(self, name: str, session: Session) -> None:
        session.close()
        del self._sessions[name]
        observation = self._observations.pop(name, None)
        if observation is not None:
            _write(observation, session.agent.decisions)

    def _session(self, params: Mapping[str, Any]) -> Session:
        session = self._sessions.get(_text(params, "session"))
        if session is None:
            raise RpcError(INVALID_PARAMS, f"no session {params['session']!r} is open")
        return session

    # -- notifications -------------------------------------------------------------------------------------

    @staticmethod
    def _reporter(name: str) -> Callable[[Event], None]:
        def report(event: Event) -> None:
            match event:
                case StateChanged(state):
                    rpc.notify("state", {"session": name, "state": state})
                case SelectedPair(stream, component, local, remote):
                    pair = {"component": component, "local": str(local), "remote": str(remote)}
                    more = {"stream": stream} if stream else {}
                    rpc.notify("selected", {"session": name, **pair, **more})
                case TrickledCandidate(mid, candidate):
                    rpc.notify("candidate", {"session": name, "candidate": candidate, "mid": mid})
                case DataReceived(stream, component, octets):
                    data = {"component": component, "data": base64.b64encode(octets).decode()}
                    more = {"stream": stream} if stream else {}
                    rpc.notify("data", {"session": name, **data, **more})
                case Note(text):
                    sys.stderr.write(f"{name}: {text}\n")

        return report


def pics(*, secured: bool = False, told_role: bool = False) -> dict[str, Any]:
    """Return what a case may count on; of an agent whose media goes through DTLS, or that is told its role."""
    return {
        "agent": list(MODES),
        "sides": ["offerer", "answerer"],
        "offers": list(TCPTYPES),
        "connects": list(TCPTYPES),
        "transports": list(TRANSPORTS),
        "families": [version for version, ip in ((4, "127.0.0.1"), (6, "::1")) if can_bind(ip)],
        "obeys": ["addresses", "tcptypes", "transports", *(["role"] if told_role else [])],
        "role": "adapter" if told_role else "stack",
        "components": MAX_COMPONENTS[Media.BYTES],
        "streams": MAX_STREAMS,
        "restart": True,
        "updates": True,
        "trickle": True,
        "half_trickle": True,
        "ice2": True,
        "consent": True,
        "tcp_srflx": True,
        "tcp_relay": True,
        "nat_assisted": True,
        "port_mapping": list(PROTOCOLS),
        "sdp": "full",
        "profile": "webrtc" if secured else "plain",
        "payload": "dtls" if secured else "raw",
        "reports": ["state", "selected", "data"],
        "sessions": max_sessions(),
    }


def max_sessions() -> int:
    """Return how many sessions the process may hold, as far as its open files go."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_SESSIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_SESSIONS, soft // _DESCRIPTORS))


def configure(
    params: Mapping[str, Any], varied: Variation = USUAL, *, secured: bool = False, told_role: bool = False
) -> Config:
    """Return what `open`'s params ask for, its times varied. Raises `RpcError` for what this agent does not do."""
    side = params.get("side")
    if side not in ("offerer", "answerer"):
        raise RpcError(INVALID_PARAMS, "side is neither offerer nor answerer")
    mode = params.get("agent", "full")
    if mode not in MODES:
        raise RpcError(INVALID_PARAMS, f"agent is neither {' nor '.join(MODES)}")
    media = params.get("media", "rtp" if secured else "bytes")
    if media not in tuple(Media):
        raise RpcError(INVALID_PARAMS, "media is neither rtp nor bytes")
    if secured and media != Media.RTP:
        raise RpcError(INVALID_PARAMS, "through DTLS this agent's media is rtp only")
    components = params.get("components", 1)
    most = MAX_COMPONENTS[Media(media)]
    if not isinstance(components, int) or isinstance(components, bool) or not 1 <= components <= most:
        raise RpcError(INVALID_PARAMS, f"components of {media} are from 1 to {most}")
    transports = _words(params, "transports", ["tcp"])
    udp = "udp" in transports and Media(media) is Media.RTP
    tcptypes = frozenset(_words(params, "tcptypes", list(TCPTYPES))) & frozenset(TCPTYPES)
    if "tcp" not in transports:
        tcptypes = frozenset()
    elif not tcptypes:
        raise RpcError(INVALID_PARAMS, f"this agent's tcptypes are {', '.join(TCPTYPES)}")
    if not (tcptypes or udp):
        raise RpcError(INVALID_PARAMS, f"this agent's transports are {' and '.join(TRANSPORTS)}, of {media} tcp alone")
    return Config(
        offerer=side == "offerer",
        streams=tuple(StreamPlan(Media(media), components, str(n)) for n in range(_streams(params))),
        addresses=_addresses(params),
        tcptypes=tcptypes,
        udp=udp,
        lite=mode == "lite",
        role=_role(params) if told_role else "",
        secured=secured,
        servers=_servers(params),
        gateways=_gateways(params),
        pacing=varied.pacing,
        settling=varied.settling,
        decision=max(varied.settling, varied.decision),
        grace=varied.grace,
    )


def _role(params: Mapping[str, Any]) -> str:
    role = params.get("role", "")
    if role not in ROLES:
        raise RpcError(INVALID_PARAMS, "role is neither controlling nor controlled")
    return str(role)


def _streams(params: Mapping[str, Any]) -> int:
    """Return how many media sections an offer shall have; an answer has as many as the offer."""
    streams = params.get("streams", 1)
    if not isinstance(streams, int) or isinstance(streams, bool) or not 1 <= streams <= MAX_STREAMS:
        raise RpcError(INVALID_PARAMS, f"streams are from 1 to {MAX_STREAMS}")
    return streams


@functools.lru_cache(maxsize=256)
def _usual_text(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _addresses(params: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = _words(params, "addresses", [])
    if not wanted:
        return tuple(host_addresses())
    try:
        addresses = tuple(dict.fromkeys(map(_usual_text, wanted)))
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"addresses: {error}") from error
    foreign = [ip for ip in addresses if not can_bind(ip)]
    if foreign:
        raise RpcError(INVALID_PARAMS, f"not addresses of this host: {', '.join(foreign)}")
    return addresses


def _servers(params: Mapping[str, Any]) -> tuple[IceServer, ...]:
    entries = params.get("ice_servers") or []
    if not isinstance(entries, list):
        raise RpcError(INVALID_PARAMS, "ice_servers is no list")
    try:
        return tuple(map(serverurl.read, entries))
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"ice_servers: {error}") from error


def _gateways(params: Mapping[str, Any]) -> tuple[Address, ...]:
    """Return the NATs that may be asked for mappings, each an address and a port."""
    entries = params.get("gateways") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RpcError(INVALID_PARAMS, "gateways is no list of objects")
    try:
        found = [Address(str(ipaddress.ip_address(entry["address"])), entry.get("port", PORT)) for entry in entries]
    except (KeyError, ValueError) as error:
        raise RpcError(INVALID_PARAMS, f"gateways: {error}") from error
    for gateway in found:
        if not isinstance(gateway.port, int) or isinstance(gateway.port, bool) or not 0 < gateway.port < 65536:
            raise RpcError(INVALID_PARAMS, f"gateways: {gateway.port!r} is no port")
    return tuple(found)


def _faults(params: Mapping[str, Any]) -> frozenset[str]:
    wanted = frozenset(_words(params, "x-faults", []))
    if not wanted:
        return wanted
    from conformance.agent import faults

    unknown = sorted(wanted - faults.BY_NAME.keys())
    if unknown:
        raise RpcError(INVALID_PARAMS, f"no such faults: {', '.join(unknown)}")
    return wanted


def _decisions(wanted: frozenset[str]) -> type[Decisions]:
    """Return the decisions of an agent with these faults. The healthy one does not wait for their import."""
    if not wanted:
        return combine(())
    from conformance.agent import faults

    return faults.decisions(wanted)


def _write(path: Path, decisions: Decisions) -> None:
    """Add a line that says which faults would have made a difference to an observed session."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(getattr(decisions, "observation", None)) + "\n")


def _observed(decisions: type[Decisions]) -> type[Decisions]:
    if decisions is not Decisions:
        raise RpcError(INVALID_PARAMS, "x-observe is for an agent without faults and variations")
    from conformance.agent.faults.observation import Observed

    Observed.clock = staticmethod(time.monotonic)
    return Observed


def _variation(params: Mapping[str, Any]) -> Variation:
    try:
        return variation.read(params.get("x-variation"))
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"x-variation: {error}") from error


def _words(params: Mapping[str, Any], name: str, default: list[str]) -> list[str]:
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise RpcError(INVALID_PARAMS, f"{name} is no list of words")
    return value


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str):
        raise RpcError(INVALID_PARAMS, f"{name} is no text")
    return value


def _version() -> str:
    """Return icetcp's version by the folder of its metadata: to import `importlib.metadata` takes longer than this."""
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for path in Path(folder).iterdir():
                if path.suffix == ".dist-info" and path.name.startswith("icetcp-"):
                    return path.stem.removeprefix("icetcp-")
    return "0"
