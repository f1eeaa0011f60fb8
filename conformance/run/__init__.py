"""How a run goes: from pytest's collection to the written reports."""
