"""What is written into the directory of a run."""

from __future__ import annotations

from coal_mine.node.spool.record import Ending, Result, Spec


def test_a_spec_is_read_as_it_was_written() -> None:
    spec = Spec(run_id="a", argv=("x", "\u00fc"), env={"A": "b"}, script="#!/bin/sh\n", timeout_seconds=1.5, fenced=True)

    assert Spec.from_json(spec.to_json()) == spec


def test_a_result_is_read_as_it_was_written() -> None:
    result = Result(ending=Ending.TIMED_OUT, signal=9, started_mono=1.25, ended_mono=2.5, stdout_bytes=7, left_behind=1)

    assert Result.from_json(result.to_json()) == result


def test_what_a_newer_version_wrote_is_left_out() -> None:
    text = Spec(run_id="a", argv=("x",)).to_json().replace("{", '{"colour": "red", ', 1)

    assert Spec.from_json(text) == Spec(run_id="a", argv=("x",))
