"""`python -m api.demo`: simulated traffic against a running service."""

import sys

from api.demo.run import main

sys.exit(main(sys.argv[1:]))
