"""Cases as Scapy layers, for people who read or write them.

`shown` prints what a case sends as Scapy shows it. A case by hand is a Python file that `icetcp replay` plays:

    from conformance.wire.layers import RFC4571, STUN, Fingerprint, MessageIntegrity, Priority, Username
    from fuzz.layers import Role, case, end, send

    CHECK = [Username(value="$user"), Priority(value="$priority"), Role(), MessageIntegrity(), Fingerprint()]
    CASE = case(send(RFC4571(length=9) / STUN(attributes=CHECK), on=1), end(1, "rst"), send(), state="completed")

A value that begins with $ is a symbol (fuzz/README.md), which the session replaces. MESSAGE-INTEGRITY,
MESSAGE-INTEGRITY-SHA256 and FINGERPRINT without a value are computed, and so are lengths and padding without a value.
Campaigns do not use this module.
"""

from __future__ import annotations

import json
import runpy
from typing import TYPE_CHECKING, Any

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.layers import RFC4571, STUN, RawStunAttribute, StunAttribute
from fuzz.player.outcome import PLAN
from fuzz.player.render import Env, frame, octets

if TYPE_CHECKING:
    from pathlib import Path

Case = dict[str, Any]
Step = dict[str, Any]
_COMPUTED = {0x0008: "$integrity", 0x001C: "$sha256", 0x8028: "$fingerprint"}


class CaseError(ValueError):
    """A file does not hold a case that can be played."""


class Role(RawStunAttribute):
    """ICE-CONTROLLING or ICE-CONTROLLED, whichever is ours; with our tie-breaker, unless ``value`` is given."""

    name, symbol = "role", "$role"


class OtherRole(Role):
    """The role of the IUT, claimed by us."""

    name, symbol = "other role", "$antirole"


# -- writing -----------------------------------------------------------------------------------------------------------


def case(*steps: Step, **plan: Any) -> Case:
    """Return a case: steps, and what is unusual about its session (side, iut, media, components, state, sdp)."""
    return {"class": "valid", "plan": {**PLAN, **plan}, "steps": list(steps)}


def send(*packets: Any, on: int = 0, probe: bool = True, **more: Any) -> Step:
    """Return the step that sends packets, each in a frame of its own, and a valid check behind them.

    A packet is an RFC4571 layer, the payload of one, or octets. `more`: cuts, gap, stop, component, candidate.
    """
    step: Step = {"do": "send", "on": on, "frames": [framed(packet) for packet in packets], **more}
    return {**step, "probe": True} if probe else step


def end(on: int, how: str) -> Step:
    """Return the step that ends a connection: half, rst or closed."""
    return {"do": "end", "on": on, "how": how}


def framed(packet: Any) -> dict[str, Any]:
    """Return a packet as cases write frames."""
    outer = packet if isinstance(packet, RFC4571) else None
    payload = packet.payload if outer is not None else packet
    found = {"message": message(payload)} if isinstance(payload, STUN) else {"octets": bytes(payload).hex()}
    return found if outer is None or outer.length is None else {**found, "length": int(outer.length)}


def message(packet: STUN) -> dict[str, Any]:
    """Return a STUN layer as cases write messages. Raises `CaseError` for what they cannot say."""
    if packet.payload:
        raise CaseError(
            "octets behind a STUN layer do not belong to the message; write them as a RawStunAttribute, or in a frame"
        )
    found: dict[str, Any] = {"type": packet.type, "attributes": [_attribute(one) for one in packet.attributes]}
    if bytes(packet.transaction_id).strip(b"\0"):
        found["id"] = bytes(packet.transaction_id).hex()
    if packet.cookie != MAGIC_COOKIE:
        found["cookie"] = packet.cookie
    if packet.length is not None:
        found["patch"] = [[2, int(packet.length).to_bytes(2, "big").hex()]]
    return found


def _attribute(packet: Any) -> dict[str, Any]:
    if not isinstance(packet, StunAttribute):
        raise CaseError(f"{packet!r} is not a STUN attribute; write RawStunAttribute(type=0x…, value=b'…')")
    value = bytes(packet.value) or bytes(packet.current_value(bytes(20)) if _given(packet) else b"")
    found: dict[str, Any] = {"type": int(packet.type), "value": value.hex()}
    if value.startswith(b"$"):
        found["value"] = value.decode()
    elif not value and int(packet.type) in _COMPUTED:
        found["value"] = _COMPUTED[int(packet.type)]
    if isinstance(packet, Role):
        found.update(type=packet.symbol, value=found["value"] or "$tie")
    if packet.length is not None:
        found["length"] = int(packet.length)
    if packet.padding is not None:
        found["padding"] = bytes(packet.padding).hex()
    return found


def _given(packet: StunAttribute) -> bool:
    """Whether an attribute without a value was told what to compute one from."""
    if getattr(packet, "address_given", None) is not None or getattr(packet, "key_given", None) is not None:
        raise CaseError(
            f"{packet.name} depends on the session; give it a value, or leave the value out for the right one"
        )
    return False


def read(path: Path) -> tuple[Case, str]:
    """Return the case that a file holds, and the IUT that it names. Raises `CaseError`."""
    try:
        if path.suffix == ".py":
            names = runpy.run_path(str(path))
            found, iut = names.get("CASE"), names.get("IUT", "")
        else:
            table = json.loads(path.read_text(encoding="utf-8"))
            found, iut = table.get("case"), table.get("iut", "")
    except Exception as error:  # a file written by hand may raise anything
        raise CaseError(f"{path}: {type(error).__name__}: {error}") from error
    if not isinstance(found, dict) or "steps" not in found or "plan" not in found:
        raise CaseError(f"{path}: no case; write CASE = case(send(…)), as fuzz/README.md has it")
    return {"class": "valid", **found}, str(iut)


# -- reading -----------------------------------------------------------------------------------------------------------


def shown(case: Case) -> str:
    """Return the steps of a case, with its frames as Scapy shows them, in an invented session."""
    env = Env("tstr", "testertestertestertester", case["plan"]["side"] == "answerer")
    env.learn("iutu", "iutiutiutiutiutiutiutiut")
    lines = ["session: " + ", ".join(f"{name} {value}" for name, value in case["plan"].items())]
    for number, step in enumerate(case["steps"], 1):
        told = {name: value for name, value in step.items() if name not in ("do", "frames", "frame", "octets")}
        lines.append(f"{number}. {step['do']} " + ", ".join(f"{name} {value}" for name, value in told.items()))
        for spec in step.get("frames", [step["frame"]] if "frame" in step else []):
            lines += _layers(frame(spec, env))
        if step["do"] in ("raw", "urgent"):
            lines.append(f"   {octets(step['octets']).hex()}")
    return "\n".join(lines)


def _layers(whole: bytes) -> list[str]:
    """Return a frame as Scapy shows it; where its LENGTH is not that of what follows, the payload as well."""
    layers = RFC4571(whole)
    text = str(layers.show(dump=True))
    if int.from_bytes(whole[:2], "big") != len(whole) - 2:
        text = f"###[ RFC4571 ]###\n  length    = {layers.length}, but {len(whole) - 2} octets follow\n"
        text += str(layers.guess_payload_class(whole[2:])(whole[2:]).show(dump=True))
    return [f"   {line}" for line in text.splitlines() if line.strip()]
