"""Cases of RFC 8838, a file per section."""
