"""`python -m fuzz.targets`: the target as an adapter on standard input and output."""

import sys

from fuzz.targets.agent import main

sys.exit(main(sys.argv[1:]))
