"""Policy: every parameter of the rules, versioned and dated (rules §§1–7).

Here belong the parameters, their defaults and their ranges. Reading policy files from disk is
``orchestration.policies``; what the parameters mean is in the module of the stage that uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from fbacap_logic.calendar import Quarter, QuarterCalendar, RoundOffset, build_calendar

_STRICT = ConfigDict(extra="forbid")

NonNegative = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]

ComponentName = Literal["excess_share", "sell_through", "stranded_share", "in_stock_rate"]
AttributionMethod = Literal["usage_layer", "capacity_share", "forecast_uplift"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ClearingRules:
    """How one market's rounds clear and reprice (rules §§4–5)."""

    minimum_fee_minor_per_ft3: Positive = 1
    tie_rule: Literal["time_priority", "pro_rata"] = "time_priority"
    price_rule: Literal["lowest_granted", "highest_rejected", "pay_as_bid"] = "lowest_granted"
    minimum_repricing_milli_ft3: NonNegative = 0
    fee_basis: Literal["quarter", "prorated"] = "quarter"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalendarPolicy:
    """Dates of a quarter's stages, as days from the quarter's first or last day (rules §1)."""

    announce_days_before: Positive = 42
    round_close_days: tuple[int, ...] = (-28, -14, 14, 42)
    preliminary_days_after: Positive = 7
    final_days_after: Positive = 45
    true_up_days_after: Positive = 120

    @model_validator(mode="after")
    def _in_order(self) -> CalendarPolicy:
        closes = self.round_close_days
        if not closes or list(closes) != sorted(set(closes)):
            raise ValueError("round_close_days must be distinct and ascending, at least one")
        if closes[0] <= -self.announce_days_before:
            raise ValueError("the first round must close after the announcement")
        if closes[-1] > 88:
            raise ValueError(
                "every round must leave at least one day of the quarter in force: "
                "round_close_days may not pass 88 (the shortest quarter has 90 days)"
            )
        settle = (self.preliminary_days_after, self.final_days_after, self.true_up_days_after)
        if list(settle) != sorted(set(settle)):
            raise ValueError("settlement runs must be preliminary, then final, then true-up")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ScoreComponent:
    """One component of the performance score: breakpoints of value (bp) → points (0–1000)."""

    name: ComponentName
    weight_bp: BasisPoints
    breakpoints: tuple[tuple[int, int], ...]

    @model_validator(mode="after")
    def _monotone(self) -> ScoreComponent:
        values = [value for value, _ in self.breakpoints]
        points = [point for _, point in self.breakpoints]
        if len(values) < 2 or values != sorted(set(values)):
            raise ValueError(f"{self.name}: breakpoints need at least two ascending values")
        if any(point < 0 or point > 1000 for point in points):
            raise ValueError(f"{self.name}: points lie between 0 and 1000")
        rising = self.name in ("sell_through", "in_stock_rate")
        if points != sorted(points, reverse=not rising):
            better = "rise" if rising else "fall"
            raise ValueError(f"{self.name}: points must {better} with the value")
        return self


DEFAULT_COMPONENTS = (
    ScoreComponent(
        name="excess_share",
        weight_bp=3000,
        breakpoints=((0, 1000), (2000, 800), (5000, 400), (10_000, 0)),
    ),
    ScoreComponent(
        name="sell_through",
        weight_bp=3000,
        breakpoints=((0, 0), (10_000, 400), (20_000, 650), (40_000, 900), (70_000, 1000)),
    ),
    ScoreComponent(
        name="stranded_share",
        weight_bp=1500,
        breakpoints=((0, 1000), (500, 700), (2000, 200), (10_000, 0)),
    ),
    ScoreComponent(
        name="in_stock_rate",
        weight_bp=2500,
        breakpoints=((0, 0), (5000, 300), (8000, 700), (9500, 950), (10_000, 1000)),
    ),
)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class BaseAllocationPolicy:
    """What sellers get without asking (rules §2)."""

    demand_quantile_bp: BasisPoints = 5000
    cover_weeks: Positive = 22
    history_weeks: Positive = 104
    components: tuple[ScoreComponent, ...] = DEFAULT_COMPONENTS
    score_without_evidence: Annotated[int, Field(ge=0, le=1000)] = 500
    multiplier_points: tuple[tuple[int, int], ...] = ((0, 6000), (500, 10_000), (1000, 13_000))
    individual_milli_ft3: NonNegative = 15_000
    new_professional_weeks: NonNegative = 39
    new_professional_floor_milli_ft3: NonNegative = 5_000

    @model_validator(mode="after")
    def _consistent(self) -> BaseAllocationPolicy:
        names = [component.name for component in self.components]
        if len(set(names)) != len(names):
            raise ValueError("each score component may appear once")
        if sum(component.weight_bp for component in self.components) != 10_000:
            raise ValueError("the weights of the score components must sum to 10000")
        scores = [score for score, _ in self.multiplier_points]
        multipliers = [multiplier for _, multiplier in self.multiplier_points]
        if len(scores) < 2 or scores[0] != 0 or scores[-1] != 1000:
            raise ValueError("multiplier_points must run from score 0 to score 1000")
        if scores != sorted(set(scores)):
            raise ValueError("multiplier_points must have ascending scores")
        if multipliers != sorted(multipliers) or multipliers[0] < 0:
            raise ValueError("multiplier_points must not decrease")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RequestPolicy:
    """What a seller may ask for (rules §3)."""

    minimum_request_milli_ft3: Positive = 1_000
    request_cap_base_share_bp: NonNegative = 5_000
    request_cap_floor_milli_ft3: NonNegative = 2_000_000
    fee_ceiling_minor_per_ft3: Positive | None = None
    carry_over: bool = True


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SettlementPolicy:
    """How extra sales are counted and credited (rules §§6–7)."""

    attribution_method: AttributionMethod = "usage_layer"
    snapshot_carry_days: NonNegative = 7
    credit_rate_bp: NonNegative = 1_500
    credit_cap_bp: BasisPoints = 10_000


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class MarketOverride:
    """Clearing rules and fee ceiling of one market, where they differ from the policy's."""

    marketplace_id: str
    storage_type: str
    clearing: ClearingRules
    fee_ceiling_minor_per_ft3: Positive | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Policy:
    """One dated version of every parameter. ``Policy()`` is the default policy."""

    policy_version: str = "default-1"
    in_force_from: date = date(2000, 1, 1)
    calendar: CalendarPolicy = CalendarPolicy()
    base_allocation: BaseAllocationPolicy = BaseAllocationPolicy()
    requests: RequestPolicy = RequestPolicy()
    clearing: ClearingRules = ClearingRules()
    settlement: SettlementPolicy = SettlementPolicy()
    market_overrides: tuple[MarketOverride, ...] = ()

    def clearing_rules(self, marketplace_id: str, storage_type: str) -> ClearingRules:
        """The clearing rules of one market (rules §4)."""
        override = self._override(marketplace_id, storage_type)
        return override.clearing if override else self.clearing

    def fee_ceiling(self, marketplace_id: str, storage_type: str) -> int | None:
        """The highest fee a request of one market may name, or None (rules §3)."""
        override = self._override(marketplace_id, storage_type)
        ceiling = override.fee_ceiling_minor_per_ft3 if override else None
        return self.requests.fee_ceiling_minor_per_ft3 if ceiling is None else ceiling

    def calendar_of(self, quarter: Quarter) -> QuarterCalendar:
        """The dates of one quarter under this policy (rules §1)."""
        return build_calendar(
            quarter,
            announce_days_before=self.calendar.announce_days_before,
            rounds=tuple(
                RoundOffset(number, days)
                for number, days in enumerate(self.calendar.round_close_days, start=1)
            ),
            settlement_days_after={
                "preliminary": self.calendar.preliminary_days_after,
                "final": self.calendar.final_days_after,
                "true-up": self.calendar.true_up_days_after,
            },
        )

    def _override(self, marketplace_id: str, storage_type: str) -> MarketOverride | None:
        for override in self.market_overrides:
            if (override.marketplace_id, override.storage_type) == (marketplace_id, storage_type):
                return override
        return None


def parse_policy(document: object) -> Policy:
    """Build a policy from a plain mapping; raise ValueError with one sentence if it is wrong.

    >>> parse_policy({"policy_version": "7", "settlement": {"credit_rate_bp": 1000}}).policy_version
    '7'
    """
    try:
        return TypeAdapter(Policy).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "policy"
        raise ValueError(f"policy: {where}: {first['msg']}") from error


def policy_in_force(policies: Iterable[Policy], quarter: Quarter) -> Policy:
    """The version that governs a quarter: the latest in force on its announcement day (rules §1).

    The announcement day is the one that the version itself sets.

    Raises:
        ValueError: no version was in force that early, or two share a first day.
    """
    candidates = [
        policy
        for policy in policies
        if policy.in_force_from <= policy.calendar_of(quarter).announced_at.date()
    ]
    if not candidates:
        raise ValueError(f"no policy version was in force when {quarter.label} was announced")
    latest = max(policy.in_force_from for policy in candidates)
    chosen = [policy for policy in candidates if policy.in_force_from == latest]
    if len(chosen) > 1:
        versions = ", ".join(sorted(policy.policy_version for policy in chosen))
        raise ValueError(f"policy versions {versions} share the first day {latest.isoformat()}")
    return chosen[0]
