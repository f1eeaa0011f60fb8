"""Conformance suite for ICE agents that speak TCP (RFC 6544)."""
