"""The reference agent whose caller sets its role, and obeys the wish `role` of `open`; the arguments are the agent's."""

import sys
from dataclasses import dataclass, fields

from conformance.agent import __main__, adapter
from conformance.agent.config import Config
from conformance.agent.decisions.nomination import Nomination

configure, pics, controls = adapter.configure, adapter.pics, Nomination.controls


@dataclass(frozen=True)
class Told(Config):
    """What `open` asks for, with the role that it names."""

    told: str = ""


def configure_role(params, *more, **options):
    own = configure(params, *more, **options)
    return Told(**{item.name: getattr(own, item.name) for item in fields(own)}, told=params.get("role", ""))


def controls_as_told(self, peer_lite):
    return self.config.told == "controlling" if self.config.told else controls(self, peer_lite)


def caller_pics(**options):
    own = pics(**options)
    return own | {"role": "adapter", "obeys": [*own["obeys"], "role"]}


adapter.configure, adapter.pics, Nomination.controls = configure_role, caller_pics, controls_as_told
sys.exit(__main__.main())
