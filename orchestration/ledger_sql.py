"""The SQL behind ``ledger_export``: account names, amounts and the lines of each format.

The statements read the views ``entries`` (ledger entries of the chosen runs) and ``held`` (what
their accounts must hold afterwards), the tables ``runs`` and ``currencies``, and two variables.
"""

from __future__ import annotations

# Beancount takes letters, digits and dashes in names. The letter before each part keeps ids that
# differ only in case apart from the capital letter that beancount wants first.
MACROS = r"""
create temp macro account_part(kind, id) as kind || '-' || coalesce(list_aggregate(
    list_transform(
        string_split(id, ''),
        lambda piece: case
            when regexp_full_match(piece, '[A-Za-z0-9]') then piece
            else regexp_replace(hex(piece), '(..)', '-\1', 'g')
        end
    ),
    'string_agg', ''
), '');

create temp macro market_account(marketplace_id, storage_type) as
    getvariable('quarter') || ':' || account_part('M', marketplace_id)
    || ':' || account_part('T', storage_type);

create temp macro ledger_account(account, marketplace_id, storage_type, seller_id) as case account
    when 'seller_receivable' then 'Assets:Receivable:'
        || market_account(marketplace_id, storage_type) || ':' || account_part('S', seller_id)
    when 'reservation_fee_revenue' then 'Income:ReservationFees:'
        || market_account(marketplace_id, storage_type)
    when 'performance_credit_expense' then 'Expenses:PerformanceCredits:'
        || market_account(marketplace_id, storage_type)
    else error('ledger account ' || account || ' has no place in the exported chart of accounts')
end;

create temp macro quoted(words) as '"' || replace(replace(replace(replace(replace(replace(
    words, '\', '\\'), '"', '\"'), chr(10), '\n'), chr(9), '\t'), chr(13), '\r'), chr(0), '�')
    || '"';

create temp macro amount_text(minor, digits) as
    case when minor < 0 then '-' else '' end
    || cast(abs(cast(minor as hugeint)) // cast('1' || repeat('0', digits) as hugeint) as varchar)
    || case when digits = 0 then '' else '.' || lpad(
        cast(abs(cast(minor as hugeint)) % cast('1' || repeat('0', digits) as hugeint) as varchar),
        digits, '0'
    ) end;

create temp view postings as
select
    run, marketplace_id, storage_type, currency, account,
    case when account = 'seller_receivable' then seller_id end as seller_id,
    sum(cast(amount_minor as hugeint)) as amount_minor
from entries
group by all;

create temp view balances as
with sums as (
    select
        marketplace_id, storage_type, currency, seller_id,
        sum(cast(net_due_minor as hugeint)) as net_due_minor,
        sum(cast(fee_minor as hugeint)) as fee_minor,
        sum(cast(credit_minor as hugeint)) as credit_minor
    from held
    group by all
)
select
    marketplace_id, storage_type, currency, 'seller_receivable' as account, seller_id,
    net_due_minor as amount_minor
from sums
union all
select
    marketplace_id, storage_type, currency, 'reservation_fee_revenue', null,
    -sum(fee_minor)
from sums group by all
union all
select
    marketplace_id, storage_type, currency, 'performance_credit_expense', null,
    sum(credit_minor)
from sums group by all;
"""

BEANCOUNT = r"""
with accounts as (
    select marketplace_id, storage_type, account, seller_id,
        string_agg(distinct currency, ',' order by currency) as currencies
    from (
        select marketplace_id, storage_type, account, seller_id, currency from balances
        union
        select marketplace_id, storage_type, account, seller_id, currency from postings
    )
    group by all
),
lines as (
    select
        1 as section, 0 as run, '' as marketplace_id, '' as storage_type, '' as currency,
        '' as account, '' as seller_id,
        'option "title" ' || quoted('fbacap ledger of ' || getvariable('quarter')) as line
    union all
    select 2, 0, '', '', currency, '', '', 'option "operating_currency" ' || quoted(currency)
    from currencies
    union all
    select 3, 0, marketplace_id, storage_type, '', account, coalesce(seller_id, ''),
        (select min(posted_on) from runs) || ' open '
        || ledger_account(account, marketplace_id, storage_type, seller_id) || ' ' || currencies
        || chr(10) || '  marketplace_id: ' || quoted(marketplace_id)
        || chr(10) || '  storage_type: ' || quoted(storage_type)
        || coalesce(chr(10) || '  seller_id: ' || quoted(seller_id), '')
    from accounts
    union all
    select 4, runs.run, marketplace_id, storage_type, currency, '', '',
        posted_on || ' * "fbacap" '
        || quoted(quarter || ' ' || stage || ', run ' || run || ': ' || marketplace_id || ' '
            || storage_type)
        || chr(10) || '  quarter: ' || quoted(quarter)
        || chr(10) || '  run: ' || run
        || chr(10) || '  settlement_run: ' || quoted(stage)
        || coalesce(chr(10) || '  reason: ' || quoted(reason), '')
        || chr(10) || '  manifest_sha256: ' || quoted(manifest_sha256)
    from (select distinct run, marketplace_id, storage_type, currency from postings)
    join runs using (run)
    union all
    select 4, run, marketplace_id, storage_type, currency, account, coalesce(seller_id, ''),
        '  ' || ledger_account(account, marketplace_id, storage_type, seller_id) || '  '
        || amount_text(amount_minor, digits) || ' ' || currency
    from postings join currencies using (currency)
    where amount_minor <> 0
    union all
    -- Without an explicit tolerance a balance may be a whole minor unit off.
    select 5, 0, marketplace_id, storage_type, currency, account, coalesce(seller_id, ''),
        getvariable('asserted_on') || ' balance '
        || ledger_account(account, marketplace_id, storage_type, seller_id) || '  '
        || amount_text(amount_minor, digits) || ' ~ 0 ' || currency
    from balances join currencies using (currency)
)
select line from lines
order by section, run, marketplace_id, storage_type, currency, account, seller_id
"""

CSV = """
select
    quarter, run, stage as settlement_run, posted_on, entry_id, marketplace_id, storage_type,
    seller_id, request_id, round, account, amount_minor, currency, digits as minor_unit_digits
from entries join runs using (run) join currencies using (currency)
order by run, marketplace_id, storage_type, request_id, round, account
"""
