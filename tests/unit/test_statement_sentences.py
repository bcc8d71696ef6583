"""What a seller is told, case by case."""

from dataclasses import replace
from datetime import datetime

import pytest
from statement_examples import (
    BASE,
    GRANT,
    MARKET,
    REQUEST,
    REVISION,
    SALES,
    STATEMENT,
    WON,
    with_request,
)

from orchestration.statements.document import Section
from orchestration.statements.figures import Base, Statement
from orchestration.statements.money_sentences import (
    credit_sentences,
    sales_sentences,
    summary_sentences,
)
from orchestration.statements.page import page_of
from orchestration.statements.sentences import base_sentences
from orchestration.statements.words import Currency

USD = Currency("USD", 2)


def request_story(statement: Statement) -> list[str]:
    (market, _sources) = page_of(statement).sections
    requests = next(each for each in market.sections if each.heading == "Requests")
    return list(requests.sections[0].sentences)


def base_story(**changes: object) -> list[str]:
    return list(base_sentences(replace(BASE, **changes), 22))


def test_a_request_is_told_from_asking_to_its_fee():
    assert request_story(STATEMENT) == [
        "You asked for 120 ft³ at up to 5.00 USD per ft³ (received 2026-09-01 08:00:00).",
        "Round 1 granted nothing: 0.37 below the clearing fee.",
        "Round 2 granted 80 ft³ (marginal, 67 % filled) at 4.10 USD per ft³.",
        "Round 3 cleared at 3.20, so your fee for round 2's space fell from 4.10 to 3.20.",
        "Fee for round 2's space: 80 ft³ × 3.20 = 256.00 USD.",
    ]


def test_a_revision_is_told_where_it_came_between_the_rounds():
    change = replace(
        REVISION,
        revision=2,
        requested_milli_ft3=100_000,
        minimum_milli_ft3=10_000,
        first_round=2,
        received_at=datetime.fromisoformat("2026-09-10"),
    )
    told = request_story(with_request(replace(REQUEST, revisions=(REVISION, change))))
    assert told[2] == (
        "You changed it to 100 ft³ at up to 5.00 USD per ft³, and for nothing below 10 ft³ "
        "(revision 2, received 2026-09-10)."
    )


def test_a_revision_after_a_grant_says_what_stays_granted():
    late = replace(REVISION, revision=2, withdrawn=True, first_round=4)
    told = request_story(with_request(replace(REQUEST, revisions=(REVISION, late))))
    assert told[-3:-1] == [
        "You withdrew it (revision 2, received 2026-09-01 08:00:00).",
        "80 ft³ had been granted by then, and what is granted stays granted.",
    ]


def test_a_rejected_revision_says_why_and_leaves_the_one_before_it():
    rejected = replace(
        REVISION,
        version_number=2,
        is_accepted=False,
        reason="too_small",
        reason_text="the requested volume is below the smallest request of 1 ft3",
        requested_milli_ft3=500,
    )
    told = request_story(with_request(replace(REQUEST, revisions=(REVISION, rejected))))
    assert told[1] == (
        "Another revision 1, for 0.5 ft³ at up to 5.00 USD per ft³, received 2026-09-01 08:00:00, "
        "was rejected: the requested volume is below the smallest request of 1 ft³."
    )


def test_a_malformed_request_is_told_without_the_figures_that_it_lacks():
    malformed = replace(
        REVISION, is_accepted=False, max_fee_minor_per_ft3=None, reason_text="the fee is too fine"
    )
    request = replace(REQUEST, revisions=(malformed,), rounds=(), grants=())
    assert request_story(with_request(request)) == [
        "Revision 1, received 2026-09-01 08:00:00, was rejected: the fee is too fine."
    ]


def test_a_request_that_no_round_has_seen_says_so():
    request = replace(REQUEST, rounds=(), grants=())
    assert request_story(with_request(request))[-1] == (
        "It has not stood in a round that has been published."
    )


def test_under_pay_as_bid_the_fee_is_called_the_sellers_own():
    told = request_story(with_request(REQUEST, pay_as_bid_markets=("standard",)))
    assert "at your own max fee, 4.10 USD per ft³." in told[2]


def test_a_prorated_fee_names_its_days():
    grant = replace(GRANT, days_in_force=46, fee_minor=12_800)
    request = replace(REQUEST, grants=(grant,))
    assert request_story(with_request(request, prorated_markets=("standard",)))[-1] == (
        "Fee for round 2's space: 80 ft³ × 3.20 × 46 of 92 days = 128.00 USD."
    )


def test_a_whole_grant_is_in_full():
    whole = replace(WON, reason="granted", reason_text="granted in full")
    told = request_story(with_request(replace(REQUEST, rounds=(whole,))))
    assert "Round 2 granted 80 ft³ (in full) at 4.10 USD per ft³." in told


def test_a_base_that_was_scaled_says_from_what():
    told = base_story()
    assert told[0] == (
        "Your base allocation, space you get without asking, is 90 ft³: 15 ft³ more than the "
        "75 ft³ of last quarter."
    )
    assert told[3].endswith("was scaled down: yours from 95.392 ft³.")
    assert told[4] == (
        "What would raise your score most is the excess share of stock: holding less stock than "
        "90 days of sales need could add up to 200 points."
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"previous_base_milli_ft3": 0}, "is 90 ft³; last quarter you had none."),
        ({"previous_base_milli_ft3": 90_000}, "is 90 ft³, the same as last quarter."),
        ({"previous_base_milli_ft3": 95_000}, "5 ft³ less than the 95 ft³ of last quarter."),
        ({"cohort": "individual"}, "An individual account gets a fixed volume"),
        ({"cohort": "new_professional", "floor_milli_ft3": 5_000}, "you get at least 5 ft³."),
        (
            {
                "cohort": "new_professional",
                "floor_milli_ft3": 99_000,
                "unscaled_milli_ft3": 99_000,
            },
            "you get at least 99 ft³, which is more than that.",
        ),
        ({"unscaled_milli_ft3": 80_000}, "a confirmed volume is never lowered."),
        ({"demand_p90_milli_ft3": 0}, "You are not expected to ship anything"),
        ({"components": BASE.components[1:]}, "no stock or sales record yet to score"),
    ],
)
def test_what_a_base_allocation_says_of(changes, sentence):
    assert sentence in " ".join(base_story(**changes))


def test_a_credit_within_the_fees_is_the_rate():
    told = list(credit_sentences(MARKET, SALES, STATEMENT.terms, USD))
    assert told == [
        "Your credit is 15 % of 1,000.00 USD: 150.00 USD.",
        "Fee 256.00 USD less credit 150.00 USD: 106.00 USD is due.",
    ]


def test_a_credit_at_its_cap_names_the_fees():
    grant = replace(GRANT, credit_minor=25_600, net_due_minor=0)
    market = replace(MARKET, requests=(replace(REQUEST, grants=(grant,)),))
    most = replace(SALES.methods[0], incremental_sales_minor=400_000)
    told = list(credit_sentences(market, replace(SALES, methods=(most,)), STATEMENT.terms, USD))
    assert told == [
        "A credit is 15 % of 4,000.00 USD, but at most your fees of 256.00 USD: 256.00 USD.",
        "Fee 256.00 USD less credit 256.00 USD: nothing is due.",
    ]


def test_a_lower_cap_names_its_share():
    grant = replace(GRANT, credit_minor=12_800, net_due_minor=12_800)
    market = replace(MARKET, requests=(replace(REQUEST, grants=(grant,)),))
    terms = replace(STATEMENT.terms, credit_cap_bp=5_000)
    told = list(credit_sentences(market, SALES, terms, USD))
    assert "but at most 50 % of your fees of 256.00 USD: 128.00 USD." in told[0]


def test_without_sales_there_is_no_credit():
    none = replace(SALES.methods[0], incremental_sales_minor=0)
    told = list(credit_sentences(MARKET, replace(SALES, methods=(none,)), STATEMENT.terms, USD))
    assert told[0] == "No sales were made with the extra space, so there is no credit."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"days_extra_used": 0}, "and on none of them you used it"),
        ({"days_extra_used": 92}, "and on all of them you used it"),
        ({"carried_days": 1}, "On 1 day the marketplace took no stock count"),
        ({"missing_days": 3}, "For 3 days there is no stock count near enough"),
    ],
)
def test_what_the_evidence_says_of(changes, sentence):
    assert sentence in " ".join(sales_sentences(replace(SALES, **changes), USD))


def test_the_summary_of_a_settled_quarter():
    assert list(summary_sentences(STATEMENT, USD)) == [
        "You made 1 request for extra space, and it won 80 ft³.",
        "Later rounds cleared lower, and so lowered the fee of your grant.",
        (
            "Your fees are 256.00 USD; sales made with the extra space earn 150.00 USD of that "
            "back, and 106.00 USD is due."
        ),
    ]


def test_the_summary_of_a_quarter_that_is_not_settled():
    open_grant = replace(GRANT, credit_minor=None, net_due_minor=None, steps=())
    lost = replace(REQUEST, request_id="r-2", rounds=(), grants=())
    market = replace(
        MARKET,
        requests=(replace(REQUEST, grants=(open_grant, replace(open_grant, round=3))), lost),
        sales=None,
        settlements=(),
    )
    statement = replace(STATEMENT, markets=(market,), stage="round-3")
    assert list(summary_sentences(statement, USD)) == [
        "You made 2 requests for extra space, and 1 of them won 160 ft³.",
        "The quarter is not settled yet: fees can still fall, and credits come with it.",
    ]
    page = page_of(statement)
    assert [fact.name for fact in page.facts] == ["Base allocation", "Extra space won", "Fees"]
    assert headings(page.sections) >= {"Fees", "Requests"}
    assert "Settlement" not in headings(page.sections)


def test_the_summary_of_a_seller_that_asked_for_nothing_or_won_nothing():
    silent = replace(STATEMENT, markets=(replace(MARKET, requests=(), sales=None),))
    assert list(summary_sentences(silent, USD)) == ["You asked for no extra space."]
    lost = with_request(replace(REQUEST, grants=()))
    assert list(summary_sentences(lost, USD)) == [
        "You made 1 request for extra space; no round has granted any of it."
    ]


def test_a_settlement_run_that_changed_something_says_by_how_much():
    (market, _sources) = page_of(STATEMENT).sections
    settlement = next(each for each in market.sections if each.heading == "Settlement")
    assert settlement.sentences == (
        "The final run settled 3.00 USD more than the preliminary run.",
    )
    assert settlement.tables[0].rows[1][-1] == "+3.00"


def headings(sections: tuple[Section, ...]) -> set[str]:
    return {
        heading
        for section in sections
        for heading in (section.heading, *headings(section.sections))
    }


def test_the_parts_of_the_example_sum_to_its_change():
    parts = [
        getattr(BASE, f"change_{part}_milli_ft3") for part in ("demand", "score", "floor", "pool")
    ]
    assert isinstance(BASE, Base)
    assert sum(parts) == BASE.base_milli_ft3 - BASE.previous_base_milli_ft3
