"""What a backfill tells people: progress while it runs, a line a quarter at the end, what changed.

Here belong plain values for scripts and their rendering. Deciding what is made is ``loop``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fbacap_logic.calendar import Quarter
from orchestration.backfill.changes import change_of
from orchestration.backfill.estimate import seconds_left, spoken
from orchestration.backfill.loop import Backfill
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.summary import money, settlement_rows

if TYPE_CHECKING:
    from rich.console import Console

_MOST_CHANGES = 30
_UNITS = {"milli_ft3": "milli ft³", "minor": "minor units"}


def progress_words(state: Backfill, workers: int) -> str:
    """What is being made and how long the rest will take.

    One line, such as ``2017Q1 final, 2017Q2 round-1; about 3 min left``.
    """
    names = ", ".join(node.label for node in sorted(state.running)) or "done"
    took = {
        node: result.seconds for node, result in state.done.items() if result.outcome is not None
    }
    left = [node for node in state.graph.stages if node not in state.settled]
    seconds = seconds_left(state.graph, took, left, workers)
    return names if seconds is None or not left else f"{names}; {spoken(seconds)} left"


def result_words(state: Backfill, node: StageOfQuarter) -> str:
    """What became of one stage run, as a line of a log."""
    if node in state.failed:
        return f"{node.label}: failed: {state.failed[node]}"
    if node in state.not_made:
        return f"{node.label}: not made, because {state.not_made[node].label} failed"
    result = state.done[node]
    words = {
        "new": "published as run {run}",
        "same": "made again, the same as run {run}",
        "kept": "run {run} stands: nothing it was made from has changed",
        "superseded": "run {run} stands: a later settlement knows more",
    }
    told = words[result.state].format(run=result.published.run)
    return f"{node.label}: {told}, {result.seconds:.1f} s"


def backfill_rows(
    data: DataFolder, state: Backfill, left_out: Mapping[Quarter, str]
) -> list[dict[str, Any]]:
    """One document a quarter: its stage runs, settlements by marketplace, and what changed.

    ``left_out``: quarters of which nothing was to be made, with the reason.
    """
    return [
        _quarter(data, state, quarter, left_out.get(quarter))
        for quarter in sorted({*state.graph.quarters, *left_out})
    ]


def _quarter(
    data: DataFolder, state: Backfill, quarter: Quarter, left_out: str | None
) -> dict[str, Any]:
    nodes = state.graph.of_quarter(quarter)
    changes = [
        change_of(state.done[node].published)
        for node in nodes
        if node in state.done and state.done[node].state == "new"
    ]
    return {
        "quarter": quarter.label,
        "left_out": left_out,
        "stages": [_stage(state, node) for node in nodes],
        "settlements": settlement_rows(data, quarter),
        "changes": [change.as_document() for change in changes if change is not None],
        "published": str(data.published),
    }


def _stage(state: Backfill, node: StageOfQuarter) -> dict[str, Any]:
    result = state.done.get(node)
    error = state.failed.get(node)
    cause = state.not_made.get(node)
    return {
        "stage": node.stage,
        "state": result.state if result else "failed" if error else "not made",
        "run": result.published.run if result else None,
        "seconds": round(result.seconds, 2) if result else None,
        "reason": str(error) if error else f"{cause.label} failed" if cause else None,
    }


def print_backfill(console: Console, documents: Sequence[dict[str, Any]]) -> None:
    """Print a line a quarter and marketplace, then what changed, then what failed."""
    from rich import box
    from rich.table import Column, Table

    names = ("grants", "fees", "credits", "net due")
    figures = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table("quarter", "stage runs", "market", *figures, "", box=box.SIMPLE_HEAD)
    for document in documents:
        head = [document["quarter"], _counted(document["stages"])]
        for row in document["settlements"] or [None]:
            table.add_row(*head, *_settlement_cells(row))
            head = ["", ""]
    console.print(table)
    _print_changes(console, documents)
    _print_failures(console, documents)
    console.print(f"published tables: {documents[0]['published']}", soft_wrap=True, highlight=False)


def _counted(stages: Sequence[dict[str, Any]]) -> str:
    states = Counter(stage["state"] for stage in stages)
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "none"


def _settlement_cells(row: dict[str, Any] | None) -> list[str]:
    if row is None:
        return ["not settled", "", "", "", "", ""]
    amounts = [money(row[name], row["currency"]) for name in ("fee", "credit", "net_due")]
    figures = [amount.removesuffix(f" {row['currency']}") for amount in amounts]
    return [row["marketplace_id"], f"{row['grants']:,}", *figures, row["currency"]]


def _print_changes(console: Console, documents: Sequence[dict[str, Any]]) -> None:
    changed = [
        (document["quarter"], change, entry)
        for document in documents
        for change in document["changes"]
        for entry in change["tables"]
    ]
    for quarter, change, entry in changed[:_MOST_CHANGES]:
        counts = ", ".join(
            f"{entry[f'rows_{what}']:,} {what}"
            for what in ("added", "removed", "changed")
            if entry[f"rows_{what}"]
        )
        columns = [f"+{name}" for name in entry["columns_added"]]
        columns += [f"-{name}" for name in entry["columns_removed"]]
        told = "; ".join([f"rows {counts}", *columns] if counts else columns)
        runs = f"run {change['run_before']} → {change['run']}"
        console.print(
            f"changed: {quarter} {change['stage']} {runs} {entry['table']}: {told}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
        for total in entry["totals"]:
            unit = next(words for end, words in _UNITS.items() if total["column"].endswith(end))
            name = total["column"].removesuffix("_milli_ft3").removesuffix("_minor")
            moved = total["after"] - total["before"]
            console.print(
                f"         {total['marketplace_id']} {name}: {total['before']:,} → "
                f"{total['after']:,} ({moved:+,} {unit})",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )
    if len(changed) > _MOST_CHANGES:
        console.print(f"… and {len(changed) - _MOST_CHANGES} more changed tables (--json has all)")


def _print_failures(console: Console, documents: Sequence[dict[str, Any]]) -> None:
    for document in documents:
        if document["left_out"]:
            console.print(
                f"left out: {document['quarter']}: {document['left_out']}",
                soft_wrap=True,
                highlight=False,
            )
        for stage in document["stages"]:
            if stage["reason"]:
                console.print(
                    f"{stage['state']}: {document['quarter']} {stage['stage']}: {stage['reason']}",
                    soft_wrap=True,
                    highlight=False,
                    markup=False,
                )
