"""Cases of RFC 7983, a file per section."""
