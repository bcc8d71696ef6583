"""What a run says at its end."""

import io

from rich.console import Console

from orchestration.summary import print_summary


def run(stage, number, *warnings):
    return {
        "stage": stage, "run": number, "is_new": True, "superseded": None,
        "warnings": list(warnings), "seconds": 1.0,
    }  # fmt: skip


def test_a_warning_that_several_stage_runs_give_is_told_once_with_their_names():
    said = io.StringIO()
    summary = {
        "quarter": "2025Q4", "stages": [], "markets": [], "settlements": [], "published": "zone",
        "runs": [
            run("announce", 1, "refunds are late"),
            run("round-1", 2, "nobody knows seller [S]", "refunds are late"),
            run("round-2", 3, "nobody knows seller [S]"),
        ],
    }  # fmt: skip
    print_summary(Console(file=said, width=200), summary)
    warnings = [line for line in said.getvalue().splitlines() if line.startswith("warning")]
    assert warnings == [
        "warning:          announce, round-1: refunds are late",
        "warning:          round-1, round-2: nobody knows seller [S]",
    ]
