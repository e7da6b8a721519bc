"""cmcli, the command line client. It talks HTTP to a Coal Mine server."""

from __future__ import annotations

import io
import os
import sys

from coal_mine.domain.errors import CoalMineError, Invalid
from coal_mine.domain.text import printable

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main() -> int:
    """Run cmcli on this process's arguments; every error ends here, as one line and an exit status."""
    import click  # here, so that importing this package costs nothing

    _prepare_streams()
    try:
        return _run()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Invalid as error:
        return _complain(str(error), USAGE)
    except CoalMineError as error:
        return _complain(str(error), FAILED)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _silence_stdout()
        return DONE
    except OSError as error:
        _silence_stdout()
        return _complain(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run() -> int:
    from click.exceptions import Exit

    from .commands import cli

    # Not cli.main(): that exits with 1 when the reader of a pipe has seen enough.
    status = DONE
    try:
        with cli.make_context("cmcli", sys.argv[1:]) as context:
            cli.invoke(context)
    except Exit as exit:  # after --help or --version, or with a job's own status
        status = exit.exit_code
    sys.stdout.flush()  # here, where a closed pipe or a full disk can still be told
    return status


def _complain(text: str, status: int) -> int:
    print(f"cmcli: {printable(text)}", file=sys.stderr)
    return status


def _prepare_streams() -> None:
    """A closed stream loses what is written; a character that the terminal cannot show must not cost the rest of the output."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - lives as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _silence_stdout() -> None:
    """Python writes what is left in the buffer when it exits, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
