-- Refunds of a line never exceed it (rules §6), so no day's net sales leave 0 … gross.
select
  marketplace_id,
  seller_id,
  storage_type,
  sales_date,
  gross_sales_minor,
  net_sales_minor
from {{ ref('daily_net_sales') }}
where net_sales_minor < 0 or net_sales_minor > gross_sales_minor
