"""Short in `make test`, long in `make security`."""

from __future__ import annotations

import os

# For each test that goes on for a while; 0 in the short form.
SECONDS = float(os.environ.get("SECURITY_SECONDS", "0"))
LONG = SECONDS > 0
