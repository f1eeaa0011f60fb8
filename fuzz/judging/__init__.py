"""Judges what came back, and asks an IUT again. It also runs inside the replay of a finding."""
