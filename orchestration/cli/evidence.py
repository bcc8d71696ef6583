"""``fbacap evidence``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.app import Data, Json, QuarterWord, app
from orchestration.cli.words import console, data_folder, print_json, quarter_of
from orchestration.errors import BadUsage, Differs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from rich.table import Table

    from orchestration.evidence import Evidence

_MICRO_DIGITS = 6
_MILLI_DIGITS = 3


@app.command()
def evidence(
    seller: Annotated[str, typer.Argument(metavar="SELLER", help="As in the tables.")],
    quarter: QuarterWord,
    day: Annotated[
        str | None, typer.Option("--day", help="List order lines and refunds of this day.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Trace a seller's credits to days, and a day to order lines and refunds.

    Order lines are those of the landing zone, as of the settlement run's cut-off. Ends with 1 when
    they do not come to the net sales that were published.
    """
    chosen, wanted = quarter_of(quarter), _day_of(day)
    from orchestration.evidence import read_evidence

    found = read_evidence(data_folder(data), chosen, seller, wanted)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(found))
    else:
        _print(found, wanted)
    if found.differing_days:
        first = found.differing_days[0]
        raise Differs(
            f"{seller} on {first['day']}: order lines come to {first['net_sales_of_lines_minor']} "
            f"minor units, published are {first['net_sales_minor']}; "
            f"run `fbacap verify {chosen.label}`"
        )


def _day_of(text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadUsage(f"'{text}' is not a day; write it as 2026-10-01") from error


def _print(found: Evidence, day: date | None) -> None:
    screen = console()
    screen.print(
        f"{found.seller_id} in {found.quarter}: {found.stage} (run {found.run}), records received "
        f"before {found.cutoff_at}",
        markup=False,
    )
    if day is None:
        screen.print(_credits(found))
        screen.print(_sales(found))
    screen.print(_days(found))
    if day is not None:
        screen.print(_grants(found))
        screen.print(_lines(found))


def _credits(found: Evidence) -> Table:
    table = _table("credits", "market", "grant", "granted ft³", "fee", "credit", "net due")
    for row in found.credits:
        amounts = [_money(found, row, name) for name in ("fee_minor", "credit_minor")]
        _add(
            table,
            _market(row),
            f"{row['request_id']}, round {row['round']}",
            _volume(row["granted_milli_ft3"]),
            *amounts,
            _money(found, row, "net_due_minor"),
        )
    return table


def _sales(found: Evidence) -> Table:
    names = ("usage_layer", "capacity_share", "forecast_uplift", "net_sales")
    words = [name.replace("_", " ") for name in names]
    table = _table("incremental sales of the quarter", "market", "pays", *words)
    for row in found.sales:
        amounts = [_money(found, row, f"{name}_minor") for name in names]
        _add(table, _market(row), str(row["method"]).replace("_", " "), *amounts)
    return table


def _days(found: Evidence) -> Table:
    table = _table(
        "days", "market", "day", "order lines", "net sales", "used ft³", "base ft³", "extra ft³",
        "extra used ft³", "usage layer", "capacity share", "stock",
    )  # fmt: skip
    volumes = ("used", "base", "extra", "extra_used")
    for row in found.days:
        stock = "missing" if row["is_missing"] else "carried" if row["is_carried"] else ""
        _add(
            table,
            _market(row),
            str(row["day"]),
            str(row["order_lines"]),
            _money(found, row, "net_sales_minor"),
            *(_volume(row[f"{name}_milli_ft3"]) for name in volumes),
            _money(found, row, "usage_layer_micro_minor"),
            _money(found, row, "capacity_share_micro_minor"),
            stock,
        )
    return table


def _grants(found: Evidence) -> Table:
    table = _table(
        "the day's grants", "market", "grant", "granted ft³", "usage layer", "capacity share"
    )
    for row in found.grant_days:
        _add(
            table,
            _market(row),
            f"{row['request_id']}, round {row['round']}",
            _volume(row["granted_milli_ft3"]),
            _money(found, row, "usage_layer_micro_minor"),
            _money(found, row, "capacity_share_micro_minor"),
        )
    return table


def _lines(found: Evidence) -> Table:
    table = _table(
        "the day's order lines", "market", "order line", "sku", "ordered at", "units", "sales",
        "refunded", "net", "refunds", "file, row",
    )  # fmt: skip
    for row in found.lines:
        refunds = ", ".join(refund["refund_id"] for refund in row["refunds"])
        _add(
            table,
            _market(row),
            str(row["order_line_id"]),
            str(row["sku"]),
            f"{row['ordered_at']:%H:%M:%S}",
            str(row["units"]),
            *(
                _money(found, row, name)
                for name in ("gross_sales_minor", "refunded_minor", "net_sales_minor")
            ),
            refunds,
            f"{row['source_file'][:8]}, {row['source_row']}",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    from rich.table import Column, Table

    return Table(
        *(Column(name, overflow="fold") for name in columns), title=title, title_justify="left"
    )


def _add(table: Table, *cells: str) -> None:
    from rich.text import Text

    from orchestration.statements.words import visible

    table.add_row(*(Text(visible(cell)) for cell in cells))


def _market(row: Mapping[str, Any]) -> str:
    return f"{row['marketplace_id']} {row['storage_type']}"


def _money(found: Evidence, row: Mapping[str, Any], name: str) -> str:
    """An amount in its currency's units, exactly."""
    digits = found.minor_unit_digits[str(row["marketplace_id"])]
    return _decimal(int(row[name]), digits + (_MICRO_DIGITS if "_micro_" in name else 0))


def _volume(milli_ft3: int) -> str:
    return _decimal(milli_ft3, _MILLI_DIGITS)


def _decimal(amount: int, digits: int) -> str:
    from decimal import Decimal

    return f"{Decimal(amount).scaleb(-digits):,f}"
