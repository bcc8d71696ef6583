"""A seller's quarter in plain sentences: base allocation, requests, and what a reader should know.

Here belongs wording of what happened before the money: sentences about fees' outcome and credits
are ``money_sentences``. Received text is made visible here; escaping is the renderers' business.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.statements.figures import Base, Grant, Request, Revision, RoundOutcome
from orchestration.statements.words import (
    Currency,
    cubic_feet,
    instant,
    percent,
    times,
    visible,
)

COMPONENTS = {
    "excess_share": "excess share of stock",
    "sell_through": "sell-through",
    "stranded_share": "stranded share",
    "in_stock_rate": "in-stock rate",
}
_REMEDIES = {
    "excess_share": "holding less stock than 90 days of sales need",
    "sell_through": "selling more of what you hold or holding less of it",
    "stranded_share": "putting stranded stock back on sale or removing it",
    "in_stock_rate": "keeping what sells in stock",
}


def base_sentences(base: Base, cover_weeks: int) -> Iterator[str]:
    """Why the base allocation is what it is (rules §2)."""
    yield _base_against_last_quarter(base)
    if base.cohort == "individual":
        yield "An individual account gets a fixed volume, whatever it sells, and may not request."
        return
    yield from _demand(base, cover_weeks)
    if base.cohort == "new_professional":
        yield (
            f"As a new professional account you get at least {cubic_feet(base.floor_milli_ft3)}"
            + (
                ", which is more than that."
                if base.unscaled_milli_ft3 == base.floor_milli_ft3
                else "."
            )
        )
    yield from _fit(base)
    yield from _advice(base)


def _demand(base: Base, cover_weeks: int) -> Iterator[str]:
    if base.demand_p90_milli_ft3 == 0:
        yield "You are not expected to ship anything in the quarter, so your target is 0 ft³."
        return
    yield (
        f"You are expected to ship {cubic_feet(base.demand_milli_ft3)} in the quarter, and four "
        f"times out of five between {cubic_feet(base.demand_p10_milli_ft3)} and "
        f"{cubic_feet(base.demand_p90_milli_ft3)}."
    )
    yield (
        f"{cover_weeks} weeks of that are your target, {cubic_feet(base.target_milli_ft3)}, and "
        f"your score of {base.score} (of 1000) multiplies it by {times(base.multiplier_bp)}."
    )


def _base_against_last_quarter(base: Base) -> str:
    change = base.base_milli_ft3 - base.previous_base_milli_ft3
    start = (
        f"Your base allocation, space you get without asking, is {cubic_feet(base.base_milli_ft3)}"
    )
    if base.previous_base_milli_ft3 == 0:
        return f"{start}; last quarter you had none."
    if change == 0:
        return f"{start}, the same as last quarter."
    more = "more" if change > 0 else "less"
    return (
        f"{start}: {cubic_feet(abs(change))} {more} than the "
        f"{cubic_feet(base.previous_base_milli_ft3)} of last quarter."
    )


def _fit(base: Base) -> Iterator[str]:
    if base.base_milli_ft3 < base.unscaled_milli_ft3:
        yield (
            f"Together, sellers' claims exceed the market's base pool of "
            f"{cubic_feet(base.pool_milli_ft3)}, so what lies above sellers' floors was scaled "
            f"down: yours from {cubic_feet(base.unscaled_milli_ft3)}."
        )
    elif base.base_milli_ft3 > base.unscaled_milli_ft3:
        yield "It was confirmed at this volume before, and a confirmed volume is never lowered."


def _advice(base: Base) -> Iterator[str]:
    if not any(component.points is not None for component in base.components):
        yield "There is no stock or sales record yet to score, so you have the usual first score."
    for component in base.components:
        if component.raises_most:
            yield (
                f"What would raise your score most is the {COMPONENTS[component.component]}: "
                f"{_REMEDIES[component.component]} could add up to {component.score_gain} points."
            )


def request_sentences(
    request: Request, currency: Currency, *, is_pay_as_bid: bool, is_prorated: bool
) -> Iterator[str]:
    """A request's story in the order in which it happened (rules §§3–5)."""
    told = 0
    for number in _rounds_of(request):
        while told < len(request.revisions) and _is_before(request.revisions[told], number):
            yield from _revision_sentences(request, told, currency)
            told += 1
        for outcome in request.rounds:
            if outcome.round == number:
                yield _round(outcome, _grant_of(request, number), currency, is_pay_as_bid)
        yield from _repricings(request, number, currency)
    for place in range(told, len(request.revisions)):
        yield from _revision_sentences(request, place, currency)
    for grant in request.grants:
        yield _fee(grant, currency, is_prorated)
    binding = _accepted_before(request, len(request.revisions))
    if binding is not None and not request.rounds and not binding.withdrawn:
        yield "It has not stood in a round that has been published."


def _rounds_of(request: Request) -> list[int]:
    """Rounds in which something became of a request, in order."""
    steps = (step.repriced_in_round for grant in request.grants for step in grant.steps)
    return sorted({*(outcome.round for outcome in request.rounds), *steps})


def _is_before(revision: Revision, number: int) -> bool:
    return revision.first_round is not None and revision.first_round <= number


def _repricings(request: Request, number: int, currency: Currency) -> Iterator[str]:
    for grant in request.grants:
        for step in grant.steps:
            if step.repriced_in_round == number:
                after = currency.number(step.fee_after_minor_per_ft3)
                yield (
                    f"Round {number} cleared at {after}, so your fee for round {grant.round}'s "
                    f"space fell from {currency.number(step.fee_before_minor_per_ft3)} to {after}."
                )


def _accepted_before(request: Request, place: int) -> Revision | None:
    accepted = [revision for revision in request.revisions[:place] if revision.is_accepted]
    return accepted[-1] if accepted else None


def _revision_sentences(request: Request, place: int, currency: Currency) -> Iterator[str]:
    revision = request.revisions[place]
    before = _accepted_before(request, place)
    yield _revision(revision, before, currency)
    granted = sum(
        grant.granted_milli_ft3
        for grant in request.grants
        if revision.first_round is not None and grant.round < revision.first_round
    )
    if revision.is_accepted and granted:
        yield (
            f"{cubic_feet(granted)} had been granted by then, and what is granted stays granted."
        )


def _revision(revision: Revision, before: Revision | None, currency: Currency) -> str:
    received = f"received {instant(revision.received_at)}"
    if not revision.is_accepted:
        return _rejected(revision, received, currency)
    if revision.withdrawn:
        return f"You withdrew it (revision {revision.revision}, {received})."
    asked = _asked(revision, currency)
    if before is None:
        return f"You asked for {asked} ({received})."
    return f"You changed it to {asked} (revision {revision.revision}, {received})."


def _rejected(revision: Revision, received: str, currency: Currency) -> str:
    which = "Another revision" if revision.version_number > 1 else "Revision"
    is_readable = None not in (revision.requested_milli_ft3, revision.max_fee_minor_per_ft3)
    asked = f", for {_asked(revision, currency)}" if is_readable else ""
    return (
        f"{which} {revision.revision}{asked}, {received}, was rejected: "
        f"{reason(revision.reason_text)}."
    )


def reason(text: str) -> str:
    """A published reason as a reader sees it.

    >>> reason("below the smallest request of 1 ft3")
    'below the smallest request of 1 ft³'
    """
    return visible(text).replace("ft3", "ft³")


def _asked(revision: Revision, currency: Currency) -> str:
    volume = cubic_feet(revision.requested_milli_ft3 or 0)
    fee = currency.amount(revision.max_fee_minor_per_ft3 or 0)
    minimum = revision.minimum_milli_ft3 or 0
    unless = f", and for nothing below {cubic_feet(minimum)}" if minimum else ""
    return f"{volume} at up to {fee} per ft³{unless}"


def _grant_of(request: Request, number: int) -> Grant | None:
    return next((grant for grant in request.grants if grant.round == number), None)


def _round(
    outcome: RoundOutcome, grant: Grant | None, currency: Currency, is_pay_as_bid: bool
) -> str:
    why = reason(outcome.reason_text)
    if outcome.granted_milli_ft3 == 0 or grant is None:
        return f"Round {outcome.round} granted nothing: {why}."
    whose = "your own max fee, " if is_pay_as_bid else ""
    detail = "in full" if outcome.reason == "granted" else why
    return (
        f"Round {outcome.round} granted {cubic_feet(outcome.granted_milli_ft3)} ({detail}) at "
        f"{whose}{currency.amount(grant.round_fee_minor_per_ft3)} per ft³."
    )


def _fee(grant: Grant, currency: Currency, is_prorated: bool) -> str:
    days = f" × {grant.days_in_force} of {grant.days_in_quarter} days" if is_prorated else ""
    return (
        f"Fee for round {grant.round}'s space: {cubic_feet(grant.granted_milli_ft3)} × "
        f"{currency.number(grant.final_fee_minor_per_ft3)}{days} = "
        f"{currency.amount(grant.fee_minor)}."
    )


def component_value(component: str, value_bp: int | None) -> str:
    """A component's value as it is read: sell-through in turns, the others as shares."""
    if value_bp is None:
        return "no record yet"
    return f"{times(value_bp)} ×" if component == "sell_through" else percent(value_bp)
