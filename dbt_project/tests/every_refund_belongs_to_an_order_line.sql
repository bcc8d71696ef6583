{{ config(meta={'dagster': {'ref': {'name': 'stg_refunds'}}}) }}

select
  refunds.refund_id,
  refunds.order_line_id
from {{ ref('stg_refunds') }} as refunds
left join {{ source('landing', 'order_lines') }} as order_lines
  on refunds.order_line_id = order_lines.order_line_id
where order_lines.order_line_id is null
