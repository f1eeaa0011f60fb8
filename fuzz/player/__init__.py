"""Plays cases: what also runs inside the replay of a finding. Standard library only."""
