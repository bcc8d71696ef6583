"""Mistakes that simulated Olist sellers make in their requests (rules §3).

Here belongs one request of every kind that the rules reject, and one that they take for a
repetition, every quarter, so that each reason can be seen at work on this data. Sensible requests
are ``olist_requests``.
"""

from __future__ import annotations

import duckdb

from orchestration.simulation.olist_tables import MARKETPLACE_ID

# One row per mistaken row: number, unknown seller, unknown market, fee = factor × the seller's own
# + added millionths, volume, minimum (micro ft³), days from the quarter's first, seconds after.
_MISTAKES = """
  (901, true,  false, 1.0,    0,    10000000, 0,        -30, 0),
  (902, false, true,  1.0,    0,    10000000, 0,        -30, 0),
  (904, false, false, 1.0,    0,    10000000, 0,        44,  0),
  (905, false, false, 1.0,    0,    10000000, 0,        -30, 0),
  (905, false, false, 1.0,    0,    15000000, 0,        -30, 60),
  (906, false, false, 1.0,    0,    10000000, 20000000, -30, 0),
  (907, false, false, 1.0,    5000, 10000000, 0,        -30, 0),
  (908, false, false, 1.0,    0,    10000500, 0,        -30, 0),
  (909, false, false, 1.0,    0,    0,        0,        -30, 0),
  (910, false, false, 1.0,    0,    500000,   0,        -30, 0),
  (911, false, false, 0.0,    0,    10000000, 0,        -30, 0),
  (912, false, false, 4000.0, 0,    2000000,  0,        -30, 0),
  (913, false, false, 1.0,    0,    10000000, 0,        -30, 0),
  (913, false, false, 1.0,    0,    10000000, 0,        -30, 60)
"""

UNKNOWN_SELLER = "seller-nobody-knows"
UNKNOWN_STORAGE_TYPE = "hazmat"


def add_mistakes(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``requests`` the mistakes of one bidder a quarter, in its largest market.

    The bidder is the first, by the bytes of its id, that asked and had joined when the quarter was
    announced; a quarter without one has no mistakes. The two rows of 905 differ and come a minute
    apart: a duplicate. Those of 913 are the same: a repetition, which is no request at all. The fee
    of 912 is a slip of the keyboard, which a fee ceiling would reject.
    """
    connection.execute(
        f"""
        insert into requests
        with busiest as (
          select quarter, arg_max(storage_type, (requests, storage_type)) as storage_type
          from (select quarter, storage_type, count(*) as requests from requests group by all)
          group by quarter
        ),
        clumsy as (
          select quarter, storage_type, arg_min(seller_id, request_id) as seller_id,
            arg_min(fee_micro, request_id) as fee_micro
          from requests
          inner join busiest using (quarter, storage_type)
          inner join first_days using (seller_id)
          inner join quarters using (quarter)
          where revision = 1 and joined_on < announced_on
          group by quarter, storage_type
        ),
        mistakes as (
          from (values {_MISTAKES}) as mistakes(number, nobody, nowhere, fee_factor, fee_added,
            requested_micro_ft3, minimum_micro_ft3, days, seconds)
        ),
        rows as (
          select
            if(nobody, '{UNKNOWN_SELLER}', seller_id) as seller_id,
            if(nowhere, '{UNKNOWN_STORAGE_TYPE}', storage_type) as storage_type,
            quarter,
            cast(fee_micro * fee_factor as bigint) + fee_added as fee_micro,
            requested_micro_ft3, minimum_micro_ft3, number,
            quarter::timestamp + to_days(days) as submitted_at,
            seconds
          from clumsy, mistakes
        )
        select
          strftime(quarter, '%Y') || 'Q' || quarter(quarter) || '-{MARKETPLACE_ID}-' || seller_id
            || '-' || storage_type || '-' || number as request_id,
          1 as revision, seller_id, storage_type, quarter, fee_micro,
          requested_micro_ft3, minimum_micro_ft3, submitted_at, false as withdrawn,
          submitted_at + to_seconds(2 + seconds) as received_at
        from rows
        """
    )
