"""A statement's figures as CSV, a line a figure, for a seller's own spreadsheet.

Here belongs flattening a ``Statement``: amounts in the currency's decimals, volumes in cubic feet,
shares in per cent, each with its unit. Neutralising formulas is ``orchestration.export``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.export import csv_text
from orchestration.statements.figures import MarketStatement, Statement
from orchestration.statements.words import visible

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

COLUMNS = (
    "quarter", "marketplace_id", "seller_id", "storage_type", "record", "item", "round", "figure",
    "value", "unit",
)  # fmt: skip

_Line = tuple[str, str, str, object, str, object, str]


def csv_of(statement: Statement) -> str:
    """Every figure of a statement, in the order of its page."""
    key = (statement.quarter, visible(statement.marketplace_id), visible(statement.seller_id))
    return csv_text(COLUMNS, [(*key, *line) for line in _lines(statement)])


def _lines(statement: Statement) -> Iterator[_Line]:
    for market in statement.markets:
        place = visible(market.storage_type)
        for record, item, round_, values in _records(market):
            for figure, value, unit in _figures(values, statement):
                yield place, record, visible(item), round_, figure, value, unit
    for table in statement.provenance.tables:
        for figure, value, unit in _figures(table, statement):
            yield "", "published_table", table.table, None, figure, value, unit
    for run in statement.provenance.runs:
        for figure, value, unit in _figures(run, statement):
            yield "", "published_run", str(run.run), None, figure, value, unit
        for file in run.input_files:
            for figure, value, unit in _figures(file, statement):
                yield "", "input_file", f"{run.run}/{file.table}", None, figure, value, unit


def _records(
    market: MarketStatement,
) -> Iterator[tuple[str, str, int | None, DataclassInstance]]:
    if market.base is not None:
        yield "base_allocation", "", None, market.base
        for component in market.base.components:
            yield "score_component", component.component, None, component
    for estimate in market.estimates:
        yield "estimate", estimate.quarter_start.isoformat(), None, estimate
    for request in market.requests:
        for revision in request.revisions:
            item = f"{request.request_id}/{revision.revision}/{revision.version_number}"
            yield "request_revision", item, None, revision
        for outcome in request.rounds:
            yield "round", request.request_id, outcome.round, outcome
        for grant in request.grants:
            yield "grant", request.request_id, grant.round, grant
            for step in grant.steps:
                yield "repricing_step", request.request_id, grant.round, step
    if market.sales is not None:
        yield "sales", "", None, market.sales
        for method in market.sales.methods:
            yield "attribution_method", method.method, None, method
        for day in market.sales.top_days:
            yield "sales_day", day.day.isoformat(), None, day
    for run in market.settlements:
        yield "settlement_run", f"{run.run} {run.stage}", None, run


def _figures(values: DataclassInstance, statement: Statement) -> Iterator[tuple[str, object, str]]:
    """The plain figures of one record; what is nested has records of its own."""
    for field in fields(values):
        value = getattr(values, field.name)
        if not isinstance(value, tuple):
            yield _figure(field.name, value, statement)


def _figure(name: str, value: Any, statement: Statement) -> tuple[str, object, str]:
    currency = statement.currency or "currency"
    digits = statement.minor_unit_digits
    for suffix, unit, decimals in (
        ("_micro_minor", currency, digits + 6),
        ("_minor_per_ft3", f"{currency} per ft3", digits),
        ("_minor", currency, digits),
        ("_milli_ft3", "ft3", 3),
        ("_bp", "%", 2),
    ):
        if name.endswith(suffix):
            figure = name.removesuffix(suffix)
            return figure, None if value is None else _Exact(value).scaleb(-decimals), unit
    if isinstance(value, datetime | date):
        return name, value.isoformat(), ""
    if isinstance(value, bool):
        return name, "yes" if value else "no", ""
    return name, visible(value) if isinstance(value, str) else value, ""


class _Exact(Decimal):
    """A decimal that never prints an exponent."""

    def scaleb(self, other: Any, context: Any = None) -> _Exact:
        return _Exact(super().scaleb(other, context))

    def __str__(self) -> str:
        return format(self, "f")
