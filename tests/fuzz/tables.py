"""The input tables as the fuzz knows them, and good rows of each.

Written by hand from the description of the input tables, not read from the contracts: a second
opinion on what a row must be. Judging values is ``model``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal[
    "id", "text", "whole", "decimal", "instant", "day", "quarter", "flag", "account", "currency"
]


@dataclass(frozen=True)
class Cell:
    """A column. ``minimum`` is included unless ``above``; ``default`` fills what is missing."""

    name: str
    form: Form
    default: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    above: bool = False
    width: int = 18
    scale: int = 2

    @property
    def is_required(self) -> bool:
        return self.default is None


@dataclass(frozen=True)
class Table:
    """A table. ``key`` is empty where keys may repeat; ``amount`` is what the fuzz sums."""

    name: str
    cells: tuple[Cell, ...]
    key: tuple[str, ...]
    amount: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(cell.name for cell in self.cells)


_MOST_UNITS = 10**9
_INTEGER = 2**31 - 1
RECEIVED_AT = Cell("received_at", "instant")


def _ids(*names: str) -> tuple[Cell, ...]:
    return tuple(Cell(name, "id") for name in names)


def _stock(name: str, default: str | None = None) -> Cell:
    return Cell(name, "whole", default, 0, _MOST_UNITS)


_MARKET = _ids("marketplace_id", "storage_type")
_FT3 = {"form": "decimal", "minimum": 0, "scale": 3}
_BID = {"form": "decimal", "width": 24, "scale": 6}

TABLES = {
    table.name: table
    for table in (
        Table(
            "marketplaces",
            (Cell("marketplace_id", "id"), Cell("currency", "currency")),
            ("marketplace_id",),
            "",
        ),
        Table(
            "sellers",
            (
                *_ids("marketplace_id", "seller_id"),
                Cell("account_type", "account"),
                Cell("joined_on", "day"),
            ),
            ("marketplace_id", "seller_id"),
            "",
        ),
        Table(
            "products",
            (
                *_ids("marketplace_id", "seller_id", "sku", "storage_type"),
                Cell("unit_volume_ft3", "decimal", minimum=0, above=True, width=12, scale=6),
            ),
            ("marketplace_id", "seller_id", "sku"),
            "unit_volume_ft3",
        ),
        Table(
            "order_lines",
            (
                *_ids("order_line_id", "marketplace_id", "seller_id", "sku"),
                Cell("ordered_at", "instant"),
                Cell("units", "whole", minimum=1, maximum=_MOST_UNITS),
                Cell("revenue", "decimal", minimum=0),
            ),
            ("order_line_id",),
            "revenue",
        ),
        Table(
            "refunds",
            (
                *_ids("refund_id", "order_line_id"),
                Cell("refunded_at", "instant"),
                Cell("amount", "decimal", minimum=0, above=True),
            ),
            ("refund_id",),
            "amount",
        ),
        Table(
            "inventory_snapshots",
            (
                Cell("snapshot_date", "day"),
                *_ids("marketplace_id", "seller_id", "sku"),
                _stock("on_hand_units"),
                _stock("inbound_units", "0"),
                _stock("stranded_units", "0"),
            ),
            ("snapshot_date", "marketplace_id", "seller_id", "sku"),
            "on_hand_units",
        ),
        Table(
            "network_capacity",
            (
                *_MARKET,
                Cell("quarter", "quarter"),
                Cell("network_ft3", **_FT3),
                Cell("request_ft3", **_FT3),
            ),
            ("marketplace_id", "storage_type", "quarter"),
            "network_ft3",
        ),
        Table(
            "round_supply",
            (
                *_MARKET,
                Cell("quarter", "quarter"),
                Cell("round", "whole", minimum=1, maximum=_INTEGER),
                Cell("released_ft3", **_FT3),
            ),
            ("marketplace_id", "storage_type", "quarter", "round"),
            "released_ft3",
        ),
        Table(
            "capacity_requests",
            (
                Cell("request_id", "id"),
                Cell("revision", "whole", "1", 1, _INTEGER),
                *_ids("marketplace_id", "seller_id", "storage_type"),
                Cell("quarter", "quarter"),
                Cell("max_fee_per_ft3", **_BID),
                Cell("requested_ft3", **_BID),
                Cell("minimum_ft3", default="0", **_BID),
                Cell("submitted_at", "instant"),
                Cell("withdrawn", "flag", "false"),
            ),
            (),
            "requested_ft3",
        ),
    )
}

_GOOD = {
    "id": "US",
    "instant": "2026-07-01T10:00:00Z",
    "day": "2026-07-31",
    "quarter": "2026Q4",
    "flag": "false",
    "account": "professional",
    "currency": "USD",
    "whole": "3",
    "decimal": "19.9",
}


def good_row(table: Table, number: int) -> dict[str, str]:
    """A good row whose key is its own."""
    row = {cell.name: _GOOD[cell.form] for cell in table.cells}
    own = (table.key or ("request_id",))[0]
    ids = [cell.name for cell in table.cells if cell.form == "id"]
    row[own if own in ids else ids[-1]] = f"k{number}"
    if table.amount and table.name != "network_capacity":
        units = table.amount == "on_hand_units"
        row[table.amount] = str(number) if units else f"{number + 1}.5"
    return row
