"""A small, coherent quarter in one working file: what every stage contract must accept.

Two markets of one marketplace in 2026Q4, seen from the final settlement's cut-off. One file holds
the tables of every kind of stage run. In ``standard`` the pool is short and four rounds clear, each
below the one before; in ``oversize`` a seller meets its cap, and three sellers make a curve.
Amounts that follow from others are computed by SQL written for this file, the rest is written out.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.contracts import load_contract
from orchestration.stages import RESULTS_TABLE, STAGES

# Every table under a stage contract, with the schema that it stands in.
TABLES = {table: "market" for stage in STAGES for table in stage.tables}
TABLES[RESULTS_TABLE] = "market"
TABLES |= {
    relation.removeprefix("facts."): "facts"
    for stage in STAGES
    for relation in stage.reads
    if relation.startswith("facts.")
}

PUBLISHED_TWINS = {
    "history.previous_base_allocations": "base_allocations",
    "history.confirmed_base_allocations": "base_allocations",
    "history.previous_settlements": "settlements",
}

_RUN = """
create table run.parameters as select
    '2026Q4' as quarter, date '2026-10-01' as quarter_start, date '2026-12-31' as quarter_end,
    92 as days_in_quarter, 'final' as stage, 'settle' as stage_kind,
    timestamp '2027-02-15' as cutoff_at, timestamp '2026-08-20' as announced_at,
    date '2025-02-17' as facts_from, 7 as snapshot_carry_days, 'default-1' as policy_version,
    date '2026-07-01' as previous_quarter_start;
create table run.rounds as
select
    round, closes_at, in_force_from, date '2026-12-31' as in_force_to,
    cast(date '2026-12-31' - in_force_from + 1 as integer) as days_in_force, true as is_closed
from (values
    (1, timestamp '2026-09-03', date '2026-10-01'),
    (2, timestamp '2026-09-17', date '2026-10-01'),
    (3, timestamp '2026-10-15', date '2026-10-16'),
    (4, timestamp '2026-11-12', date '2026-11-13')
) as calendar (round, closes_at, in_force_from);
create table run.currencies as
select * from (values ('JPY', 0), ('USD', 2)) as currencies (currency, minor_unit_digits);
create macro half_even(amount, divisor) as
    cast(amount::hugeint // divisor + case
        when 2 * (amount::hugeint % divisor) > divisor then 1
        when 2 * (amount::hugeint % divisor) = divisor and (amount::hugeint // divisor) % 2 = 1
            then 1
        else 0
    end as bigint);
"""

_ANNOUNCED = """
insert into facts.market_capacity
select 'us', market, first_day, network, network - pool, pool
from (values ('standard', 1500000, 1000000), ('oversize', 520000, 500000))
    as capacity (market, network, pool)
cross join (values (date '2026-10-01'), (date '2027-01-01'), (date '2027-04-01'))
    as quarters (first_day);
insert into facts.seller_markets values
    ('us', 'ada', 'standard', 'professional', '2020-01-01', 'USD', '2020-02-01'),
    ('us', 'ada', 'oversize', 'professional', '2020-01-01', 'USD', null),
    ('us', 'bo', 'standard', 'professional', '2020-01-01', 'USD', '2020-02-01'),
    ('us', 'bo', 'oversize', 'professional', '2020-01-01', 'USD', null),
    ('us', 'cy', 'oversize', 'professional', '2026-07-01', 'USD', '2026-07-02'),
    ('us', 'ind', 'standard', 'individual', '2020-01-01', 'USD', null);
insert into facts.weekly_demand values
    ('us', 'ada', 'standard', '2027-02-08', 0, 10, 9000, 50000),
    ('us', 'ada', 'standard', '2027-02-01', 1, 20, 18000, 0),
    ('us', 'bo', 'standard', '2027-01-25', 2, 5, 4000, 12000);
insert into facts.inventory_health
select marketplace_id, seller_id, storage_type, 100, 90000, 88, 9000, 80000, 100, 10, 880, 800, 0,
    7000000
from facts.seller_markets;
insert into facts.foretold_quarter values
    ('us', 'standard', 'ada', 100000, 400000, 700000, 350000);
insert into market.base_allocations values
    ('us', 'standard', 'ada', 'professional', 100000, 400000, 700000, 400000, 60000, 676923,
     2000, 30000, 0, 9000, 800, 850, 1000, 900, 880, 12280,
     800000, 0, 1000000, 562857, 500000, 150000, 50000, 0, -137143),
    ('us', 'standard', 'bo', 'professional', 100000, 300000, 500000, 300000, 90000, 507692,
     null, null, null, null, null, null, null, null, 500, 10000,
     600000, 0, 1000000, 422143, 0, 600000, 0, 0, -177857),
    ('us', 'standard', 'ind', 'individual', 0, 0, 0, 0, 0, 0,
     null, null, null, null, null, null, null, null, 500, 10000,
     15000, 15000, 1000000, 15000, 0, 0, 0, 15000, 0),
    ('us', 'oversize', 'ada', 'professional', 10000, 60000, 90000, 60000, 5000, 101538,
     2000, 30000, 0, 9000, 800, 850, 1000, 900, 880, 9848,
     100000, 0, 500000, 100000, 0, 101538, -1538, 0, 0),
    ('us', 'oversize', 'cy', 'new_professional', 0, 1000, 2000, 1000, 0, 1692,
     null, null, null, null, null, null, null, null, 500, 10000,
     5000, 5000, 500000, 5000, 0, 1692, 0, 3308, 0),
    ('us', 'oversize', 'bo', 'professional', 0, 0, 0, 0, 0, 0,
     null, null, null, null, null, null, null, null, 500, 10000,
     0, 0, 500000, 0, 0, 0, 0, 0, 0);
insert into market.score_components
select
    marketplace_id, storage_type, seller_id, component, value_bp, points,
    case when points is null then 0 else weight_bp end,
    case when points is null then 0 else part end,
    case when points is null then 0 else gain end,
    points is not null and component = 'excess_share'
from market.base_allocations
cross join (values
    ('excess_share', 3000, 240, 60), ('sell_through', 3000, 255, 45),
    ('stranded_share', 2000, 200, 0), ('in_stock_rate', 2000, 185, 20)
) as components (component, weight_bp, part, gain)
cross join lateral (
    select
        case component
            when 'excess_share' then excess_share_bp when 'sell_through' then sell_through_bp
            when 'stranded_share' then stranded_share_bp else in_stock_rate_bp
        end as value_bp,
        case component
            when 'excess_share' then excess_points when 'sell_through' then sell_through_points
            when 'stranded_share' then stranded_points else in_stock_points
        end as points
) as evidence;
insert into market.base_allocation_estimates
select marketplace_id, storage_type, seller_id, first_day, demand_milli_ft3, base_milli_ft3, true
from market.base_allocations
cross join (values (date '2027-01-01'), (date '2027-04-01')) as quarters (first_day);
insert into history.previous_base_allocations
select * replace (500000 as base_milli_ft3) from market.base_allocations
where seller_id = 'ada' and storage_type = 'standard';
insert into history.confirmed_base_allocations
select * from market.base_allocations where seller_id = 'ada' and storage_type = 'oversize';
"""

_REQUESTED = """
create table requests as
select * from (values
    ('a', 1, 1, 'ada', 'standard', 600, 60000, 0, '2026-09-01', '2026-09-01', false, 1, 'accepted'),
    ('a', 1, 2, 'ada', 'standard', 700, 60000, 0, '2026-09-01', '2026-09-02', false, 1,
        'duplicate_id'),
    ('b', 1, 1, 'bo', 'standard', 500, 50000, 10000, '2026-09-02', '2026-09-01', false, 1,
        'accepted'),
    ('c', 1, 1, 'ind', 'standard', 500, 50000, 0, '2026-09-01', '2026-09-01', false, 1,
        'not_eligible'),
    ('d', 1, 1, 'bo', 'standard', 500, 50000, 0, '2026-12-01', '2026-12-01', false, null, 'late'),
    ('e', 1, 1, 'cy', 'oversize', 700, 30000, 0, '2026-10-01', '2026-10-02', false, 3, 'accepted'),
    ('f', 1, 1, 'ada', 'standard', 250, 10000, 0, '2026-10-10', '2026-10-10', false, 3,
        'accepted'),
    ('g', 1, 1, 'bo', 'standard', 100, 10000, 0, '2026-09-01', '2026-09-01', false, 1, 'accepted'),
    ('g', 2, 1, 'bo', 'standard', 100, 10000, 0, '2026-09-10', '2026-09-10', true, 2, 'accepted'),
    ('h', 1, 1, 'ada', 'standard', 400, 10000, 0, '2026-09-10', '2026-09-10', false, 2, 'accepted'),
    ('i', 1, 1, 'ada', 'oversize', 300, 9000, 0, '2026-11-01', '2026-11-01', false, 4, 'accepted'),
    ('j', 1, 1, 'bo', 'oversize', 200, 8000, 0, '2026-11-01', '2026-11-01', false, 4, 'accepted'),
    ('x', 1, 1, 'bo', 'standard', 500, null, 0, '2026-09-01', '2026-09-01', false, 1, 'malformed')
) as received (
    request_id, revision, version_number, seller_id, storage_type, fee, requested, minimum,
    submitted_at, received_at, withdrawn, first_round, reason
);
insert into facts.judged_requests
select
    request_id, revision, version_number, 'us', seller_id, storage_type, '2026-10-01', 'USD', 2,
    fee / 100, coalesce(requested, -1) / 1000, minimum / 1000, fee * 10000,
    coalesce(requested, -1) * 1000, minimum * 1000, submitted_at, received_at, withdrawn,
    first_round, case seller_id when 'ind' then 'individual' else 'professional' end, true,
    base_milli_ft3, 'file-1', 1
from requests inner join market.base_allocations using (seller_id, storage_type);
insert into market.round_requests
select
    'us', storage_type, seller_id, request_id, revision, version_number, fee, requested, minimum,
    submitted_at, received_at, least(submitted_at, received_at), withdrawn, first_round,
    reason = 'accepted', reason, 'Request ' || request_id || ': ' || reason || '.',
    case seller_id when 'cy' then 25000 else 2000000 end, 2, 'file-1', 1
from requests;
"""

_CLEARED = """
insert into facts.round_supply_released values
    ('us', 'standard', 1, 80000), ('us', 'standard', 2, 35000),
    ('us', 'standard', 3, 10000), ('us', 'standard', 4, 10000),
    ('us', 'oversize', 1, 20000), ('us', 'oversize', 2, 0),
    ('us', 'oversize', 3, 0), ('us', 'oversize', 4, 0);
insert into market.cleared_allocations
select
    'us', storage_type, seller_id, request_id, round, 1, max_fee_minor_per_ft3, priority_at,
    requested_milli_ft3, open, trimmed, minimum, granted, outcome, book.reason, 'Because.'
from (values
    ('a', 1, 60000, 60000, 0, 60000, 'granted', 'granted'),
    ('b', 1, 50000, 50000, 10000, 20000, 'partial', 'marginal'),
    ('g', 1, 10000, 10000, 0, 0, 'rejected', 'below_clearing_fee'),
    ('b', 2, 30000, 30000, 0, 30000, 'granted', 'granted'),
    ('h', 2, 10000, 10000, 0, 5000, 'partial', 'marginal'),
    ('h', 3, 5000, 5000, 0, 5000, 'granted', 'granted'),
    ('f', 3, 10000, 10000, 0, 5000, 'partial', 'marginal'),
    ('e', 3, 30000, 25000, 0, 20000, 'partial', 'marginal'),
    ('f', 4, 5000, 5000, 0, 5000, 'granted', 'granted'),
    ('e', 4, 10000, 5000, 0, 0, 'rejected', 'no_supply'),
    ('i', 4, 9000, 9000, 0, 0, 'rejected', 'no_supply'),
    ('j', 4, 8000, 8000, 0, 0, 'rejected', 'no_supply')
) as book (request_id, round, open, trimmed, minimum, granted, outcome, reason)
inner join market.round_requests as accepted
    using (request_id)
where accepted.is_accepted and accepted.revision = 1;
insert into market.market_rounds values
    ('us', 'standard', 1, 80000, 0, 80000, 120000, 80000, 0, 500, 15000, 4000, 3, 2),
    ('us', 'standard', 2, 35000, 0, 35000, 40000, 35000, 0, 400, 11429, 5000, 2, 2),
    ('us', 'standard', 3, 10000, 0, 10000, 15000, 10000, 0, 250, 15000, 5000, 2, 2),
    ('us', 'standard', 4, 10000, 0, 10000, 5000, 5000, 5000, 250, 5000, null, 1, 1),
    ('us', 'oversize', 1, 20000, 0, 20000, 0, 0, 20000, null, 0, null, 0, 0),
    ('us', 'oversize', 2, 0, 20000, 20000, 0, 0, 20000, null, 0, null, 0, 0),
    ('us', 'oversize', 3, 0, 20000, 20000, 25000, 20000, 0, 700, 12500, 8000, 1, 1),
    ('us', 'oversize', 4, 0, 0, 0, 22000, 0, 0, null, null, null, 3, 0);
insert into market.demand_curves values ('us', 'oversize', 4, 1, 200, 3, 3, 22000, 22000);
insert into market.repricing_steps values
    ('us', 'standard', 'a', 1, 2, 500, 400), ('us', 'standard', 'a', 1, 3, 400, 250),
    ('us', 'standard', 'b', 1, 2, 500, 400), ('us', 'standard', 'b', 1, 3, 400, 250),
    ('us', 'standard', 'b', 2, 3, 400, 250), ('us', 'standard', 'h', 2, 3, 400, 250);
insert into market.repriced_fees
select
    marketplace_id, storage_type, seller_id, request_id, round, cleared.granted_milli_ft3,
    max_fee_minor_per_ft3, priority_at, clearing_fee_minor_per_ft3,
    case storage_type when 'standard' then 250 else 700 end,
    case when clearing_fee_minor_per_ft3 not in (250, 700) then 3 end,
    days_in_force, 92,
    half_even(case storage_type when 'standard' then 250 else 700 end * cleared.granted_milli_ft3,
        1000)
from market.cleared_allocations as cleared
inner join market.market_rounds using (marketplace_id, storage_type, round)
inner join run.rounds using (round)
where cleared.granted_milli_ft3 > 0;
"""

_SETTLED = """
insert into facts.seller_market_days
select
    winners.marketplace_id, winners.seller_id, winners.storage_type, days.day,
    1000 + dayofyear(days.day),
    case winners.seller_id when 'ada' then 600001 when 'bo' then 400000 else 20000 end,
    announced.base_milli_ft3,
    (
        select coalesce(sum(grants.granted_milli_ft3), 0)
        from market.repriced_fees as grants
        inner join run.rounds as rounds using (round)
        where grants.seller_id = winners.seller_id
            and grants.storage_type = winners.storage_type
            and days.day >= rounds.in_force_from
    ),
    case days.day when date '2026-10-05' then date '2026-10-04' else days.day end,
    days.day = date '2026-10-05', false
from (select distinct marketplace_id, seller_id, storage_type from market.repriced_fees) as winners
inner join market.base_allocations as announced using (marketplace_id, seller_id, storage_type)
cross join (
    select cast(unnest(generate_series(
        timestamp '2026-10-01', timestamp '2026-12-31', interval 1 day)) as date) as day
) as days;
insert into market.incremental_sales_days
select
    marketplace_id, storage_type, seller_id, day, net_sales_minor, used_milli_ft3, base_milli_ft3,
    extra_milli_ft3, extra_used_milli_ft3,
    half_even(net_sales_minor * 1000000::hugeint * extra_used_milli_ft3, used_milli_ft3),
    half_even(net_sales_minor * 1000000::hugeint * extra_milli_ft3,
        base_milli_ft3 + extra_milli_ft3),
    is_carried, is_missing
from (
    select *, least(extra_milli_ft3, greatest(0, used_milli_ft3 - base_milli_ft3))
        as extra_used_milli_ft3
    from facts.seller_market_days
);
insert into market.incremental_sales
select
    marketplace_id, storage_type, seller_id, 'usage_layer', usage_layer, usage_layer,
    capacity_share, greatest(0, net_sales - sales_forecast_minor), net_sales,
    sales_forecast_minor, 0, carried
from (
    select
        marketplace_id, storage_type, seller_id,
        half_even(sum(usage_layer_micro_minor), 1000000) as usage_layer,
        half_even(sum(capacity_share_micro_minor), 1000000) as capacity_share,
        sum(net_sales_minor) as net_sales, count(*) filter (where is_carried) as carried
    from market.incremental_sales_days
    group by all
)
inner join market.base_allocations using (marketplace_id, storage_type, seller_id);
insert into market.grant_evidence_days
with shares as (
    select
        marketplace_id, storage_type, seller_id, request_id, round, days.day,
        fees.granted_milli_ft3, days.extra_milli_ft3,
        days.usage_layer_micro_minor::hugeint as usage_layer,
        days.capacity_share_micro_minor::hugeint as capacity_share,
        usage_layer * fees.granted_milli_ft3 // extra_milli_ft3 as usage_part,
        capacity_share * fees.granted_milli_ft3 // extra_milli_ft3 as capacity_part,
        row_number() over (partition by marketplace_id, storage_type, seller_id, days.day
            order by usage_layer * fees.granted_milli_ft3 % extra_milli_ft3 desc,
                max_fee_minor_per_ft3 desc, priority_at, request_id, round) as usage_place,
        row_number() over (partition by marketplace_id, storage_type, seller_id, days.day
            order by capacity_share * fees.granted_milli_ft3 % extra_milli_ft3 desc,
                max_fee_minor_per_ft3 desc, priority_at, request_id, round) as capacity_place,
        sum(usage_part) over same_day as usage_parts,
        sum(capacity_part) over same_day as capacity_parts
    from market.repriced_fees as fees
    inner join run.rounds as rounds using (round)
    inner join market.incremental_sales_days as days
        using (marketplace_id, storage_type, seller_id)
    where days.day >= rounds.in_force_from
    window same_day as (partition by marketplace_id, storage_type, seller_id, days.day)
)
select
    marketplace_id, storage_type, seller_id, request_id, round, day, granted_milli_ft3,
    usage_part + if(usage_place <= usage_layer - usage_parts, 1, 0),
    capacity_part + if(capacity_place <= capacity_share - capacity_parts, 1, 0)
from shares;
insert into market.settlements
select
    marketplace_id, storage_type, seller_id, request_id, round, 'USD', granted_milli_ft3,
    final_fee_minor_per_ft3, fee_minor, credit, fee_minor - credit,
    fee_minor, credit // 2, fee_minor - credit // 2,
    0, credit - credit // 2, credit // 2 - credit
from (
    select *, case seller_id when 'bo' then 0 else fee_minor // 2 end as credit
    from market.repriced_fees
);
insert into history.previous_settlements
select * replace (
    previous_credit_minor as credit_minor, previous_net_due_minor as net_due_minor,
    0 as previous_fee_minor, 0 as previous_credit_minor, 0 as previous_net_due_minor,
    fee_minor as delta_fee_minor, previous_credit_minor as delta_credit_minor,
    previous_net_due_minor as delta_net_due_minor
)
from market.settlements;
insert into market.ledger_entries
select
    marketplace_id, currency, storage_type, seller_id, request_id, round,
    request_id || '-' || round || '-' || account, account, amount
from (
    select *, 'seller_receivable' as account, delta_net_due_minor as amount
    from market.settlements
    union all
    select *, 'reservation_fee_revenue', -delta_fee_minor from market.settlements
    union all
    select *, 'performance_credit_expense', delta_credit_minor from market.settlements
)
where amount <> 0;
insert into market.contract_results values
    ('settlements', 'key_is_unique', 'final', 'key', 'error', 'No two rows share a key.', '1.0.0',
     'passed', 8, 0, null),
    ('order_lines', 'volume_is_near_the_last_quarters', 'final', 'volume', 'warning',
     'As many rows as in the quarters before.', '1.2.0', 'failed', 90, 1,
     '[{"marketplace_id": "us"}]'),
    ('refunds', 'volume_is_near_the_last_quarters', 'final', 'volume', 'warning',
     'As many rows as in the quarters before.', '1.2.0', 'not_judged', null, 0, null),
    ('invariants_settle', 'ledger_balances', 'final', 'invariant', 'error',
     'The ledger sums to zero.', null, 'passed', null, 0, null);
"""


def build_mini_quarter(path: Path) -> None:
    """Write the quarter to a new file."""
    with duckdb.connect(str(path)) as connection:
        for schema in ("run", "facts", "market", "history"):
            connection.execute(f"create schema {schema}")
        for table, schema in TABLES.items():
            _create(connection, f"{schema}.{table}", table)
        for twin, table in PUBLISHED_TWINS.items():
            _create(connection, twin, table)
        for script in (_RUN, _ANNOUNCED, _REQUESTED, _CLEARED, _SETTLED):
            connection.execute(script)


def _create(connection: duckdb.DuckDBPyConnection, relation: str, table: str) -> None:
    columns = ", ".join(
        f"{column.name} {column.physical_type}" for column in load_contract(table).columns
    )
    connection.execute(f"create table {relation} ({columns})")
