"""Cases of RFC 6544, a file per section."""
