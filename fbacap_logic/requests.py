"""Judging requests: accepted, or rejected with a reason and a sentence (rules §3).

Here belong the checks on one revision and on revisions against the one accepted first, the time
of the total order, and the cap. Which revision binds a round is decided in ``clearing_quarter``;
the sentences are in ``requests_sentences``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.frames import (
    BoolArray,
    InstantArray,
    TextArray,
    codes_of,
    flags,
    instants,
    integers,
    nullable,
    nullable_instants,
    nullable_integers,
    require_columns,
    require_unique,
    texts,
)
from fbacap_logic.policy import Policy
from fbacap_logic.requests_sentences import Judged, sentences
from fbacap_logic.units import BASIS_POINTS, Int64Array, ratio_floor

ROUND_REQUEST_COLUMNS = (
    "marketplace_id", "storage_type", "request_id", "revision", "version_number", "seller_id",
    "max_fee_minor_per_ft3", "requested_milli_ft3", "minimum_milli_ft3", "submitted_at",
    "received_at", "priority_at", "withdrawn", "first_round", "is_accepted", "reason",
    "reason_text", "cap_milli_ft3", "minor_unit_digits", "source_file", "source_row",
)  # fmt: skip
REQUEST_REASONS = (
    "accepted", "unknown_seller", "unknown_market", "not_eligible", "late", "duplicate_id",
    "malformed", "too_small", "below_minimum_fee", "above_fee_ceiling",
)  # fmt: skip

_TABLE = "judged_requests"
_TEXTS = ("marketplace_id", "storage_type", "request_id", "seller_id")
_MICRO_DIGITS = 6
_MICRO_PER_MILLI = 1_000


@dataclass(frozen=True)
class _Amounts:
    """An amount in its unit, and what is wrong with it."""

    value: Int64Array
    is_absent: BoolArray
    is_too_fine: BoolArray

    @property
    def is_null(self) -> BoolArray:
        return self.is_absent | self.is_too_fine


def judge_requests(
    judged_requests: pd.DataFrame, calendar: QuarterCalendar, policy: Policy
) -> pd.DataFrame:
    """Accept or reject every version of every revision received (rules §3).

    accepted + rejected = received. A row that breaks several rules is given the first of:
    duplicate_id, the other reasons in the order of ``REQUEST_REASONS``, what it breaks as a
    revision. Revisions are compared with the request's first accepted row in the order received,
    so no judgement depends on a later record. A withdrawal's amounts are not judged.

    Args:
        judged_requests: facts.judged_requests with integer amounts:

            | column                                | unit                                       |
            |---------------------------------------|--------------------------------------------|
            | request_id, revision, version_number  | key; version 1 was received first          |
            | marketplace_id, seller_id, storage_type, quarter_start | who, what, when           |
            | minor_unit_digits                     | decimals of the currency; null if unknown  |
            | max_fee_micro                         | fee × 10^6; null: absent or out of range   |
            | requested_micro_ft3, minimum_micro_ft3| volume × 10^6; a null minimum is 0         |
            | submitted_at, received_at             | UTC                                        |
            | withdrawn, market_exists              | true or false                              |
            | first_round                           | null: late                                 |
            | account_type                          | null: unknown seller                       |
            | base_milli_ft3                        | milli ft3                                  |
            | source_file, source_row               | where the row came from                    |

        calendar: the quarter's dates.
        policy: minimum request, cap, fee ceiling, carry-over, minimum fee.

    Returns:
        round_requests, one row per row of the input, sorted by market, request, revision and
        version; ``minor_unit_digits`` is kept for the sentences of clearing.

    Raises:
        ValueError: a column is missing or of the wrong type, or a key stands twice.
    """
    require_unique(judged_requests, ["request_id", "revision", "version_number"], _TABLE)
    frame = judged_requests.reset_index(drop=True)
    digits, digits_null = nullable_integers(frame, "minor_unit_digits", _TABLE)
    fee = _in_unit(frame, "max_fee_micro", 10 ** np.maximum(_MICRO_DIGITS - digits, 0))
    requested = _in_unit(frame, "requested_micro_ft3", _MICRO_PER_MILLI)
    minimum = _minimum(frame)
    received_at, submitted_at = instants(frame, "received_at", _TABLE), _submitted_at(frame)
    judged = Judged(len(frame))
    _judge_alone(judged, frame, fee, requested, minimum, calendar, policy)
    _judge_against_first(judged, frame, received_at, policy)
    result = pd.DataFrame(
        {
            **{name: texts(frame, name, _TABLE) for name in _TEXTS},
            "revision": integers(frame, "revision", _TABLE),
            "version_number": integers(frame, "version_number", _TABLE, minimum=1),
            "max_fee_minor_per_ft3": nullable(fee.value, fee.is_null | digits_null),
            "requested_milli_ft3": nullable(requested.value, requested.is_null),
            "minimum_milli_ft3": nullable(minimum.value, minimum.is_null),
            "submitted_at": submitted_at,
            "received_at": received_at,
            "priority_at": np.fmin(submitted_at, received_at),  # receipt alone where it is missing
            "withdrawn": flags(frame, "withdrawn", _TABLE),
            "first_round": nullable(*nullable_integers(frame, "first_round", _TABLE, minimum=1)),
            "is_accepted": judged.is_accepted,
            "reason": judged.reason,
            "reason_text": sentences(judged, digits),
            "cap_milli_ft3": _caps(frame, policy),
            "minor_unit_digits": nullable(digits, digits_null),
            **{name: frame[name] for name in ("source_file", "source_row")},
        }
    )
    key = ["marketplace_id", "storage_type", "request_id", "revision", "version_number"]
    return result.sort_values(key, ignore_index=True)[list(ROUND_REQUEST_COLUMNS)]


def _judge_alone(
    judged: Judged,
    frame: pd.DataFrame,
    fee: _Amounts,
    requested: _Amounts,
    minimum: _Amounts,
    calendar: QuarterCalendar,
    policy: Policy,
) -> None:
    """Every reason that a row gives by itself, in order of precedence."""
    require_columns(frame, ["account_type", "quarter_start", "source_file", "source_row"], _TABLE)
    account = frame["account_type"].to_numpy(dtype=object)
    standing = ~flags(frame, "withdrawn", _TABLE)
    quarter = pd.to_datetime(frame["quarter_start"]).to_numpy()
    digits, digits_null = nullable_integers(frame, "minor_unit_digits", _TABLE)
    repeated = integers(frame, "version_number", _TABLE, minimum=1) > 1
    no_market = ~flags(frame, "market_exists", _TABLE) | digits_null
    is_late = nullable_integers(frame, "first_round", _TABLE, minimum=1)[1]
    unsubmitted = np.isnat(_submitted_at(frame))
    floor_fee, ceiling, has_ceiling = _fee_limits(frame, policy)
    smallest = policy.requests.minimum_request_milli_ft3
    judged.reject(repeated, "duplicate_id", "duplicate_id")
    judged.reject(pd.isna(account), "unknown_seller", "unknown_seller")
    judged.reject(no_market, "unknown_market", "unknown_market")
    judged.reject(account == "individual", "not_eligible", "not_eligible")
    judged.reject(is_late, "late", "late")
    malformed = (
        ("quarter", quarter != np.datetime64(calendar.quarter.first_day)),
        ("submitted_at", unsubmitted),
        ("digits", digits > _MICRO_DIGITS),
        ("fee_absent", standing & fee.is_absent),
        ("fee_too_fine", standing & fee.is_too_fine),
        ("fee_not_positive", standing & (fee.value <= 0)),
        ("volume_absent", standing & requested.is_absent),
        ("volume_too_fine", standing & requested.is_too_fine),
        ("volume_not_positive", standing & (requested.value <= 0)),
        ("minimum_too_fine", standing & minimum.is_too_fine),
        ("minimum_negative", standing & (minimum.value < 0)),
        ("minimum_above_volume", standing & (minimum.value > requested.value)),
    )
    for fault, is_faulty in malformed:
        judged.reject(is_faulty, "malformed", fault)
    too_cheap, too_dear = fee.value < floor_fee, has_ceiling & (fee.value > ceiling)
    judged.reject(standing & (requested.value < smallest), "too_small", "too_small", smallest)
    judged.reject(standing & too_cheap, "below_minimum_fee", "below_minimum_fee", floor_fee)
    judged.reject(standing & too_dear, "above_fee_ceiling", "above_fee_ceiling", ceiling)


def _judge_against_first(
    judged: Judged, frame: pd.DataFrame, received_at: InstantArray, policy: Policy
) -> None:
    """What a revision may not change or outlast, against the first accepted row of its request."""
    request, _ = codes_of(texts(frame, "request_id", _TABLE))
    revision = integers(frame, "revision", _TABLE)
    place, _ = codes_of(
        texts(frame, "marketplace_id", _TABLE),
        texts(frame, "storage_type", _TABLE),
        texts(frame, "seller_id", _TABLE),
    )
    first_round, _ = nullable_integers(frame, "first_round", _TABLE, minimum=1)
    candidates = np.flatnonzero(judged.is_accepted)
    candidates = candidates[
        np.lexsort((revision[candidates], received_at[candidates], request[candidates]))
    ]
    first_of_request = np.full(int(request.max(initial=-1)) + 1, -1, dtype=np.int64)
    first_of_request[request[candidates][::-1]] = candidates[::-1]
    anchor = first_of_request[request]
    has_anchor = anchor >= 0
    if not policy.requests.carry_over:
        judged.reject(has_anchor & (first_round > first_round[anchor]), "late", "late_revision")
    judged.reject(has_anchor & (place != place[anchor]), "malformed", "moved")


def _submitted_at(frame: pd.DataFrame) -> InstantArray:
    return nullable_instants(frame, "submitted_at", _TABLE)


def _in_unit(frame: pd.DataFrame, column: str, micro_per_unit: Int64Array | int) -> _Amounts:
    """An amount in millionths brought to its unit; too fine when that leaves a rest."""
    micro, null = nullable_integers(frame, column, _TABLE, minimum=None)
    value = micro // micro_per_unit
    return _Amounts(value, null, ~null & (value * micro_per_unit != micro))


def _minimum(frame: pd.DataFrame) -> _Amounts:
    """The minimum in milli ft3; absent means 0, any part will do."""
    amounts = _in_unit(frame, "minimum_micro_ft3", _MICRO_PER_MILLI)
    return _Amounts(amounts.value, np.zeros(len(frame), dtype=np.bool_), amounts.is_too_fine)


def _caps(frame: pd.DataFrame, policy: Policy) -> Int64Array:
    """``cap = max(floor(base × share / 10000), floor volume)`` in milli ft3 (rules §3)."""
    base = integers(frame, "base_milli_ft3", _TABLE)
    share = ratio_floor([base, policy.requests.request_cap_base_share_bp], BASIS_POINTS)
    return np.maximum(share, policy.requests.request_cap_floor_milli_ft3)


def _fee_limits(frame: pd.DataFrame, policy: Policy) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Minimum fee, fee ceiling, and whether there is one, of each row's market."""
    marketplace: TextArray = texts(frame, "marketplace_id", _TABLE)
    storage: TextArray = texts(frame, "storage_type", _TABLE)
    market, first_row = codes_of(marketplace, storage)
    markets = [(marketplace[row], storage[row]) for row in first_row]
    minimum = [policy.clearing_rules(*each).minimum_fee_minor_per_ft3 for each in markets]
    ceilings = [policy.fee_ceiling(*each) for each in markets]
    return (
        np.array(minimum, dtype=np.int64)[market],
        np.array([ceiling or 0 for ceiling in ceilings], dtype=np.int64)[market],
        np.array([ceiling is not None for ceiling in ceilings], dtype=np.bool_)[market],
    )
