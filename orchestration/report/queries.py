"""What a report asks of the published zone: one query a figure, run as it is shown.

Here belong SQL and the tables that each query reads. A query stands in the report word for word, so
that whoever pastes it into ``fbacap sql`` gets the report's figures; it may hold neither double
quotes nor dollar signs, which a shell would take for its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from fbacap_logic.calendar import Quarter

CURVE_POINTS = 120
LARGEST = 10


@dataclass(frozen=True)
class Query:
    """A named query: what it gives, the tables it reads, its SQL for one quarter."""

    name: str
    gives: str
    tables: tuple[str, ...]
    sql: str

    @property
    def command(self) -> str:
        """The query for a shell."""
        return f'fbacap sql "{self.sql}"'


@dataclass(frozen=True)
class _Template:
    gives: str
    tables: tuple[str, ...]
    sql: str


EDGES_FT3 = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)

_TEMPLATES = {
    "bases": _Template(
        "sellers and base space of this quarter and the one before",
        ("base_allocations",),
        """
select quarter, marketplace_id, count(distinct seller_id) as sellers,
  sum(base_milli_ft3) as base_milli_ft3
from base_allocations where quarter in ({both}) group by all order by all""",
    ),
    "grants": _Template(
        "extra space and fees of this quarter and the one before",
        ("repriced_fees",),
        """
select quarter, marketplace_id, sum(granted_milli_ft3) as granted_milli_ft3,
  sum(fee_minor) as fee_minor, count(distinct (storage_type, seller_id)) as winners
from repriced_fees where quarter in ({both}) group by all order by all""",
    ),
    "settled": _Template(
        "fees, credits and net due of this quarter and the one before",
        ("fct_quarter_summary",),
        """
select quarter, marketplace_id, settlement_run, sum(fee_minor) as fee_minor,
  sum(credit_minor) as credit_minor, sum(net_due_minor) as net_due_minor,
  sum(winners) as winners, sum(winners_wholly_offset) as winners_wholly_offset
from fct_quarter_summary where quarter in ({both}) group by all order by all""",
    ),
    "markets": _Template(
        "base space by market",
        ("base_allocations",),
        """
select marketplace_id, storage_type, count(*) as sellers,
  sum(base_milli_ft3) as base_milli_ft3, max(pool_milli_ft3) as pool_milli_ft3,
  sum(demand_milli_ft3) as demand_milli_ft3,
  count(*) filter (base_milli_ft3 < unscaled_milli_ft3) as scaled_down
from base_allocations where quarter = {this} group by all order by all""",
    ),
    "requests": _Template(
        "requests by judgement",
        ("round_requests",),
        """
select marketplace_id, storage_type, is_accepted, reason, count(*) as requests
from round_requests where quarter = {this} group by all
order by marketplace_id, storage_type, is_accepted desc, reason""",
    ),
    "rounds": _Template(
        "the rounds of each market",
        ("market_rounds",),
        """
select marketplace_id, storage_type, round, released_milli_ft3, supply_milli_ft3,
  demanded_milli_ft3, granted_milli_ft3, unsold_milli_ft3, clearing_fee_minor_per_ft3,
  cover_ratio_bp, marginal_fill_bp, requests, winners
from market_rounds where quarter = {this} order by all""",
    ),
    "curves": _Template(
        "demand curves; of more than {points} cells every n-th",
        ("demand_curves",),
        """
with cells as (
  select *, count(*) over (partition by marketplace_id, storage_type, round) as cells
  from demand_curves where quarter = {this}
)
select marketplace_id, storage_type, round, cell, cells, from_fee_minor_per_ft3,
  cumulative_demanded_milli_ft3
from cells where cell = cells or cell * {points} // cells > (cell - 1) * {points} // cells
order by all""",
    ),
    "fees": _Template(
        "round fees, final fees and repricing by round",
        ("repriced_fees",),
        """
select marketplace_id, storage_type, round, count(*) as grants,
  sum(granted_milli_ft3) as granted_milli_ft3,
  min(round_fee_minor_per_ft3) as least_round_fee, max(round_fee_minor_per_ft3) as most_round_fee,
  min(final_fee_minor_per_ft3) as least_final_fee, max(final_fee_minor_per_ft3) as most_final_fee,
  count(repriced_in_round) as repriced, sum(fee_minor) as fee_minor
from repriced_fees where quarter = {this} group by all order by all""",
    ),
    "steps": _Template(
        "repricing steps by the round that lowered fees",
        ("repricing_steps",),
        """
select marketplace_id, storage_type, repriced_in_round, round, count(*) as grants,
  max(fee_before_minor_per_ft3) as most_fee_before,
  min(fee_after_minor_per_ft3) as least_fee_after
from repricing_steps where quarter = {this} group by all order by all""",
    ),
    "allocations": _Template(
        "base allocations by size",
        ("base_allocations",),
        """
with sizes as (
  select unnest([{edges}]) * 1000 as from_milli_ft3
)
select marketplace_id, storage_type, max_by_size as from_milli_ft3, count(*) as sellers
from (
  select marketplace_id, storage_type, seller_id, max(from_milli_ft3) as max_by_size
  from base_allocations join sizes on base_milli_ft3 >= from_milli_ft3
  where quarter = {this} group by all
) group by all order by all""",
    ),
    "scores": _Template(
        "performance scores by hundreds, individual accounts left out",
        ("base_allocations",),
        """
select marketplace_id, storage_type, least(score // 100, 9) * 100 as from_score,
  count(*) as sellers
from base_allocations where quarter = {this} and cohort <> 'individual'
group by all order by all""",
    ),
    "offsets": _Template(
        "winners by the share of their fee that credits paid",
        ("settlements",),
        """
with winners as (
  select marketplace_id, storage_type, seller_id, sum(fee_minor) as fee_minor,
    sum(credit_minor) as credit_minor, sum(net_due_minor) as net_due_minor
  from settlements where quarter = {this} group by all
)
select marketplace_id, storage_type,
  case when net_due_minor = 0 then 3 when credit_minor * 2 >= fee_minor then 2
    when credit_minor > 0 then 1 else 0 end as band,
  count(*) as winners, sum(fee_minor) as fee_minor, sum(credit_minor) as credit_minor,
  sum(net_due_minor) as net_due_minor
from winners group by all order by all""",
    ),
    "largest": _Template(
        "of each marketplace the {largest} winners with the largest fees",
        ("settlements",),
        """
select marketplace_id, storage_type, seller_id, sum(granted_milli_ft3) as granted_milli_ft3,
  sum(fee_minor) as fee_minor, sum(credit_minor) as credit_minor,
  sum(net_due_minor) as net_due_minor
from settlements where quarter = {this} group by marketplace_id, storage_type, seller_id
qualify row_number() over (partition by marketplace_id
  order by sum(fee_minor) desc, storage_type, seller_id) <= {largest}
order by marketplace_id, fee_minor desc, storage_type, seller_id""",
    ),
    "methods": _Template(
        "incremental sales and what each method would credit",
        ("incremental_sales", "settlements"),
        """
with caps as (
  select marketplace_id, storage_type, seller_id,
    sum({cap}::hugeint * fee_minor // 10000) as cap_minor
  from settlements where quarter = {this} group by all
),
sales as (
  unpivot (
    select marketplace_id, storage_type, seller_id, method as pays,
      usage_layer_minor as usage_layer, capacity_share_minor as capacity_share,
      forecast_uplift_minor as forecast_uplift
    from incremental_sales where quarter = {this}
  ) on usage_layer, capacity_share, forecast_uplift into name method value sales_minor
),
shares as (
  select *, sales_minor::hugeint * {rate} // 10000 as whole,
    sales_minor::hugeint * {rate} % 10000 as rest
  from sales join caps using (marketplace_id, storage_type, seller_id)
)
select marketplace_id, method, method = pays as pays, sum(sales_minor) as sales_minor,
  sum(greatest(0, least(cap_minor,
    whole + (rest > 5000 or rest = 5000 and whole % 2 = 1)::int))) as credit_minor
from shares group by all order by all""",
    ),
    "checks": _Template(
        "rules asked of each table, run by run; the second computation is counted apart",
        ("all_runs.contract_results",),
        """
select run, stage, table_name, count(*) as rules,
  count(*) filter (outcome = 'passed') as hold,
  count(*) filter (outcome = 'failed' and severity = 'error') as broken,
  count(*) filter (outcome = 'failed' and severity = 'warning') as warned,
  count(*) filter (outcome = 'not_judged') as not_judged
from all_runs.contract_results where quarter = {this} and kind <> 'second_computation'
group by all order by all""",
    ),
    "breaches": _Template(
        "rules that do not hold, with the first rows that break them",
        ("all_runs.contract_results",),
        """
select run, stage, table_name, rule_name, severity, outcome, rows_failed, sample
from all_runs.contract_results
where quarter = {this} and outcome = 'failed' and kind <> 'second_computation'
order by severity, run, table_name, rule_name""",
    ),
    "second": _Template(
        "rows computed a second time before each run was published",
        ("all_runs.contract_results",),
        """
select run, stage, sum(rows_checked) as rows_checked, sum(rows_failed) as rows_failed
from all_runs.contract_results where quarter = {this} and kind = 'second_computation'
group by all order by all""",
    ),
    "runs": _Template(
        "settlement runs with their deltas",
        ("all_runs.settlements", "runs"),
        """
select marketplace_id, run, stage, count(*) as grants, sum(fee_minor) as fee_minor,
  sum(credit_minor) as credit_minor, sum(net_due_minor) as net_due_minor,
  sum(delta_fee_minor) as delta_fee_minor, sum(delta_credit_minor) as delta_credit_minor,
  sum(delta_net_due_minor) as delta_net_due_minor
from all_runs.settlements join runs using (quarter, run) where quarter = {this}
group by all order by all""",
    ),
    "ledger": _Template(
        "what all settlement runs together have posted",
        ("all_runs.ledger_entries",),
        """
select marketplace_id, account, count(*) as entries, sum(amount_minor) as amount_minor
from all_runs.ledger_entries where quarter = {this} group by all order by all""",
    ),
}


def queries_of(quarter: Quarter, credit_rate_bp: int, credit_cap_bp: int) -> dict[str, Query]:
    """Every query of one quarter's report, in the order in which the report uses them.

    Args:
        quarter: the quarter.
        credit_rate_bp: its policy's share of incremental sales.
        credit_cap_bp: its policy's share of the fee that a credit may reach.
    """
    values = {
        "this": f"'{quarter.label}'",
        "both": f"'{quarter.previous.label}', '{quarter.label}'",
        "points": CURVE_POINTS,
        "largest": LARGEST,
        "rate": credit_rate_bp,
        "cap": credit_cap_bp,
        "edges": ", ".join(map(str, EDGES_FT3)),
    }
    return {
        name: Query(
            name,
            template.gives.format_map(values),
            template.tables,
            template.sql.strip().format_map(values),
        )
        for name, template in _TEMPLATES.items()
    }
