"""Sales, credits and settlement runs in plain sentences (rules §§6–7).

Here belongs the wording of what the extra space earned and what is due. What happened before that
is ``sentences``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from orchestration.statements.figures import (
    AttributionResult,
    MarketStatement,
    Sales,
    SettlementRun,
    Statement,
    Terms,
)
from orchestration.statements.words import Currency, count, cubic_feet, percent

METHODS = {
    "usage_layer": "usage layer",
    "capacity_share": "capacity share",
    "forecast_uplift": "forecast uplift",
}
METHOD_MEANINGS = {
    "usage_layer": "each day's sales, in the share of your stock that lay above the base",
    "capacity_share": "each day's sales, in the share of your space that was won in rounds",
    "forecast_uplift": "sales above what was forecast for the base alone",
}


def summary_sentences(statement: Statement, currency: Currency) -> Iterator[str]:
    """The quarter in a few sentences, over all markets."""
    requests = [request for market in statement.markets for request in market.requests]
    grants = [grant for request in requests for grant in request.grants]
    if not requests:
        yield "You asked for no extra space."
        return
    asked = count(len(requests), "request", "requests")
    if not grants:
        yield f"You made {asked} for extra space; no round has granted any of it."
        return
    volume = cubic_feet(sum(grant.granted_milli_ft3 for grant in grants))
    winners = _winners(sum(bool(request.grants) for request in requests), len(requests))
    yield f"You made {asked} for extra space, and {winners} won {volume}."
    lowered = sum(bool(grant.steps) for grant in grants)
    if lowered:
        whose = _share(lowered, len(grants))
        yield f"Later rounds cleared lower, and so lowered the fee of {whose}."
    if not statement.is_settled:
        yield "The quarter is not settled yet: fees can still fall, and credits come with it."
        return
    fee = sum(grant.fee_minor for grant in grants)
    credit = sum(grant.credit_minor or 0 for grant in grants)
    yield (
        f"Your fees are {currency.amount(fee)}; sales made with the extra space earn "
        f"{currency.amount(credit)} of that back, and {currency.amount(fee - credit)} is due."
    )


def _winners(part: int, whole: int) -> str:
    if part < whole:
        return f"{part:,} of them"
    return "it" if whole == 1 else "all of them"


def _share(part: int, whole: int) -> str:
    if part < whole:
        return f"{part:,} of your {whole:,} grants"
    return "your grant" if whole == 1 else f"all your {whole:,} grants"


def sales_sentences(sales: Sales, currency: Currency) -> Iterator[str]:
    """What was sold, and on how many days the extra space was used (rules §6)."""
    paying = paying_method(sales)
    yield (
        f"You sold for {currency.amount(sales.net_sales_minor)} in this market in the quarter, "
        "after refunds and without tax."
    )
    yield (
        f"Extra space was in force on {count(sales.days_with_extra, 'day', 'days')}, and "
        f"{_days_used(sales)} you used it, that is held more than your base."
    )
    yield (
        f"By {METHODS[paying.method]}, the method that pays, "
        f"{currency.amount(paying.incremental_sales_minor)} of the sales were made with it "
        f"({METHOD_MEANINGS[paying.method]})."
    )
    if sales.carried_days:
        yield (
            f"On {count(sales.carried_days, 'day', 'days')} the marketplace took no stock count; "
            "the last one before it stands in."
        )
    if sales.missing_days:
        yield (
            f"For {count(sales.missing_days, 'day', 'days')} there is no stock count near enough, "
            "and they count as days without use."
        )


def _days_used(sales: Sales) -> str:
    if sales.days_extra_used in (0, sales.days_with_extra):
        return "on none of them" if sales.days_extra_used == 0 else "on all of them"
    return f"on {sales.days_extra_used:,} of them"


def credit_sentences(
    market: MarketStatement, sales: Sales, terms: Terms, currency: Currency
) -> Iterator[str]:
    """How the credit came about and what is due (rules §7)."""
    paying = paying_method(sales)
    fee = sum(grant.fee_minor for grant in market.grants)
    credit = sum(grant.credit_minor or 0 for grant in market.grants)
    due = sum(grant.net_due_minor or 0 for grant in market.grants)
    yield _why_the_credit(paying, fee, credit, terms, currency)
    yield (
        f"Fee {currency.amount(fee)} less credit {currency.amount(credit)}: "
        + ("nothing is due." if due == 0 else f"{currency.amount(due)} is due.")
    )


def _why_the_credit(
    paying: AttributionResult, fee: int, credit: int, terms: Terms, currency: Currency
) -> str:
    sales = paying.incremental_sales_minor
    if sales <= 0:
        return "No sales were made with the extra space, so there is no credit."
    share = f"{percent(terms.credit_rate_bp)} of {currency.amount(sales)}"
    if _reaches_cap(sales, credit, terms):
        limit = (
            f"your fees of {currency.amount(fee)}"
            if terms.credit_cap_bp == 10_000
            else f"{percent(terms.credit_cap_bp)} of your fees of {currency.amount(fee)}"
        )
        return f"A credit is {share}, but at most {limit}: {currency.amount(credit)}."
    return f"Your credit is {share}: {currency.amount(credit)}."


def _reaches_cap(sales_minor: int, credit_minor: int, terms: Terms) -> bool:
    """Whether the rate alone would give more than was credited, rounding aside."""
    return sales_minor * terms.credit_rate_bp > credit_minor * 10_000 + 5_000


def settlement_sentences(
    settlements: tuple[SettlementRun, ...], currency: Currency
) -> Iterator[str]:
    """What each later run changed (rules §7)."""
    for earlier, run in pairwise(settlements):
        if not (run.delta_fee_minor or run.delta_credit_minor or run.delta_net_due_minor):
            yield f"The {run.stage} run changed nothing."
        else:
            more = "more" if run.delta_net_due_minor > 0 else "less"
            yield (
                f"The {run.stage} run settled {currency.amount(abs(run.delta_net_due_minor))} "
                f"{more} than the {earlier.stage} run."
            )


def paying_method(sales: Sales) -> AttributionResult:
    """The method whose amount the credit is worked out from."""
    return next(method for method in sales.methods if method.pays)
