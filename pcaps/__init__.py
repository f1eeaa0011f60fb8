"""Captures: writing, reading, putting together, decoding, drawing."""
