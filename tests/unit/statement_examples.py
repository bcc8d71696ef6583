"""A statement small enough to read, and one with every string hostile."""

from dataclasses import replace
from datetime import date, datetime

from orchestration.statements.figures import (
    AttributionResult,
    Base,
    Estimate,
    Grant,
    InputFile,
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
    SourceRun,
    SourceTable,
    Statement,
    Terms,
)

SHA = "ab" * 32

BASE = Base(
    cohort="professional",
    demand_p10_milli_ft3=30_000,
    demand_p50_milli_ft3=52_000,
    demand_p90_milli_ft3=80_000,
    demand_milli_ft3=52_000,
    sales_forecast_minor=900_000,
    target_milli_ft3=88_000,
    score=640,
    multiplier_bp=10_840,
    unscaled_milli_ft3=95_392,
    floor_milli_ft3=0,
    pool_milli_ft3=1_000_000,
    base_milli_ft3=90_000,
    previous_base_milli_ft3=75_000,
    change_demand_milli_ft3=18_000,
    change_score_milli_ft3=2_392,
    change_floor_milli_ft3=0,
    change_pool_milli_ft3=-5_392,
    components=(
        ScoreComponent(
            component="excess_share",
            value_bp=2_000,
            points=800,
            weight_bp=10_000,
            score_part=640,
            score_gain=200,
            raises_most=True,
        ),
        ScoreComponent(
            component="in_stock_rate",
            value_bp=None,
            points=None,
            weight_bp=0,
            score_part=0,
            score_gain=0,
            raises_most=False,
        ),
    ),
)

REVISION = Revision(
    revision=1,
    version_number=1,
    max_fee_minor_per_ft3=500,
    requested_milli_ft3=120_000,
    minimum_milli_ft3=0,
    received_at=datetime.fromisoformat("2026-09-01 08:00"),
    withdrawn=False,
    first_round=1,
    is_accepted=True,
    reason="accepted",
    reason_text="accepted",
    source_file=SHA,
    source_row=7,
)

LOST = RoundOutcome(
    round=1,
    revision=1,
    open_milli_ft3=120_000,
    trimmed_milli_ft3=120_000,
    granted_milli_ft3=0,
    reason="below_clearing_fee",
    reason_text="0.37 below the clearing fee",
    clearing_fee_minor_per_ft3=537,
)
WON = replace(
    LOST,
    round=2,
    granted_milli_ft3=80_000,
    reason="marginal",
    reason_text="marginal, 67 % filled",
    clearing_fee_minor_per_ft3=410,
)

GRANT = Grant(
    round=2,
    granted_milli_ft3=80_000,
    max_fee_minor_per_ft3=500,
    round_fee_minor_per_ft3=410,
    final_fee_minor_per_ft3=320,
    days_in_force=92,
    days_in_quarter=92,
    fee_minor=25_600,
    credit_minor=15_000,
    net_due_minor=10_600,
    steps=(
        RepricingStep(
            repriced_in_round=3, fee_before_minor_per_ft3=410, fee_after_minor_per_ft3=320
        ),
    ),
)

REQUEST = Request(request_id="r-1", revisions=(REVISION,), rounds=(LOST, WON), grants=(GRANT,))

SALES = Sales(
    net_sales_minor=1_000_000,
    sales_forecast_minor=900_000,
    missing_days=0,
    carried_days=0,
    days_with_extra=92,
    days_extra_used=40,
    methods=(
        AttributionResult(
            method="usage_layer", incremental_sales_minor=100_000, credit_minor=15_000, pays=True
        ),
        AttributionResult(
            method="capacity_share",
            incremental_sales_minor=400_000,
            credit_minor=25_600,
            pays=False,
        ),
        AttributionResult(
            method="forecast_uplift",
            incremental_sales_minor=100_000,
            credit_minor=15_000,
            pays=False,
        ),
    ),
    top_days=(
        SalesDay(
            day=date(2026, 11, 27),
            net_sales_minor=90_000,
            used_milli_ft3=150_000,
            base_milli_ft3=90_000,
            extra_used_milli_ft3=60_000,
            usage_layer_micro_minor=36_000_000_000,
        ),
    ),
)

PRELIMINARY = SettlementRun(
    run=6,
    stage="preliminary",
    cutoff_at=datetime.fromisoformat("2027-01-08"),
    fee_minor=25_600,
    credit_minor=15_300,
    net_due_minor=10_300,
    delta_fee_minor=25_600,
    delta_credit_minor=15_300,
    delta_net_due_minor=10_300,
)
FINAL = SettlementRun(
    run=7,
    stage="final",
    cutoff_at=datetime.fromisoformat("2027-02-15"),
    fee_minor=25_600,
    credit_minor=15_000,
    net_due_minor=10_600,
    delta_fee_minor=0,
    delta_credit_minor=-300,
    delta_net_due_minor=300,
)

MARKET = MarketStatement(
    storage_type="standard",
    base=BASE,
    estimates=(Estimate(quarter_start=date(2027, 1, 1), estimate_milli_ft3=88_000),),
    requests=(REQUEST,),
    sales=SALES,
    settlements=(PRELIMINARY, FINAL),
)

PROVENANCE = Provenance(
    tables=(
        SourceTable(
            figures="credits, net due, deltas",
            table="settlements",
            run=7,
            stage="final",
            rows=1,
            sha256=SHA,
        ),
    ),
    runs=(
        SourceRun(
            quarter="2026Q4",
            run=7,
            stage="final",
            cutoff_at=datetime.fromisoformat("2027-02-15"),
            policy_version="default-1",
            code_version="0.1.0+0123456789abcdef",
            manifest="_manifests/quarter=2026-10-01/run=0007.json",
            built_on=("2026Q4 run 1 (announce)",),
            input_files=(
                InputFile(table="order_lines", rows=1_234, sha256=SHA, simulated=None),
                InputFile(table="round_supply", rows=4, sha256=SHA, simulated="made up"),
            ),
        ),
    ),
)

STATEMENT = Statement(
    quarter="2026Q4",
    marketplace_id="US",
    seller_id="seller-1",
    currency="USD",
    minor_unit_digits=2,
    stage="final",
    cutoff_at=datetime.fromisoformat("2027-02-15"),
    terms=Terms(
        cover_weeks=22,
        credit_rate_bp=1_500,
        credit_cap_bp=10_000,
        pay_as_bid_markets=(),
        prorated_markets=(),
    ),
    markets=(MARKET,),
    provenance=PROVENANCE,
)

HOSTILE = "<script>alert(1)</script>\n=cmd()|'\"&\x1b[31m\u202e[red]{{ 7 * 7 }}"
FORMULA = "=cmd()\n+1"


def hostile(text: str) -> Statement:
    """The statement with every string that someone outside can choose set to ``text``."""
    request = replace(
        REQUEST,
        request_id=text,
        revisions=(replace(REVISION, reason_text=text),),
        rounds=(replace(LOST, reason_text=text), replace(WON, reason_text=text)),
    )
    rejected = replace(
        REQUEST,
        request_id=f"{text}2",
        revisions=(replace(REVISION, is_accepted=False, reason="late", reason_text=text),),
        rounds=(),
        grants=(),
    )
    run = replace(PROVENANCE.runs[0], policy_version=text)
    return replace(
        STATEMENT,
        seller_id=text,
        marketplace_id=text,
        markets=(replace(MARKET, storage_type=text, requests=(request, rejected)),),
        provenance=replace(PROVENANCE, runs=(run,)),
    )


def with_request(request: Request, **terms: object) -> Statement:
    """The statement with one request, and perhaps other terms."""
    return replace(
        STATEMENT,
        terms=replace(STATEMENT.terms, **terms),
        markets=(replace(MARKET, requests=(request,)),),
    )
