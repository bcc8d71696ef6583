"""Statements put together: one seller's, or those of every seller of a quarter in batches.

Here belongs choosing sellers and nesting their rows: request, revisions, rounds, grants, steps.
Queries are ``queries``; what a statement says in words is ``sentences``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import duckdb

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy
from orchestration.catalogue import open_catalogue
from orchestration.errors import BadUsage
from orchestration.paths import DataFolder
from orchestration.statements import queries, reading
from orchestration.statements.alternatives import (
    METHODS,
    SellerMarket,
    components_by_seller_market,
    credits_by_method,
)
from orchestration.statements.figures import (
    AttributionResult,
    Base,
    Estimate,
    Grant,
    MarketStatement,
    Provenance,
    RepricingStep,
    Request,
    Revision,
    RoundOutcome,
    Sales,
    SalesDay,
    ScoreComponent,
    SettlementRun,
    Statement,
    Terms,
)
from orchestration.statements.provenance import held_runs, latest_held, policy_of, provenance_of
from orchestration.statements.reading import Readings, Row, Seller
from orchestration.statements.words import visible

BATCH = 1_000


def seller_statement(
    data: DataFolder, quarter: Quarter, seller_id: str, marketplace: str | None
) -> Statement:
    """One seller's statement.

    Raises:
        NotPublished: nothing of the quarter has been published.
        BadUsage: the quarter has no such seller, or has it in several marketplaces.
    """
    quarter_facts = _QuarterFacts.read(data, quarter)
    with open_catalogue(data) as catalogue:
        reading.name_sellers(catalogue, quarter.label)
        places = reading.places_of(catalogue, seller_id, marketplace)
        if not places:
            raise _unknown(catalogue, quarter, seller_id, marketplace)
        if len(places) > 1:
            raise BadUsage(
                f"'{visible(seller_id)}' sells in {', '.join(map(visible, places))} in "
                f"{quarter.label}; name one of them with --marketplace"
            )
        (place,) = places.values()
        (statement,) = quarter_facts.statements(catalogue, place, place)
    return statement


def every_statement(data: DataFolder, quarter: Quarter) -> Iterator[tuple[Statement, int]]:
    """Every seller's statement in order of marketplace and seller, with how many there are.

    Sellers are read a thousand at a time, so that memory does not grow with their number.

    Raises:
        NotPublished: nothing of the quarter has been published.
    """
    quarter_facts = _QuarterFacts.read(data, quarter)
    with open_catalogue(data) as catalogue:
        sellers = reading.name_sellers(catalogue, quarter.label)
        for first in range(1, sellers + 1, BATCH):
            for statement in quarter_facts.statements(catalogue, first, first + BATCH - 1):
                yield statement, sellers


def _unknown(
    catalogue: duckdb.DuckDBPyConnection, quarter: Quarter, seller_id: str, marketplace: str | None
) -> BadUsage:
    where = f" in marketplace '{visible(marketplace)}'" if marketplace else ""
    elsewhere = reading.places_of(catalogue, seller_id, None)
    if elsewhere:
        hint = f"it sells in {', '.join(map(visible, elsewhere))}"
    else:
        near = " and ".join(visible(each) for each in reading.nearest_sellers(catalogue, seller_id))
        hint = f"the most similar of its sellers are {near}; `fbacap sql` lists them all"
    return BadUsage(f"{quarter.label} has no seller '{visible(seller_id)}'{where}; {hint}")


@dataclass(frozen=True)
class _QuarterFacts:
    """What all statements of a quarter share."""

    quarter: Quarter
    policy: Policy
    stage: str
    cutoff_at: datetime
    provenance: Provenance

    @classmethod
    def read(cls, data: DataFolder, quarter: Quarter) -> _QuarterFacts:
        held = held_runs(data, quarter)
        latest = latest_held(held)
        return cls(
            quarter=quarter,
            policy=policy_of(latest),
            stage=latest.stage,
            cutoff_at=latest.cutoff_at.replace(tzinfo=None),
            provenance=provenance_of(held),
        )

    def statements(
        self, catalogue: duckdb.DuckDBPyConnection, first: int, last: int
    ) -> list[Statement]:
        label = self.quarter.label
        sellers = reading.choose(catalogue, first, last)
        made = _Made(
            readings=reading.read_chosen(catalogue, label),
            components=components_by_seller_market(
                reading.frame(catalogue, queries.SCORES, label), self.policy.base_allocation
            ),
            credits=credits_by_method(
                reading.frame(catalogue, queries.PRICED_GRANTS, label),
                reading.frame(catalogue, queries.METHODS, label),
                self.policy.settlement,
            ),
        )
        currencies = reading.currencies(catalogue)
        return [self._statement(seller, made, currencies) for seller in sellers]

    def _statement(
        self, seller: Seller, made: _Made, currencies: Mapping[str, tuple[str | None, int]]
    ) -> Statement:
        currency, digits = currencies.get(seller[0], (None, 2))
        markets = made.markets(seller)
        return Statement(
            quarter=self.quarter.label,
            marketplace_id=seller[0],
            seller_id=seller[1],
            currency=currency,
            minor_unit_digits=digits,
            stage=self.stage,
            cutoff_at=self.cutoff_at,
            terms=self._terms(seller[0], [market.storage_type for market in markets]),
            markets=markets,
            provenance=self.provenance,
        )

    def _terms(self, marketplace: str, storage_types: Sequence[str]) -> Terms:
        rules = {each: self.policy.clearing_rules(marketplace, each) for each in storage_types}
        return Terms(
            cover_weeks=self.policy.base_allocation.cover_weeks,
            credit_rate_bp=self.policy.settlement.credit_rate_bp,
            credit_cap_bp=self.policy.settlement.credit_cap_bp,
            pay_as_bid_markets=tuple(
                each for each, rule in rules.items() if rule.price_rule == "pay_as_bid"
            ),
            prorated_markets=tuple(
                each for each, rule in rules.items() if rule.fee_basis == "prorated"
            ),
        )


@dataclass(frozen=True)
class _Made:
    """Rows of some sellers, and what was worked out beside them."""

    readings: Readings
    components: Mapping[SellerMarket, tuple[ScoreComponent, ...]]
    credits: Mapping[str, Mapping[SellerMarket, int]]

    def markets(self, seller: Seller) -> tuple[MarketStatement, ...]:
        storage_types = sorted(
            {*self.readings.of("bases", seller).rows, *self.readings.of("revisions", seller).rows},
            key=str.encode,
        )
        return tuple(self._market(seller, each) for each in storage_types)

    def _market(self, seller: Seller, storage_type: str) -> MarketStatement:
        key = (seller[0], storage_type, seller[1])
        bases = self.readings.of("bases", seller).of(storage_type)
        sales = self.readings.of("sales", seller).of(storage_type)
        top_days = self.readings.of("top_days", seller).of(storage_type)
        return MarketStatement(
            storage_type=storage_type,
            base=Base(**bases[0], components=self.components.get(key, ())) if bases else None,
            estimates=tuple(
                Estimate(**row) for row in self.readings.of("estimates", seller).of(storage_type)
            ),
            requests=self._requests(seller, storage_type),
            sales=self._sales(key, sales[0], top_days) if sales else None,
            settlements=tuple(
                SettlementRun(**row)
                for row in self.readings.of("settlements", seller).of(storage_type)
            ),
        )

    def _requests(self, seller: Seller, storage_type: str) -> tuple[Request, ...]:
        rows = {
            name: _by_request(self.readings.of(name, seller).of(storage_type))
            for name in ("revisions", "rounds", "grants", "steps")
        }
        return tuple(
            Request(
                request_id=request_id,
                revisions=tuple(Revision(**row) for row in revisions),
                rounds=tuple(RoundOutcome(**row) for row in rows["rounds"].get(request_id, ())),
                grants=tuple(
                    _grant(row, rows["steps"].get(request_id, ()))
                    for row in rows["grants"].get(request_id, ())
                ),
            )
            for request_id, revisions in rows["revisions"].items()
        )

    def _sales(self, key: SellerMarket, row: Row, top_days: Sequence[Row]) -> Sales:
        amounts = {method: int(row[f"{method}_minor"]) for method in METHODS}
        rest = {name: value for name, value in row.items() if name != "method"}
        for method in METHODS:
            del rest[f"{method}_minor"]
        return Sales(
            **rest,
            methods=tuple(
                AttributionResult(
                    method=method,
                    incremental_sales_minor=amounts[method],
                    credit_minor=self.credits[method].get(key, 0),
                    pays=method == row["method"],
                )
                for method in METHODS
            ),
            top_days=tuple(SalesDay(**day) for day in top_days),
        )


def _by_request(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows without their request id, by it; the rows stand in its order."""
    return {
        request_id: [
            {name: value for name, value in row.items() if name != "request_id"} for row in group
        ]
        for request_id, group in groupby(rows, key=lambda row: str(row["request_id"]))
    }


def _grant(row: Row, steps: Sequence[Row]) -> Grant:
    return Grant(
        **row,
        steps=tuple(
            RepricingStep(**{name: value for name, value in step.items() if name != "round"})
            for step in steps
            if step["round"] == row["round"]
        ),
    )
