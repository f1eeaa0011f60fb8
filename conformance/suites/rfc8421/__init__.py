"""Cases of RFC 8421, a file per section."""
