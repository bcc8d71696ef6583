"""From a seller's credit back to days, and from a day back to order lines and refunds (rules §6).

Here belongs reading the evidence of a settlement run: what it published, and the landing files that
its manifest names, up to its cut-off. Dividing days over grants is ``fbacap_logic``; showing the
evidence is ``cli.evidence``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import iso4217

from fbacap_logic.calendar import Quarter
from orchestration.engine import engine
from orchestration.errors import BadUsage, Corrupted, NotPublished
from orchestration.files import sql_literal
from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, published_runs

Row = Mapping[str, Any]

_SETTLED = ("incremental_sales", "incremental_sales_days", "grant_evidence_days", "settlements")
_LANDED = ("order_lines", "refunds", "products")

# The last received version of a key counts, ties by content, as in dbt's staging models.
_LINES = """
create temp table lines as
with named as (
    select distinct order_line_id from order_lines where seller_id = $seller
),
versions as (
    select
        *,
        row_number() over (
            partition by order_line_id
            order by received_at desc, marketplace_id desc, seller_id desc, sku desc,
                cast(ordered_at as date) desc, units desc, revenue desc
        ) as place
    from order_lines semi join named using (order_line_id)
),
typed as (
    select
        marketplace_id, seller_id, sku, storage_type,
        row_number() over (
            partition by marketplace_id, seller_id, sku
            order by received_at desc, storage_type desc, unit_volume_ft3 desc
        ) as place
    from products where seller_id = $seller
),
refund_versions as (
    select
        *,
        row_number() over (
            partition by refund_id
            order by received_at desc, order_line_id desc, refunded_at desc, amount desc
        ) as place
    from refunds
    where refund_id in (select refund_id from refunds semi join named using (order_line_id))
)
select
    versions.marketplace_id, typed.storage_type, versions.order_line_id, versions.sku,
    versions.ordered_at, cast(versions.ordered_at as date) as day, versions.units,
    cast(versions.revenue * minor_per_unit as bigint) as gross_sales_minor,
    coalesce(refunded.refund_minor, 0) as refunds_minor,
    least(refunds_minor, gross_sales_minor) as refunded_minor,
    gross_sales_minor - refunded_minor as net_sales_minor,
    coalesce(refunded.refunds, []) as refunds,
    versions.received_at, versions.source_file, versions.source_row
from versions
inner join typed using (marketplace_id, seller_id, sku)
inner join minor_units using (marketplace_id)
left join (
    select
        refund_versions.order_line_id,
        cast(sum(cast(amount * minor_per_unit as bigint)) as bigint) as refund_minor,
        list({
            'refund_id': refund_id, 'refunded_at': refunded_at,
            'amount_minor': cast(amount * minor_per_unit as bigint),
            'received_at': refund_versions.received_at,
            'source_file': refund_versions.source_file, 'source_row': refund_versions.source_row
        } order by refunded_at, refund_id) as refunds
    from refund_versions
    inner join versions using (order_line_id)
    inner join minor_units using (marketplace_id)
    where refund_versions.place = 1 and versions.place = 1
    group by refund_versions.order_line_id
) as refunded using (order_line_id)
where versions.place = 1 and typed.place = 1 and versions.seller_id = $seller
"""

_DAYS = """
select
    days.* exclude (seller_id),
    coalesce(found.order_lines, 0) as order_lines,
    coalesce(found.net_sales_minor, 0) as net_sales_of_lines_minor
from incremental_sales_days as days
left join (
    select
        marketplace_id, storage_type, day, count(*) as order_lines,
        cast(sum(net_sales_minor) as bigint) as net_sales_minor
    from lines group by marketplace_id, storage_type, day
) as found using (marketplace_id, storage_type, day)
where days.seller_id = $seller
order by marketplace_id, storage_type, day
"""

_OF_THE_SELLER = "select * exclude (seller_id) from {table} where seller_id = $seller order by all"

_LINES_OF_DAY = """
select * from lines semi join incremental_sales_days as days
    on days.marketplace_id = lines.marketplace_id and days.storage_type = lines.storage_type
where lines.day = $day
order by lines.marketplace_id, lines.storage_type, ordered_at, order_line_id
"""


@dataclass(frozen=True)
class Evidence:
    """What stands behind a seller's credits of a quarter, as of one settlement run.

    ``days`` carry what their order lines come to beside what was published; ``lines`` are those of
    the day asked for, each with its refunds; ``grant_days`` are that day's parts by grant, or the
    whole quarter's. Amounts in minor units or millionths of them.
    """

    quarter: str
    seller_id: str
    run: int
    stage: str
    cutoff_at: str
    minor_unit_digits: Mapping[str, int]
    credits: Sequence[Row]
    sales: Sequence[Row]
    days: Sequence[Row]
    grant_days: Sequence[Row]
    lines: Sequence[Row]

    @property
    def differing_days(self) -> list[Row]:
        """Days whose order lines do not come to the net sales that were published."""
        return [
            day for day in self.days if day["net_sales_minor"] != day["net_sales_of_lines_minor"]
        ]


def read_evidence(
    data: DataFolder, quarter: Quarter, seller_id: str, day: date | None = None
) -> Evidence:
    """Read a seller's evidence in the settlement run that holds now.

    Args:
        data: the data folder.
        quarter: a quarter with a settlement run.
        seller_id: a seller with a grant in it; of every marketplace where the name stands.
        day: a day of the quarter whose order lines are wanted.

    Raises:
        NotPublished: the quarter has no settlement run.
        BadUsage: the seller won nothing in the quarter, or the day lies outside it.
        Corrupted: a landing file that the run was made from is not there.
    """
    if day is not None and not quarter.first_day <= day <= quarter.last_day:
        raise BadUsage(f"{day} is not a day of {quarter.label}; name one of its days with --day")
    run = _settlement(data, quarter)
    with engine() as connection:
        connection.execute("set TimeZone = 'UTC'")
        _open_published(connection, run)
        digits = _open_landing(connection, data, run, seller_id)
        return Evidence(
            quarter=quarter.label,
            seller_id=seller_id,
            run=run.run,
            stage=run.stage,
            cutoff_at=run.cutoff_at.isoformat(),
            minor_unit_digits=digits,
            credits=_rows(connection, _OF_THE_SELLER.format(table="settlements"), seller_id),
            sales=_rows(connection, _OF_THE_SELLER.format(table="incremental_sales"), seller_id),
            days=_on(day, _rows(connection, _DAYS, seller_id)),
            grant_days=_on(
                day,
                _rows(connection, _OF_THE_SELLER.format(table="grant_evidence_days"), seller_id),
            ),
            lines=[] if day is None else _rows(connection, _LINES_OF_DAY, seller_id, day),
        )


def _settlement(data: DataFolder, quarter: Quarter) -> PublishedRun:
    runs = [
        run
        for run in published_runs(data.published, quarter)
        if all(table in run.tables for table in _SETTLED)
    ]
    if not runs:
        raise NotPublished(
            f"{quarter.label} has no settlement run with evidence by grant; "
            f"run `fbacap run {quarter.label}` first"
        )
    return max(runs, key=lambda run: (run.cutoff_at, run.run))


def _open_published(connection: duckdb.DuckDBPyConnection, run: PublishedRun) -> None:
    for table in _SETTLED:
        connection.execute(
            f"create view {table} as select * from "
            f"read_parquet({sql_literal(run.file(table))}, hive_partitioning = false)"
        )


def _open_landing(
    connection: duckdb.DuckDBPyConnection, data: DataFolder, run: PublishedRun, seller_id: str
) -> dict[str, int]:
    """Make ``lines``, the seller's order lines as of the cut-off; gives currencies' digits."""
    held = {(file.table, file.sha256): file.typed_path for file in landed_files(data.landing)}
    cutoff = run.cutoff_at.replace(tzinfo=None).isoformat(sep=" ")
    for table in _LANDED:
        digests = [
            str(entry["sha256"])
            for entry in run.manifest["inputs"]["landing"]
            if entry["table"] == table
        ]
        lost = [digest for digest in digests if (table, digest) not in held]
        if lost:
            raise Corrupted(
                f"{data.landing} lacks the {table} file {lost[0][:12]}…, which {run.quarter.label} "
                f"{run.stage} was made from; restore it from a backup"
            )
        if not digests:
            _create_empty(connection, table)
            continue
        paths = ", ".join(sql_literal(held[table, digest]) for digest in digests)
        connection.execute(
            f"create view {table} as select * from "
            f"read_parquet([{paths}], hive_partitioning = false) "
            f"where received_at < timestamp '{cutoff}'"
        )
    currencies = _rows(
        connection,
        "select distinct marketplace_id, currency from settlements where seller_id = $seller "
        "order by all",
        seller_id,
    )
    if not currencies:
        raise BadUsage(
            f"seller '{seller_id}' won no space in {run.quarter.label}, so nothing was attributed; "
            f'`fbacap sql "select distinct seller_id from settlements where quarter = '
            f"'{run.quarter.label}'\"` lists who did"
        )
    digits = {
        str(row["marketplace_id"]): int(iso4217.Currency(row["currency"]).exponent or 0)
        for row in currencies
    }
    # Decimal by decimal stays exact; a power in SQL would be a float.
    connection.execute(
        "create table minor_units (marketplace_id text, minor_per_unit decimal(5, 0))"
    )
    factors = [(marketplace, 10**places) for marketplace, places in digits.items()]
    connection.executemany("insert into minor_units values (?, ?)", factors)
    connection.execute(_LINES, {"seller": seller_id})
    return digits


def _create_empty(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    from orchestration.contracts import load_contract
    from orchestration.working import LINEAGE_COLUMNS

    columns = [(column.name, column.physical_type) for column in load_contract(table).columns]
    body = ", ".join(f'"{name}" {kind}' for name, kind in [*columns, *LINEAGE_COLUMNS])
    connection.execute(f"create table {table} ({body})")


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, seller_id: str, day: date | None = None
) -> list[Row]:
    values: dict[str, object] = {"seller": seller_id} if day is None else {"day": day}
    cursor = connection.execute(sql, values)
    names = [str(entry[0]) for entry in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _on(day: date | None, rows: list[Row]) -> list[Row]:
    return rows if day is None else [row for row in rows if row["day"] == day]
