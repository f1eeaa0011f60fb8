"""Cases of RFC 4145, a file per section."""
