"""The page of a statement: which sections and tables it has, market by market.

Here belongs what is shown and in which order. Sentences are ``sentences`` and ``money_sentences``;
where the figures come from is ``source_sections``.
"""

from __future__ import annotations

from orchestration.statements.document import Column, Fact, Page, Section, Table
from orchestration.statements.figures import Base, MarketStatement, Request, Statement
from orchestration.statements.money_sections import (
    fees_section,
    sales_section,
    settlement_section,
)
from orchestration.statements.money_sentences import summary_sentences
from orchestration.statements.sentences import (
    COMPONENTS,
    base_sentences,
    component_value,
    reason,
    request_sentences,
)
from orchestration.statements.source_sections import source_section
from orchestration.statements.words import (
    NOTHING,
    Currency,
    cubic_feet,
    instant,
    percent,
    signed,
    visible,
    volume,
)


def page_of(statement: Statement) -> Page:
    """Everything that a statement shows, in order."""
    currency = Currency(statement.currency, statement.minor_unit_digits)
    return Page(
        title=f"Capacity statement {statement.quarter}",
        seller=visible(statement.seller_id),
        subtitle=(
            f"Marketplace {visible(statement.marketplace_id)}, as of the {statement.stage} run "
            f"(cut-off {instant(statement.cutoff_at)} UTC)"
        ),
        facts=_facts(statement, currency),
        summary=tuple(summary_sentences(statement, currency)),
        sections=(
            *(_market(statement, market, currency) for market in statement.markets),
            source_section(statement),
        ),
    )


def _facts(statement: Statement, currency: Currency) -> tuple[Fact, ...]:
    grants = [grant for market in statement.markets for grant in market.grants]
    base = sum(market.base.base_milli_ft3 for market in statement.markets if market.base)
    facts = [
        Fact("Base allocation", cubic_feet(base)),
        Fact("Extra space won", cubic_feet(sum(grant.granted_milli_ft3 for grant in grants))),
        Fact("Fees", currency.amount(sum(grant.fee_minor for grant in grants))),
    ]
    if not grants:
        return tuple(facts[:2])
    if statement.is_settled:
        credit = sum(grant.credit_minor or 0 for grant in grants)
        due = sum(grant.net_due_minor or 0 for grant in grants)
        facts += [Fact("Credit", currency.amount(credit)), Fact("Net due", currency.amount(due))]
    return tuple(facts)


def _market(statement: Statement, market: MarketStatement, currency: Currency) -> Section:
    sections = []
    if market.base is not None:
        sections.append(_base_section(market, market.base, statement.terms.cover_weeks))
    sections.append(_requests_section(statement, market, currency))
    if market.grants:
        sections.append(fees_section(market, currency))
    if market.sales is not None:
        sections.append(sales_section(statement, market, market.sales, currency))
    if market.settlements:
        sections.append(settlement_section(market, currency))
    return Section(f"Storage type {visible(market.storage_type)}", sections=tuple(sections))


def _base_section(market: MarketStatement, base: Base, cover_weeks: int) -> Section:
    tables = [_change_table(base)]
    if base.cohort != "individual" and base.components:
        tables.append(_score_table(base))
    if market.estimates:
        tables.append(
            Table(
                "Estimates of later quarters' base allocations: not promises",
                (Column("Quarter from", "text"), Column("Estimate, ft³")),
                tuple(
                    (each.quarter_start.isoformat(), volume(each.estimate_milli_ft3))
                    for each in market.estimates
                ),
            )
        )
    return Section("Base allocation", tuple(base_sentences(base, cover_weeks)), tuple(tables))


def _change_table(base: Base) -> Table:
    parts = (
        ("demand: what you are expected to ship", base.change_demand_milli_ft3),
        ("score: how well space was used", base.change_score_milli_ft3),
        ("floor: what your kind of account gets at least", base.change_floor_milli_ft3),
        ("pool: fitting all sellers into the market", base.change_pool_milli_ft3),
    )
    return Table(
        "Why it moved since last quarter",
        (Column("Part", "text"), Column("Volume, ft³")),
        (
            ("last quarter's base allocation", volume(base.previous_base_milli_ft3)),
            *((name, signed(volume(part))) for name, part in parts),
            ("this quarter's base allocation", volume(base.base_milli_ft3)),
        ),
        total=True,
    )


def _score_table(base: Base) -> Table:
    return Table(
        f"What the score of {base.score} is made of",
        (
            Column("Component", "text"),
            Column("Value"),
            Column("Points of 1000"),
            Column("Weight"),
            Column("Adds to score"),
            Column("Could still add"),
        ),
        tuple(
            (
                COMPONENTS[each.component],
                component_value(each.component, each.value_bp),
                NOTHING if each.points is None else str(each.points),
                percent(each.weight_bp),
                str(each.score_part),
                str(each.score_gain),
            )
            for each in base.components
        ),
    )


def _requests_section(statement: Statement, market: MarketStatement, currency: Currency) -> Section:
    if not market.requests:
        return Section("Requests", ("You asked for no extra space in this market.",))
    return Section(
        "Requests",
        sections=tuple(
            _request_section(statement, market.storage_type, number, request, currency)
            for number, request in enumerate(market.requests, start=1)
        ),
    )


def _request_section(
    statement: Statement, storage_type: str, number: int, request: Request, currency: Currency
) -> Section:
    told = request_sentences(
        request,
        currency,
        is_pay_as_bid=storage_type in statement.terms.pay_as_bid_markets,
        is_prorated=storage_type in statement.terms.prorated_markets,
    )
    table = Table(
        f"Rounds that request {number} stood in",
        (
            Column("Round", "text"),
            Column("Open, ft³"),
            Column("Granted, ft³"),
            Column(f"Clearing fee, {currency.per_ft3}"),
            Column("Why", "text"),
        ),
        tuple(
            (
                f"round {each.round}",
                volume(each.open_milli_ft3),
                volume(each.granted_milli_ft3),
                NOTHING
                if each.clearing_fee_minor_per_ft3 is None
                else currency.number(each.clearing_fee_minor_per_ft3),
                reason(each.reason_text),
            )
            for each in request.rounds
        ),
    )
    return Section(
        f"Request {number}: {visible(request.request_id)}",
        tuple(told),
        (table,) if request.rounds else (),
    )
