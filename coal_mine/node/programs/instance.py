"""The program that starts, stops or reboots an instance. Its output is what the other side answers; it is well if that has done it."""

from __future__ import annotations

import os
import sys
import threading

from .call import Call, CallFailed


def main() -> int:
    call = Call.from_environment(os.environ)
    _limit(call.seconds)
    try:
        if call.url:
            from .over_http import put  # each carries a library that the other does without

            put(call, sys.stdout.buffer)
        else:
            from .over_aws import order

            order(call, sys.stdout.buffer)
        sys.stdout.flush()
    except CallFailed as error:
        print(error, file=sys.stderr)  # noqa: T201 - its output
        return 1
    return 0


def _limit(seconds: float) -> None:
    """A look-up of a name, or an answer that comes byte by byte, ends by no limit that a library has."""
    timer = threading.Timer(seconds, _give_up, (seconds,))
    timer.daemon = True
    timer.start()


def _give_up(seconds: float) -> None:
    os.write(2, f"no whole answer within {seconds:g} seconds\n".encode())
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
