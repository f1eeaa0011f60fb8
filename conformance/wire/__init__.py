"""Octets to values and back: STUN, RFC 4571 frames, SDP. No socket, clock or random number in here."""
