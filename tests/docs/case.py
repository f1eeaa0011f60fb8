"""The case of fuzz/README.md, played by its test."""

from conformance.wire.layers import STUN, Fingerprint, MessageIntegrity, Priority, RawStunAttribute, Username
from fuzz.layers import Role, case, send

CHECK = [Username(value="$user"), Priority(value="$priority"), Role(), MessageIntegrity(), Fingerprint()]
CASE = case(send(STUN(attributes=[RawStunAttribute(type=0x7001, value=b""), *CHECK]), cuts=[1]), state="completed")
