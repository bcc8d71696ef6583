"""The sections about money: fees, sales and credit, settlement runs.

Here belong their tables; sentences are ``money_sentences``, the page around them is ``page``.
"""

from __future__ import annotations

from orchestration.statements.document import Column, Section, Table
from orchestration.statements.figures import MarketStatement, Sales, Statement
from orchestration.statements.money_sentences import (
    METHODS,
    credit_sentences,
    sales_sentences,
    settlement_sentences,
)
from orchestration.statements.words import Currency, instant, signed, volume


def fees_section(market: MarketStatement, currency: Currency) -> Section:
    """Each grant from its round fee to its fee, with every step between (rules §5)."""
    grants = [
        (f"request {number}, round {grant.round}", grant)
        for number, request in enumerate(market.requests, start=1)
        for grant in request.grants
    ]
    total = ("in all", volume(sum(grant.granted_milli_ft3 for _, grant in grants)))
    fees = Table(
        "Space won and its fees",
        (
            Column("Grant", "text"),
            Column("Granted, ft³"),
            Column(f"Round fee, {currency.per_ft3}"),
            Column(f"Final fee, {currency.per_ft3}"),
            Column(f"Fee{currency.heading}"),
        ),
        (
            *(
                (
                    name,
                    volume(grant.granted_milli_ft3),
                    currency.number(grant.round_fee_minor_per_ft3),
                    currency.number(grant.final_fee_minor_per_ft3),
                    currency.number(grant.fee_minor),
                )
                for name, grant in grants
            ),
            (*total, "", "", currency.number(sum(grant.fee_minor for _, grant in grants))),
        ),
        total=True,
    )
    steps = Table(
        "Every step that lowered a fee",
        (
            Column("Grant", "text"),
            Column("Lowered by round"),
            Column(f"From, {currency.per_ft3}"),
            Column(f"To, {currency.per_ft3}"),
        ),
        tuple(
            (
                name,
                str(step.repriced_in_round),
                currency.number(step.fee_before_minor_per_ft3),
                currency.number(step.fee_after_minor_per_ft3),
            )
            for name, grant in grants
            for step in grant.steps
        ),
    )
    told = (
        "A later round that clears lower lowers your fee; nothing can raise it.",
        *(() if steps.rows else ("No later round cleared lower.",)),
    )
    return Section("Fees", told, (fees, steps) if steps.rows else (fees,))


def sales_section(
    statement: Statement, market: MarketStatement, sales: Sales, currency: Currency
) -> Section:
    """Sales by each method, the days behind them, and the credit (rules §§6–7)."""
    methods = Table(
        "What each way of counting gives; one pays",
        (
            Column("Method", "text"),
            Column(f"Sales counted{currency.heading}"),
            Column(f"Credit{currency.heading}"),
            Column("Pays", "text"),
        ),
        tuple(
            (
                METHODS[each.method],
                currency.number(each.incremental_sales_minor),
                currency.number(each.credit_minor),
                "yes" if each.pays else "no, for comparison",
            )
            for each in sales.methods
        ),
    )
    days = Table(
        "Days on which used extra space sold most (usage layer)",
        (
            Column("Day", "text"),
            Column(f"Sales{currency.heading}"),
            Column("Used, ft³"),
            Column("Of that beyond base, ft³"),
            Column(f"Counted{currency.heading}"),
        ),
        tuple(
            (
                each.day.isoformat(),
                currency.number(each.net_sales_minor),
                volume(each.used_milli_ft3),
                volume(each.extra_used_milli_ft3),
                currency.millionths(each.usage_layer_micro_minor),
            )
            for each in sales.top_days
        ),
    )
    told = (
        *sales_sentences(sales, currency),
        *credit_sentences(market, sales, statement.terms, currency),
    )
    tables = (methods, days) if days.rows else (methods,)
    return Section("Sales made with the extra space, and credit", told, tables)


def settlement_section(market: MarketStatement, currency: Currency) -> Section:
    """Every settlement run with its difference to the one before (rules §7)."""
    table = Table(
        f"Settlement runs{currency.heading}",
        (
            Column("Run", "text"),
            Column("Fee"),
            Column("Credit"),
            Column("Net due"),
            Column("Change of fee"),
            Column("Change of credit"),
            Column("Change of net due"),
        ),
        tuple(
            (
                f"{each.stage}, {instant(each.cutoff_at)}",
                currency.number(each.fee_minor),
                currency.number(each.credit_minor),
                currency.number(each.net_due_minor),
                signed(currency.number(each.delta_fee_minor)),
                signed(currency.number(each.delta_credit_minor)),
                signed(currency.number(each.delta_net_due_minor)),
            )
            for each in market.settlements
        ),
    )
    return Section(
        "Settlement", tuple(settlement_sentences(market.settlements, currency)), (table,)
    )
