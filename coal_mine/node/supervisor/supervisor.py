"""One run: started, watched, ended, told. A process of its own, which needs nobody else once it lives.

Its current directory is the run's. All that happens to it arrives in one poll: output, the end of children, orders, and the
passing of time.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import select
from collections.abc import Callable

from coal_mine.node.processes.cgroups import RunGroup
from coal_mine.node.processes.identity import IS_LINUX, ProcessIdentity, monotonic
from coal_mine.node.processes.tree import Session, descendants, kill, terminate
from coal_mine.node.spool.frames import Stream
from coal_mine.node.spool.names import GROUP, LEASE
from coal_mine.node.spool.orders import Orders
from coal_mine.node.spool.output import OutputWriter
from coal_mine.node.spool.progress import note_job
from coal_mine.node.spool.record import Ending, Result, Spec, read_lease

from .launch import NotStarted, launch
from .surroundings import Surroundings
from .wakeup import ENDS, Wakeup, signals_held

_READ = 1 << 16
# What a pipe may still hold when all who wrote to it are dead; somebody else who got hold of it could write for ever.
_LAST_WORDS = 1 << 21
_SECONDS_BETWEEN_BELLS = 0.1
_SECONDS_BETWEEN_KILLS = 0.05
# Before the lease ends: when the run is told to end, and when it must be gone.
_FENCE_MARGIN = 5.0
_FENCE_LAST = 2.0
_LONGEST_POLL = 3600.0
_NEVER = math.inf


class Usage:
    """What the processes used that have ended; each counts for those of its own children that it waited for."""

    def __init__(self) -> None:
        self.largest_bytes = 0
        self.user_seconds = self.system_seconds = 0.0

    def add(self, used: resource.struct_rusage) -> None:
        self.largest_bytes = max(self.largest_bytes, used.ru_maxrss * (1024 if IS_LINUX else 1))
        self.user_seconds += used.ru_utime
        self.system_seconds += used.ru_stime


class Supervisor:
    def __init__(self, name: str, spec: Spec, around: Surroundings, wakeup: Wakeup) -> None:
        self._name = name
        self._spec = spec
        self._around = around
        self._wakeup = wakeup
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], object]] = {}
        self._output = OutputWriter(spec.head_bytes, spec.tail_bytes)
        self._produced = {Stream.STDOUT: 0, Stream.STDERR: 0}
        self._streams: dict[int, Stream] = {}  # pipes that are not at their end
        self._job: Session | None = None
        self._status: int | None = None  # as waitpid has it
        self._alone = True  # no child is left, adopted ones included
        self._trouble: bytes | None = b""  # why the program could not be run; None once it runs
        self._why: Ending | None = None  # set once the run is being killed
        self._group: RunGroup | None = None
        self._used = Usage()
        self._started = self._ended = monotonic()
        self._timeout_at = self._kill_at = self._bell_at = _NEVER
        self._fence_at = -_NEVER if spec.fenced else _NEVER
        self._last_bell = -_NEVER

    def run(self) -> Result:
        self._listen(self._wakeup.fileno, self._hear_signals)
        orders = Orders(self._asked_to_end, self._fence, self._pass_on)
        self._listen(orders.fileno, orders.hear)
        if orders.was_kill_ordered():
            self._why = Ending.KILLED
        elif orders.was_fence_ordered():
            self._why = Ending.FENCED
        self._check_lease(self._started)
        if self._why is None:
            self._start()
            while not self._is_over():
                self._wait()
        self._ended = monotonic()
        self._hear_last_words()
        result = self._result()
        self._close_all()
        return result

    def kill_everything(self) -> None:
        """The way out after a fault of ours: no process may go on that nobody watches."""
        self._why = Ending.KILLED
        self._kill_at = -_NEVER
        self._reap()
        while not self._alone:
            self._wait()

    # Starting

    def _start(self) -> None:
        if self._around.groups and (group := self._around.groups.make(self._name)):
            self._group = group
            os.symlink(group.path, GROUP)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        trouble, trouble_end = os.pipe()  # closed by the new program's start
        self._started = monotonic()
        self._alone = False
        supervisor = os.getpid()
        with signals_held():
            pid = os.fork()
            if pid == 0:
                self._become_job(out_end, err_end, trouble_end, supervisor)
            self._job = Session(pid)
        note_job(ProcessIdentity.of(pid, self._around.boot_id), self._started)
        for end in (out_end, err_end, trouble_end):
            os.close(end)
        self._follow(out, Stream.STDOUT)
        self._follow(err, Stream.STDERR)
        self._listen(trouble, lambda: self._hear_trouble(trouble))
        if self._spec.timeout_seconds is not None:
            self._timeout_at = self._started + self._spec.timeout_seconds

    def _become_job(self, out: int, err: int, trouble: int, supervisor: int) -> None:
        try:
            if self._group:
                self._group.enter()
            os.dup2(out, 1)
            os.dup2(err, 2)
            launch(self._spec, supervisor, self._around)
        except NotStarted as error:
            os.write(trouble, str(error).encode(errors="surrogateescape")[:_READ])
        except BaseException as error:  # noqa: BLE001 - nothing may return into the supervisor's code
            os.write(trouble, f"{type(error).__name__}: {error}".encode(errors="replace")[:_READ])
        finally:
            os._exit(127)

    def _hear_trouble(self, pipe: int) -> None:
        text = os.read(pipe, _READ)
        assert self._trouble is not None  # noqa: S101 - nobody listens any more once it is None
        if text:
            self._trouble += text
            return
        self._close(pipe)
        if not self._trouble:
            self._trouble = None
            self._ring(monotonic())

    # What happens

    def _wait(self) -> None:
        seconds = min(self._timeout_at, self._kill_at, self._bell_at, self._fence_at) - monotonic()
        # Rounded up, so that nobody wakes up just before the time and finds nothing to do.
        for descriptor, _ in self._poll.poll(math.ceil(max(0.0, min(seconds, _LONGEST_POLL)) * 1000)):
            if handler := self._handlers.get(descriptor):
                handler()
        self._look_at_clock(monotonic())

    def _look_at_clock(self, now: float) -> None:
        if now >= self._bell_at:
            self._ring(now)
        if now >= self._timeout_at:
            self._timeout_at = _NEVER
            self._end(Ending.TIMED_OUT, now)
        if now >= self._fence_at:
            self._check_lease(now)
        if now >= self._kill_at:
            self._kill_at = now + _SECONDS_BETWEEN_KILLS
            if self._group:
                self._group.kill()
            if self._job:
                kill(os.getpid(), self._job)
            self._reap()

    def _check_lease(self, now: float) -> None:
        if now < self._fence_at:
            return
        lease = read_lease(f"../../{LEASE}")
        self._fence_at = lease - _FENCE_MARGIN
        if now >= self._fence_at:
            self._fence_at = _NEVER
            last = lease - _FENCE_LAST
            if self._why is None and self._job:
                self._end(Ending.FENCED, now)
            self._why = self._why or Ending.FENCED
            self._kill_at = min(self._kill_at, last)

    def _is_over(self) -> bool:
        if self._why is not None:
            return self._alone
        return self._status is not None and not self._streams and not self._is_starting()

    def _is_starting(self) -> bool:
        return self._trouble == b""

    def _asked_to_end(self) -> None:
        self._end(Ending.KILLED, monotonic())

    def _fence(self) -> None:
        """Each moment may be one beside another attempt, so whatever time it had been given is over."""
        self._why = self._why or Ending.FENCED
        self._kill_at = min(self._kill_at, monotonic())

    def _end(self, why: Ending, now: float) -> None:
        if self._why is None:
            self._why = why
            self._kill_at = now + self._spec.kill_wait_seconds
            if self._job:
                terminate(os.getpid(), self._job)
            self._reap()

    def _pass_on(self, number: int) -> None:
        with contextlib.suppress(OSError):  # there is no such signal
            if self._job:
                self._job.pass_on(os.getpid(), number)

    def _hear_signals(self) -> None:
        if ENDS.intersection(self._wakeup.hear()):
            self._asked_to_end()
        self._reap()

    def _reap(self) -> None:
        try:
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                self._used.add(ended[2])
                if self._job and ended[0] == self._job.leader:
                    self._status = ended[1]
                    self._job.leader_was_reaped()
        except ChildProcessError:
            self._alone = True

    # Output

    def _follow(self, pipe: int, stream: Stream) -> None:
        os.set_blocking(pipe, False)
        self._streams[pipe] = stream
        self._listen(pipe, lambda: self._take(pipe, stream))

    def _take(self, pipe: int, stream: Stream) -> int:
        """What lies in the pipe, at most one read of it; says how much that was."""
        try:
            data = os.read(pipe, _READ)
        except BlockingIOError:
            return 0
        if not data:
            self._close(pipe)
            del self._streams[pipe]
            return 0
        now = monotonic()
        self._output.write(stream, int((now - self._started) * 1000), data)
        self._produced[stream] += len(data)
        self._bell_at = min(self._bell_at, self._last_bell + _SECONDS_BETWEEN_BELLS)
        return len(data)

    def _hear_last_words(self) -> None:
        """Of those who were killed; after an ordinary end both pipes are closed already."""
        for pipe, stream in list(self._streams.items()):
            left = _LAST_WORDS
            while left > 0 and (taken := self._take(pipe, stream)):
                left -= taken

    def _ring(self, now: float) -> None:
        self._last_bell, self._bell_at = now, _NEVER
        self._around.ring(self._name)

    def _listen(self, descriptor: int, handler: Callable[[], object]) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, select.POLLIN)

    def _close(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        del self._handlers[descriptor]
        os.close(descriptor)

    def _close_all(self) -> None:
        for descriptor in self._handlers.keys() - {self._wakeup.fileno}:
            self._close(descriptor)

    # The end

    def _result(self) -> Result:
        status = os.waitstatus_to_exitcode(self._status) if self._status is not None and not self._trouble else None
        left = [] if self._alone else descendants(os.getpid())
        self._output.close()
        if self._group:
            self._group.remove()
        return Result(
            ending=self._ending(status),
            exit_code=status if status is not None and status >= 0 else None,
            signal=-status if status is not None and status < 0 else None,
            error=self._trouble.decode(errors="replace") if self._trouble else None,
            started_mono=self._started,
            ended_mono=self._ended,
            max_memory_bytes=self._used.largest_bytes,
            cpu_user_seconds=self._used.user_seconds,
            cpu_system_seconds=self._used.system_seconds,
            stdout_bytes=self._produced[Stream.STDOUT],
            stderr_bytes=self._produced[Stream.STDERR],
            unwritten_bytes=self._output.unwritten,
            left_behind=len(left),
        )

    def _ending(self, status: int | None) -> Ending:
        if self._why is not None:
            return self._why
        if status is None:
            return Ending.NOT_STARTED
        return Ending.EXITED if status >= 0 else Ending.SIGNALLED
