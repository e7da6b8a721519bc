"""`python -m coal_mine.cli` is cmcli."""

from __future__ import annotations

import sys

from coal_mine.cli import main

sys.exit(main())
