"""The figures of one seller's quarter, as values.

Here belong the shapes only, units in their names. Where the figures come from is ``reading``; the
words for them are ``sentences`` and ``words``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class ScoreComponent:
    """One component of the performance score (rules §2.3); null without evidence."""

    component: str
    value_bp: int | None
    points: int | None
    weight_bp: int
    score_part: int
    score_gain: int
    raises_most: bool


@dataclass(frozen=True, kw_only=True)
class Base:
    """The base allocation and every factor of it (rules §2)."""

    cohort: str
    demand_p10_milli_ft3: int
    demand_p50_milli_ft3: int
    demand_p90_milli_ft3: int
    demand_milli_ft3: int
    sales_forecast_minor: int
    target_milli_ft3: int
    score: int
    multiplier_bp: int
    unscaled_milli_ft3: int
    floor_milli_ft3: int
    pool_milli_ft3: int
    base_milli_ft3: int
    previous_base_milli_ft3: int
    change_demand_milli_ft3: int
    change_score_milli_ft3: int
    change_floor_milli_ft3: int
    change_pool_milli_ft3: int
    components: tuple[ScoreComponent, ...]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What the base of a later quarter may be; an estimate, not a promise (rules §2)."""

    quarter_start: date
    estimate_milli_ft3: int


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One version of a request as received, and its judgement (rules §3).

    ``first_round``: the first that closes after it was received; null when none does.
    ``source_file``: SHA-256 of the file as received; ``source_row``: the data row in it, from 1.
    """

    revision: int
    version_number: int
    max_fee_minor_per_ft3: int | None
    requested_milli_ft3: int | None
    minimum_milli_ft3: int | None
    received_at: datetime
    withdrawn: bool
    first_round: int | None
    is_accepted: bool
    reason: str
    reason_text: str
    source_file: str
    source_row: int


@dataclass(frozen=True, kw_only=True)
class RoundOutcome:
    """What became of a request in one round (rules §4)."""

    round: int
    revision: int
    open_milli_ft3: int
    trimmed_milli_ft3: int
    granted_milli_ft3: int
    reason: str
    reason_text: str
    clearing_fee_minor_per_ft3: int | None


@dataclass(frozen=True, kw_only=True)
class RepricingStep:
    """One lowering of one grant's fee (rules §5)."""

    repriced_in_round: int
    fee_before_minor_per_ft3: int
    fee_after_minor_per_ft3: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Space won in a round and what it costs (rules §§5, 7); no credit before a settlement."""

    round: int
    granted_milli_ft3: int
    max_fee_minor_per_ft3: int
    round_fee_minor_per_ft3: int
    final_fee_minor_per_ft3: int
    days_in_force: int
    days_in_quarter: int
    fee_minor: int
    credit_minor: int | None
    net_due_minor: int | None
    steps: tuple[RepricingStep, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with everything that was received of it and everything that became of it."""

    request_id: str
    revisions: tuple[Revision, ...]
    rounds: tuple[RoundOutcome, ...]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, kw_only=True)
class AttributionResult:
    """What one attribution method counts, and the credit it gives or would give (rules §§6–7)."""

    method: str
    incremental_sales_minor: int
    credit_minor: int
    pays: bool


@dataclass(frozen=True, kw_only=True)
class SalesDay:
    """A day's sales made with extra space, in millionths of a minor unit (rules §6)."""

    day: date
    net_sales_minor: int
    used_milli_ft3: int
    base_milli_ft3: int
    extra_used_milli_ft3: int
    usage_layer_micro_minor: int


@dataclass(frozen=True, kw_only=True)
class Sales:
    """The evidence for a credit (rules §6)."""

    net_sales_minor: int
    sales_forecast_minor: int
    missing_days: int
    carried_days: int
    days_with_extra: int
    days_extra_used: int
    methods: tuple[AttributionResult, ...]
    top_days: tuple[SalesDay, ...]


@dataclass(frozen=True, kw_only=True)
class SettlementRun:
    """One settlement run, and its difference to the one before (rules §7)."""

    run: int
    stage: str
    cutoff_at: datetime
    fee_minor: int
    credit_minor: int
    net_due_minor: int
    delta_fee_minor: int
    delta_credit_minor: int
    delta_net_due_minor: int


@dataclass(frozen=True, kw_only=True)
class MarketStatement:
    """A seller's quarter in one market."""

    storage_type: str
    base: Base | None
    estimates: tuple[Estimate, ...]
    requests: tuple[Request, ...]
    sales: Sales | None
    settlements: tuple[SettlementRun, ...]

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Every grant of every request."""
        return tuple(grant for request in self.requests for grant in request.grants)


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file of the landing zone that a run read; ``simulated``: how its rows were made, if so."""

    table: str
    rows: int
    sha256: str
    simulated: str | None


@dataclass(frozen=True, kw_only=True)
class SourceRun:
    """A published run that figures of the statement come from."""

    quarter: str
    run: int
    stage: str
    cutoff_at: datetime
    policy_version: str
    code_version: str
    manifest: str
    built_on: tuple[str, ...]
    input_files: tuple[InputFile, ...]


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """A published table that figures come from, and the file that holds it."""

    figures: str
    table: str
    run: int
    stage: str
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """From the statement's figures back to the files that were delivered."""

    tables: tuple[SourceTable, ...]
    runs: tuple[SourceRun, ...]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What of the quarter's policy a statement explains (rules §§2, 4, 5, 7)."""

    cover_weeks: int
    credit_rate_bp: int
    credit_cap_bp: int
    pay_as_bid_markets: tuple[str, ...]
    prorated_markets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One seller's quarter in one marketplace. ``stage``: the last that was published.

    ``currency`` is None until a settlement of the marketplace names it.
    """

    quarter: str
    marketplace_id: str
    seller_id: str
    currency: str | None
    minor_unit_digits: int
    stage: str
    cutoff_at: datetime
    terms: Terms
    markets: tuple[MarketStatement, ...]
    provenance: Provenance

    @property
    def is_settled(self) -> bool:
        """Whether a settlement run has been published of any of the seller's grants."""
        return any(market.settlements for market in self.markets)
