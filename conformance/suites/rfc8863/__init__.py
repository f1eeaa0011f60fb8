"""Cases of RFC 8863, a file per section."""
