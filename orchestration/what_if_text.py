"""A what-if as text for a terminal: totals, rounds side by side, who gains and who loses.

Here belongs layout; the figures come from ``what_if_comparison``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fbacap_logic.sentences import money
from orchestration.what_if import WhatIf
from orchestration.what_if_comparison import Comparison

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_VERDICTS = {
    "gains": "pay no more for no less space",
    "loses": "pay no less for no more space",
    "mixed": "more space for more money, or less for less",
}


def print_what_if(console: Console, tried: WhatIf, comparison: Comparison, *, top: int) -> None:
    """Print the comparison; of each verdict and currency the ``top`` sellers."""
    runs = ", ".join(f"run {run.run} ({run.stage})" for run in tried.published.all)
    console.print(
        f"{tried.quarter.label} under policy {tried.policy.policy_version}, beside what was "
        f"published: {runs}",
        soft_wrap=True,
        highlight=False,
    )
    console.print(_market_table(comparison))
    rounds = comparison.rows(
        "from rounds where published_clearing_fee_minor_per_ft3 is distinct from "
        "supposed_clearing_fee_minor_per_ft3 or published_granted_milli_ft3 is distinct from "
        "supposed_granted_milli_ft3"
    )
    if rounds:
        console.print(_round_table(comparison, rounds))
    else:
        console.print("every round grants as much at the same clearing fee")
    for verdict, meaning in _VERDICTS.items():
        rows = comparison.rows(
            f"from sellers where verdict = '{verdict}' qualify row_number() over "
            "(partition by currency order by abs(change_net_due_minor) desc, "
            "abs(change_granted_milli_ft3) desc, marketplace_id, storage_type, seller_id) "
            f"<= {int(top)} order by currency desc, abs(change_net_due_minor) desc, "
            "abs(change_granted_milli_ft3) desc, marketplace_id, storage_type, seller_id"
        )
        if rows:
            console.print(_seller_table(comparison, f"{verdict}: {meaning}", rows))


def _market_table(comparison: Comparison) -> Table:
    table = _table("market", "gain / lose / mixed / same", "granted ft³", "fees", "credits",
                   "net due")  # fmt: skip
    for row in comparison.rows("from markets"):
        table.add_row(
            f"{row['marketplace_id']} {row['storage_type']}",
            " / ".join(f"{row[name]:,}" for name in ("gains", "loses", "mixed", "same")),
            _volumes(row),
            *(_amounts(comparison, row, name) for name in ("fee", "credit", "net_due")),
        )
    return table


def _round_table(comparison: Comparison, rows: list[dict[str, Any]]) -> Table:
    table = _table("market", "round", "granted ft³", "clearing fee / ft³")
    table.title = "rounds that differ"
    for row in rows:
        fees = [row[f"{side}_clearing_fee_minor_per_ft3"] for side in ("published", "supposed")]
        digits = comparison.digits[row["currency"]]
        told = ["–" if fee is None else money(fee, digits) for fee in fees]
        table.add_row(
            f"{row['marketplace_id']} {row['storage_type']}",
            str(row["round"]),
            _volumes(row),
            f"{told[0]} → {told[1]} {row['currency']}",
        )
    return table


def _seller_table(comparison: Comparison, title: str, rows: list[dict[str, Any]]) -> Table:
    from rich.text import Text

    table = _table("seller", "market", "granted ft³", "fee", "credit", "net due")
    table.title = title
    for row in rows:
        table.add_row(
            Text(row["seller_id"]),  # a seller's text is no markup
            Text(f"{row['marketplace_id']} {row['storage_type']}"),
            _volumes(row),
            *(_amounts(comparison, row, name) for name in ("fee", "credit", "net_due")),
        )
    return table


def _table(first: str, *others: str) -> Table:
    from rich.table import Column, Table

    return Table(
        Column(first, overflow="fold"),
        *(Column(name, justify="right", overflow="fold") for name in others),
    )


def _volumes(row: dict[str, Any]) -> str:
    sides = [row[f"{side}_granted_milli_ft3"] for side in ("published", "supposed")]
    return " → ".join("–" if volume is None else money(volume, 3) for volume in sides)


def _amounts(comparison: Comparison, row: dict[str, Any], name: str) -> str:
    digits = comparison.digits[row["currency"]]
    sides = (money(row[f"{side}_{name}_minor"], digits) for side in ("published", "supposed"))
    return f"{' → '.join(sides)} {row['currency']}"
