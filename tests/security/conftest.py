"""What takes minutes runs only in the long form."""

from __future__ import annotations

from tests.security.sizes import LONG

collect_ignore = [] if LONG else ["test_ends.py", "test_key_timing_over_a_socket.py"]
