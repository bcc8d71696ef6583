select
  marketplace_id,
  seller_id,
  storage_type,
  day,
  used_milli_ft3
from {{ ref('daily_used_volume') }}
where used_milli_ft3 < 0 or (is_missing and used_milli_ft3 > 0)
