"""As whom a job runs. Only root can choose; the others are told so."""

from __future__ import annotations

import grp
import os
import pwd

from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop, is_root


def _somebody() -> pwd.struct_passwd:
    """Not root if we can choose, and with a supplementary group if there is such a user."""
    if not is_root():
        return pwd.getpwuid(os.geteuid())
    names = [name for group in grp.getgrall() for name in group.gr_mem if name != "root"]
    return pwd.getpwnam((*names, "nobody")[0])


def _groups(user: pwd.struct_passwd) -> set[int]:
    return set(os.getgrouplist(user.pw_name, user.pw_gid)) if is_root() else {os.getegid(), *os.getgroups()}


def _status(workshop: Workshop, user: str) -> dict[str, set[str]]:
    """What the kernel says about a process of that user."""
    _, output = workshop.ended("cat", "/proc/self/status", user=user)
    return {key: set(value.split()) for key, _, value in (line.partition(":") for line in output.decode().splitlines())}


def test_a_job_has_the_groups_of_its_user_and_no_others(workshop: Workshop) -> None:
    user = _somebody()
    status = _status(workshop, user.pw_name)

    assert {int(gid) for gid in status["Gid"] | status["Groups"]} == _groups(user)


def test_nothing_of_root_is_left_in_a_job_of_another_user(workshop: Workshop) -> None:
    user = _somebody()
    status = _status(workshop, user.pw_name)

    # Real, effective, saved and for files: with none of them, and no capability, there is no way back.
    assert (status["Uid"], status["CapPrm"]) == ({str(user.pw_uid)}, {"0" * 16})


def test_a_job_may_choose_among_the_groups_of_its_user(workshop: Workshop) -> None:
    user = _somebody()
    gid = max(_groups(user)) if is_root() else os.getegid()
    _, output = workshop.ended("id", "-g", user=user.pw_name, group=grp.getgrgid(gid).gr_name)

    assert int(output) == gid


def test_a_job_is_refused_a_group_that_its_user_has_not(workshop: Workshop) -> None:
    user = _somebody()
    foreign = next(group.gr_name for group in grp.getgrall() if group.gr_gid not in _groups(user))
    result, _ = workshop.ended("id", user=user.pw_name, group=foreign)

    why = f"user {user.pw_name} is not a member" if is_root() else "only root may run jobs with other groups than its own"
    assert (result.ending, result.error) == (Ending.NOT_STARTED, f"group {foreign}: {why}")


def test_a_script_of_another_user_runs_although_the_spool_is_closed_to_him(workshop: Workshop) -> None:
    user = _somebody()
    result, output = workshop.ended("x", script='id -u; echo "$1"', user=user.pw_name)

    assert (result.exit_code, output) == (0, f"{user.pw_uid}\nx\n".encode())


def test_another_user_is_possible_for_root_only(workshop: Workshop) -> None:
    other = "nobody" if pwd.getpwuid(os.geteuid()).pw_name != "nobody" else "root"
    result, output = workshop.ended("id", "-un", user=other)

    refusal = f"user {other}: only root may run jobs as others"
    assert (result.error, output) == ((None, f"{other}\n".encode()) if is_root() else (refusal, b""))
