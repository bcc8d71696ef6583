"""The SQL that reads chosen sellers' figures from the catalogue.

Here belong statements only: each takes the quarter as ``$quarter`` and the sellers from the table
``chosen_sellers``, gives marketplace_id, seller_id and storage_type first, and has a total order.
Running them is ``reading``.
"""

from __future__ import annotations

QUARTER_SELLERS = """
create temp table quarter_sellers as
with named as (
    select marketplace_id, seller_id from base_allocations where quarter = $quarter
    union
    select marketplace_id, seller_id from round_requests where quarter = $quarter
)
select marketplace_id, seller_id, row_number() over (order by marketplace_id, seller_id) as place
from named
"""

CHOOSE = """
create or replace temp table chosen_sellers as
select marketplace_id, seller_id from quarter_sellers where place between $first and $last
"""

BASES = """
select marketplace_id, seller_id, storage_type, cohort, demand_p10_milli_ft3, demand_p50_milli_ft3,
       demand_p90_milli_ft3, demand_milli_ft3, sales_forecast_minor, target_milli_ft3, score,
       multiplier_bp, unscaled_milli_ft3, floor_milli_ft3, pool_milli_ft3, base_milli_ft3,
       previous_base_milli_ft3, change_demand_milli_ft3, change_score_milli_ft3,
       change_floor_milli_ft3, change_pool_milli_ft3
from base_allocations semi join chosen_sellers using (marketplace_id, seller_id)
where quarter = $quarter order by marketplace_id, seller_id, storage_type
"""

SCORES = """
select marketplace_id, storage_type, seller_id, excess_share_bp, sell_through_bp, stranded_share_bp,
       in_stock_rate_bp, excess_points, sell_through_points, stranded_points, in_stock_points, score
from base_allocations semi join chosen_sellers using (marketplace_id, seller_id)
where quarter = $quarter order by marketplace_id, seller_id, storage_type
"""

ESTIMATES = """
select marketplace_id, seller_id, storage_type, quarter_start, estimate_milli_ft3
from base_allocation_estimates semi join chosen_sellers using (marketplace_id, seller_id)
where quarter = $quarter order by marketplace_id, seller_id, storage_type, quarter_start
"""

REVISIONS = """
select marketplace_id, seller_id, storage_type, request_id, revision, version_number,
       max_fee_minor_per_ft3, requested_milli_ft3, minimum_milli_ft3, received_at, withdrawn,
       first_round, is_accepted, reason, reason_text, source_file, source_row
from round_requests semi join chosen_sellers using (marketplace_id, seller_id)
where quarter = $quarter
order by marketplace_id, seller_id, storage_type, request_id, revision, version_number
"""

ROUNDS = """
select asked.marketplace_id, asked.seller_id, asked.storage_type, asked.request_id, asked.round,
       asked.revision, asked.open_milli_ft3, asked.trimmed_milli_ft3, asked.granted_milli_ft3,
       asked.reason, asked.reason_text, cleared.clearing_fee_minor_per_ft3
from cleared_allocations as asked semi join chosen_sellers using (marketplace_id, seller_id)
left join market_rounds as cleared using (quarter, marketplace_id, storage_type, round)
where asked.quarter = $quarter
order by all
"""

GRANTS = """
select won.marketplace_id, won.seller_id, won.storage_type, won.request_id, won.round,
       won.granted_milli_ft3, won.max_fee_minor_per_ft3, won.round_fee_minor_per_ft3,
       won.final_fee_minor_per_ft3, won.days_in_force, won.days_in_quarter, won.fee_minor,
       settled.credit_minor, settled.net_due_minor
from repriced_fees as won semi join chosen_sellers using (marketplace_id, seller_id)
left join settlements as settled using (quarter, request_id, round)
where won.quarter = $quarter
order by won.marketplace_id, won.seller_id, won.storage_type, won.request_id, won.round
"""

STEPS = """
select won.marketplace_id, won.seller_id, won.storage_type, won.request_id, won.round,
       step.repriced_in_round, step.fee_before_minor_per_ft3, step.fee_after_minor_per_ft3
from repricing_steps as step join repriced_fees as won using (quarter, request_id, round)
semi join chosen_sellers on won.marketplace_id = chosen_sellers.marketplace_id
    and won.seller_id = chosen_sellers.seller_id
where step.quarter = $quarter
order by won.marketplace_id, won.seller_id, won.storage_type, won.request_id, won.round,
         step.repriced_in_round
"""

PRICED_GRANTS = """
select won.marketplace_id, won.storage_type, won.seller_id, won.request_id, won.round,
       won.max_fee_minor_per_ft3, won.priority_at, won.fee_minor
from repriced_fees as won semi join chosen_sellers using (marketplace_id, seller_id)
semi join (select * from incremental_sales where quarter = $quarter) as counted
    using (marketplace_id, storage_type, seller_id)
where won.quarter = $quarter order by won.request_id, won.round
"""

METHODS = """
select marketplace_id, storage_type, seller_id, usage_layer_minor, capacity_share_minor,
       forecast_uplift_minor
from incremental_sales semi join chosen_sellers using (marketplace_id, seller_id)
where quarter = $quarter order by marketplace_id, seller_id, storage_type
"""

SALES = """
with days as (
    select marketplace_id, seller_id, storage_type,
           cast(count_if(extra_milli_ft3 > 0) as integer) as days_with_extra,
           cast(count_if(extra_used_milli_ft3 > 0) as integer) as days_extra_used
    from incremental_sales_days semi join chosen_sellers using (marketplace_id, seller_id)
    where quarter = $quarter group by marketplace_id, seller_id, storage_type
)
select sold.marketplace_id, sold.seller_id, sold.storage_type, sold.method, sold.usage_layer_minor,
       sold.capacity_share_minor, sold.forecast_uplift_minor, sold.net_sales_minor,
       sold.sales_forecast_minor, sold.missing_days, sold.carried_days,
       coalesce(days.days_with_extra, 0) as days_with_extra,
       coalesce(days.days_extra_used, 0) as days_extra_used
from incremental_sales as sold semi join chosen_sellers using (marketplace_id, seller_id)
left join days using (marketplace_id, seller_id, storage_type)
where sold.quarter = $quarter order by sold.marketplace_id, sold.seller_id, sold.storage_type
"""

TOP_DAYS = """
with placed as (
    select marketplace_id, seller_id, storage_type, day, net_sales_minor, used_milli_ft3,
           base_milli_ft3, extra_used_milli_ft3, usage_layer_micro_minor,
           row_number() over (
               partition by marketplace_id, seller_id, storage_type
               order by usage_layer_micro_minor desc, day
           ) as place
    from incremental_sales_days semi join chosen_sellers using (marketplace_id, seller_id)
    where quarter = $quarter and usage_layer_micro_minor > 0
)
select * exclude (place) from placed where place <= $top_days
order by marketplace_id, seller_id, storage_type, place
"""

SETTLEMENTS = """
select each.marketplace_id, each.seller_id, each.storage_type, each.run, runs.stage, runs.cutoff_at,
       cast(sum(each.fee_minor) as bigint) as fee_minor,
       cast(sum(each.credit_minor) as bigint) as credit_minor,
       cast(sum(each.net_due_minor) as bigint) as net_due_minor,
       cast(sum(each.delta_fee_minor) as bigint) as delta_fee_minor,
       cast(sum(each.delta_credit_minor) as bigint) as delta_credit_minor,
       cast(sum(each.delta_net_due_minor) as bigint) as delta_net_due_minor
from all_runs.settlements as each semi join chosen_sellers using (marketplace_id, seller_id)
join runs using (quarter, run)
where each.quarter = $quarter group by all
order by each.marketplace_id, each.seller_id, each.storage_type, each.run
"""

CURRENCIES = """
select marketplace_id, max(currency) as currency from fct_market_rounds group by marketplace_id
union all
select marketplace_id, null from base_allocations
where marketplace_id not in (select marketplace_id from fct_market_rounds) group by marketplace_id
"""

DIGITS = """
select marketplace_id, max(minor_unit_digits) from round_requests
where minor_unit_digits is not null group by marketplace_id
"""

NEAREST = """
select marketplace_id, seller_id from quarter_sellers
order by levenshtein(seller_id, $seller), seller_id, marketplace_id limit 2
"""
