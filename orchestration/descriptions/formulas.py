"""How each table's figures are worked out, in a few lines an auditor can check by hand.

Here belong the formulas of tables that Python makes; a dbt model's stand in its own YAML beside its
SQL. The rules are normative (``docs/rules.md``), and so is the code where they leave a choice.
"""

from __future__ import annotations

from typing import NamedTuple


class Formula(NamedTuple):
    """A table's formula, its section of the rules, and the code that computes it."""

    rule: str
    text: str
    code: str


_LANDING = "rows as received where received_at < cut_off, from files known by SHA-256"

FORMULAS: dict[str, Formula] = {
    "base_allocations": Formula(
        "§2",
        "target = demand × cover_weeks / 13, demand = the policy's quantile of the forecast\n"
        "unscaled = target × multiplier_bp(score) / 10000; an individual account: its fixed base\n"
        "above = max(0, unscaled − floor)\n"
        "base = floor + above × min(1, (pool − Σ floors) / Σ above), by largest remainder\n"
        "base is never below what was confirmed before\n"
        "change_demand + change_score + change_floor + change_pool = base − previous_base",
        "fbacap_logic/forecast.py, fbacap_logic/score.py, fbacap_logic/base_allocation.py",
    ),
    "score_components": Formula(
        "§2.3",
        "points = piecewise linear in the component's value, by the policy's breakpoints\n"
        "score = the weighted mean of the points that there is evidence for, 0 to 1000\n"
        "Σ score_part over a seller's components = score",
        "fbacap_logic/score_components.py",
    ),
    "base_allocation_estimates": Formula(
        "§2",
        "the formula of base_allocations, with demand forecast for each of the two quarters after",
        "fbacap_logic/base_allocation.py",
    ),
    "round_requests": Formula(
        "§3",
        "accepted + rejected = received, counted by (request_id, revision, version_number)\n"
        "reason = the first rule of §3 that a version breaks, else accepted\n"
        "cap = max(floor(base × request_cap_base_share_bp / 10000), request_cap_floor)",
        "fbacap_logic/requests.py",
    ),
    "cleared_allocations": Formula(
        "§4",
        "open = max(0, requested − granted in earlier rounds); trimmed = open within the cap\n"
        "in the order fee descending, time, request_id: granted = min(trimmed, supply left)\n"
        "tie_rule pro_rata: supply left at the marginal fee × trimmed / Σ trimmed at that fee\n"
        "a grant below the remaining minimum is dropped and the round is cleared again",
        "fbacap_logic/clearing.py",
    ),
    "market_rounds": Formula(
        "§4",
        "supply = released + carried_in; carried_in = unsold of the round before\n"
        "unsold = supply − granted\n"
        "clearing_fee = lowest max fee granted any volume (price_rule lowest_granted), "
        "null without grants\n"
        "cover_ratio_bp = demanded × 10000 / supply\n"
        "marginal_fill_bp = granted × 10000 / open of the partly filled",
        "fbacap_logic/clearing.py",
    ),
    "demand_curves": Formula(
        "§4",
        "cumulative_demanded(cell) = Σ trimmed volume of requests with max fee ≥ from_fee(cell)\n"
        "neighbouring fees share a cell until it speaks of three sellers or more",
        "fbacap_logic/demand_curve.py",
    ),
    "repriced_fees": Formula(
        "§5",
        "round_fee = clearing_fee(round), or the own max fee under pay_as_bid\n"
        "final_fee = min(round_fee, clearing_fee(s) for later rounds s that granted enough)\n"
        "fee = round_half_even(final_fee_minor_per_ft3 × granted_milli_ft3 / 1000)\n"
        "fee_basis prorated: × days_in_force / days_in_quarter, inside the one rounding",
        "fbacap_logic/repricing.py",
    ),
    "repricing_steps": Formula(
        "§5",
        "a step where clearing_fee(s) < the fee so far: fee_after = clearing_fee(s)\n"
        "the last fee_after of a grant = its final_fee",
        "fbacap_logic/repricing.py",
    ),
    "incremental_sales": Formula(
        "§6",
        "usage_layer = round_half_even(Σ usage_layer_micro_minor of the days / 10^6)\n"
        "capacity_share = round_half_even(Σ capacity_share_micro_minor of the days / 10^6)\n"
        "forecast_uplift = max(0, net_sales − sales_forecast)\n"
        "incremental_sales = the policy's method among the three",
        "fbacap_logic/attribution.py",
    ),
    "incremental_sales_days": Formula(
        "§6",
        "extra_used = min(extra, max(0, used − base))\n"
        "usage_layer_micro = round_half_even(net_sales_minor × 10^6 × extra_used / used), "
        "0 when used is 0\n"
        "capacity_share_micro = round_half_even(net_sales_minor × 10^6 × extra / (base + extra))",
        "fbacap_logic/attribution.py",
    ),
    "grant_evidence_days": Formula(
        "§6",
        "a day's amount over the grants in force that day, in proportion to granted volume, by "
        "largest remainder\n"
        "Σ over a day's grants = the day in incremental_sales_days",
        "fbacap_logic/attribution_division.py",
    ),
    "settlements": Formula(
        "§7",
        "cap_g = floor(credit_cap_bp × fee_g / 10000) of each grant g\n"
        "earned = round_half_even(incremental_sales × credit_rate_bp / 10000), seller and market\n"
        "credit_total = max(0, min(earned, Σ cap_g))\n"
        "credit_g = credit_total × cap_g / Σ cap, by largest remainder\n"
        "net_due = fee − credit ≥ 0; delta = now − the run before",
        "fbacap_logic/credits.py, fbacap_logic/settlement.py",
    ),
    "ledger_entries": Formula(
        "§7",
        "seller_receivable + delta_net_due, reservation_fee_revenue − delta_fee, "
        "performance_credit_expense + delta_credit\n"
        "Σ amount_minor of a run, market and currency = 0",
        "fbacap_logic/settlement.py",
    ),
    "run/parameters": Formula(
        "§1",
        "cutoff_at = the stage's date in the policy's calendar, 00:00 UTC\n"
        "policy_version = the version in force on the announcement day",
        "fbacap_logic/calendar.py, orchestration/working.py",
    ),
    "run/rounds": Formula(
        "§1",
        "in_force_from = max(day after closes_at, first day of the quarter)\n"
        "days_in_force = in_force_to − in_force_from + 1; is_closed = closes_at ≤ cutoff_at",
        "fbacap_logic/calendar.py",
    ),
    "run/previous_rounds": Formula(
        "§1", "as run/rounds, of the quarter before", "fbacap_logic/calendar.py"
    ),
    "run/second_previous_rounds": Formula(
        "§1", "as run/rounds, of the quarter before the previous one", "fbacap_logic/calendar.py"
    ),
    "run/currencies": Formula(
        "§0",
        "1 unit of a currency = 10^minor_unit_digits minor units",
        "orchestration/working.py",
    ),
    "landing": Formula("§1", _LANDING, "orchestration/landing/, orchestration/working.py"),
    "history": Formula(
        "§1",
        "rows of one published run, chosen by cut-off and named by hash in the run's manifest",
        "orchestration/earlier_runs.py",
    ),
    "market_held": Formula(
        "§§2–5",
        "the stage runs announce and round-1 … round-4 that are due, in the order of cut-offs",
        "orchestration/backfill/",
    ),
    "market_settled": Formula(
        "§§6–7",
        "the settlement runs that are due, in the order of cut-offs",
        "orchestration/backfill/",
    ),
    "quarter_report": Formula(
        "§7",
        "every figure as published, or a sum over published rows; nothing is computed anew",
        "orchestration/report/",
    ),
    "contract_results": Formula(
        "§8",
        "rows_failed = rows (groups, where a rule is about groups) that the rule is not true of\n"
        "outcome = failed where rows_failed > 0, else passed; not_judged where nothing is there to "
        "judge by",
        "orchestration/checks/",
    ),
    "published": Formula(
        "§7",
        "a new run number where any table differs from the run before it; else nothing is written\n"
        "row_hash and sha256 of every table, and the hash of every input, stand in the manifest",
        "orchestration/published.py",
    ),
}


def formula_of(name: str) -> Formula:
    """The formula of an asset, by its name or that of its first key part.

    Raises:
        KeyError: it has none.

    >>> formula_of("settlements").rule, formula_of("landing/refunds").rule
    ('§7', '§1')
    """
    return FORMULAS.get(name) or FORMULAS[name.split("/")[0]]
