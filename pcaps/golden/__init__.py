"""Captures made by a script: lawful exchanges in several styles, and one for each violation that the judge knows."""
