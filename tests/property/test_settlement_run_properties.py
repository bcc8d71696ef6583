"""Whatever is settled again, in whatever order: the deltas sum to the run that holds (rules §7)."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proof_effort import examples
from settlement_books import QUARTER, STAGES, Books

from orchestration.errors import Superseded
from orchestration.files import file_digest
from orchestration.published import current_runs

STEPS = st.lists(
    st.tuples(
        st.sampled_from([*STAGES, "rerun"]), st.sampled_from([0, 1_000, 4_000, 9_999, 50_000])
    ),
    min_size=1,
    max_size=7,
)


def settled(books: Books, stage: str, sales_minor: int):
    """Settle, or nothing where that is refused: a rerun of nothing, a stage that comes too late."""
    if stage == "rerun" and not books.runs:
        return None
    try:
        return books.settle(stage, sales_minor)
    except Superseded:
        return None


@examples(12)
@given(STEPS)
def test_after_any_sequence_of_runs_the_deltas_sum_to_the_run_that_holds(steps):
    with tempfile.TemporaryDirectory() as folder:
        books = Books(Path(folder))
        bytes_before: dict[Path, str] = {}
        for stage, sales_minor in steps:
            settled(books, stage, sales_minor)
            if not books.runs:
                continue
            holds = current_runs(books.zone, QUARTER)["settlements"]
            assert holds.run == books.runs[-1].run
            assert holds.cutoff_at == max(run.cutoff_at for run in books.runs)
            with_figures = holds.file("settlements")
            for figure in ("fee", "credit", "net_due"):
                total = total_of(with_figures, f"{figure}_minor")
                assert books.sums(figure) == (total, total)
            bytes_now = {run.file(name): "" for run in books.runs for name in run.tables}
            bytes_now = {path: file_digest(path) for path in bytes_now}
            assert {path: bytes_now[path] for path in bytes_before} == bytes_before
            bytes_before = bytes_now


@examples(12)
@given(STEPS, st.sampled_from([*STAGES, "rerun"]), st.sampled_from([0, 4_000]))
def test_settling_the_same_facts_twice_publishes_once(steps, stage, sales_minor):
    with tempfile.TemporaryDirectory() as folder:
        books = Books(Path(folder))
        for step in steps:
            settled(books, *step)
        first = settled(books, stage, sales_minor)
        count = len(books.runs)
        again = settled(books, stage, sales_minor)
        assert len(books.runs) == count
        if first is not None:
            assert again is not None
            assert not again.is_new


def total_of(path: Path, column: str) -> int:
    return int(pd.read_parquet(path)[column].sum())


def test_a_stage_that_would_differ_after_a_later_one_is_not_published_and_says_by_what(tmp_path):
    books = Books(tmp_path)
    for stage in STAGES:
        books.settle(stage, 1_000)
    again = books.settle("preliminary", 9_999)
    assert (again.is_new, again.run.run) == (False, 1)
    assert again.superseded_by is not None
    assert again.superseded_by.stage == "true-up"
    same = books.settle("preliminary", 1_000)
    assert (same.is_new, same.superseded_by) == (False, None)


def test_a_stage_never_published_is_refused_after_a_later_one(tmp_path):
    books = Books(tmp_path)
    books.settle("true-up", 1_000)
    with pytest.raises(Superseded, match=r"2026Q4 true-up \(run 1\) was published before final"):
        books.settle("final", 1_000)


def test_a_restated_true_up_counts_from_the_run_before_it(tmp_path):
    books = Books(tmp_path)
    for stage in STAGES:
        books.settle(stage, 1_000)
    restated = books.settle("true-up", 4_000)
    assert (restated.is_new, restated.run.run) == (True, 4)
    assert total_of(restated.run.file("settlements"), "delta_credit_minor") == 450
