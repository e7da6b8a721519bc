"""What a program finds when it starts, and what is said when it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop


def test_the_exit_code_of_a_job_is_in_its_result(workshop: Workshop) -> None:
    result, _ = workshop.ended_shell("exit 3")

    assert (result.ending, result.exit_code, result.signal) == (Ending.EXITED, 3, None)


def test_the_signal_that_ended_a_job_is_in_its_result(workshop: Workshop) -> None:
    result, _ = workshop.ended_shell("kill -USR1 $$")

    assert (result.ending, result.exit_code, result.signal) == (Ending.SIGNALLED, None, 10)


def test_what_a_job_used_is_in_its_result(workshop: Workshop) -> None:
    run = workshop.python("b = b'x' * 50_000_000; sum(range(1_000_000))")
    result = workshop.result_of(run)

    assert 50_000_000 < result.max_memory_bytes < 200_000_000
    assert result.cpu_user_seconds + result.cpu_system_seconds > 0
    assert result.ended_mono > result.started_mono


def test_a_second_run_of_a_supervisor_does_not_count_what_the_first_used(workshop: Workshop) -> None:
    large = workshop.python("b = b'x' * 50_000_000")
    workshop.result_of(large)
    small = workshop.start("/bin/true")

    assert workshop.result_of(small).max_memory_bytes < 50_000_000


def test_the_standard_input_is_empty(workshop: Workshop) -> None:
    _, output = workshop.ended_shell("cat; echo end")

    assert output == b"end\n"


def test_a_job_leads_a_session_of_its_own(workshop: Workshop) -> None:
    run = workshop.python("import os; print(os.getsid(0) == os.getpgid(0) == os.getpid())")
    workshop.result_of(run)

    assert run.output.read(0).frames[0].data == b"True\n"


def test_no_signal_is_blocked_or_ignored(workshop: Workshop) -> None:
    _, output = workshop.ended("grep", "-hE", "SigBlk|SigIgn", "/proc/self/status")

    # 32 and 33 belong to the C library, which lets nobody change them.
    untouchable = 1 << 31 | 1 << 32
    assert [int(mask, 16) & ~untouchable for mask in output.split()[1::2]] == [0, 0]


def test_no_file_of_ours_is_open_in_a_job(workshop: Workshop, tmp_path: Path) -> None:
    leaking = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(leaking, True)
    try:
        run = workshop.python("import os; print(sorted(os.listdir('/proc/self/fd')))")
        workshop.result_of(run)
    finally:
        os.close(leaking)

    # The fourth is what lists them.
    assert run.output.read(0).frames[0].data == b"['0', '1', '2', '3']\n"


def test_new_files_are_readable_to_others(workshop: Workshop) -> None:
    _, output = workshop.ended_shell("umask")

    assert output == b"0022\n"


def test_a_command_that_the_shell_does_not_know_is_an_ordinary_exit(workshop: Workshop) -> None:
    result, _ = workshop.ended_shell("/no/such/program")

    assert (result.ending, result.exit_code) == (Ending.EXITED, 127)


@pytest.mark.parametrize(
    ("argv", "spec", "error"),
    [
        (["id"], {"workdir": "/nowhere"}, "workdir /nowhere: No such file or directory"),
        (["no-such-program"], {}, "no-such-program: No such file or directory"),
        (["/etc/passwd"], {}, "/etc/passwd: Permission denied"),
        (["id"], {"user": "nobody-of-that-name"}, "user nobody-of-that-name: there is none of that name"),
        (["id"], {"group": "no-such-group"}, "group no-such-group: there is none of that name"),
        ([], {}, "there is nothing to run: the command is empty"),
        (["echo", "a\0b"], {}, "the command, the environment or a name: embedded null byte"),
    ],
)
def test_what_keeps_a_job_from_starting_is_said(workshop: Workshop, argv: list[str], spec: dict[str, str], error: str) -> None:
    result, output = workshop.ended(*argv, **spec)

    assert (result.ending, result.exit_code, result.error, output) == (Ending.NOT_STARTED, None, error, b"")


def test_a_script_gets_its_arguments(workshop: Workshop) -> None:
    _, output = workshop.ended("a b", "c", script='printf "%s\\n" "$@"')

    assert output == b"a b\nc\n"


def test_a_script_names_its_interpreter(workshop: Workshop) -> None:
    _, output = workshop.ended("x", script="#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:])\n")

    assert output == b"['x']\n"
