"""Cases of RFC 4571."""
