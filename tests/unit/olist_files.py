"""Small files of Olist's schema, column types included, for the importer's tests."""

from __future__ import annotations

from pathlib import Path

import duckdb

# 60 sellers with 6 products each; sales grow and move on to later products, so that some sellers
# outgrow their base and others are left with what nobody buys any more.
SOURCE_SQL = {
    "sellers": """
        select printf('seller%03d', n) as seller_id, 1000::integer as seller_zip_code_prefix,
          'sao paulo' as seller_city, 'SP' as seller_state from range(60) as t(n)""",
    "products": """
        select printf('product%03d', n) as product_id,
          ['cama_mesa_banho', 'moveis_decoracao', 'fashion_calcados',
           'fashion_bolsas_e_acessorios', null, 'automotivo'][1 + n % 6] as product_category_name,
          40::integer as product_name_lenght, 500::integer as product_description_lenght,
          1::integer as product_photos_qty, 700::integer as product_weight_g,
          case when n = 0 then null else 40 end::integer as product_length_cm,
          (20 + n % 90)::integer as product_height_cm,
          30::integer as product_width_cm
        from range(360) as t(n)""",
    "orders_recovered": """
        select printf('order%05d', n) as order_id,
          strftime(day, '%Y-%m') as purchase_month, day as purchase_date_est,
          'shipping_limit' as month_method,
          case when n % 20 = 0 then day + interval '10:11:12' end::timestamp as purchase_ts_true,
          case when n % 20 = 0 then 'delivered' end as order_status_true
        from (select n, date '2016-10-01' + cast(floor(sqrt(n / 6000) * 690) as integer) as day
          from range(6000) as t(n))""",
    "order_items": """
        select printf('order%05d', n) as order_id, item::integer as order_item_id,
          printf('product%03d', product) as product_id,
          printf('seller%03d', product // 6) as seller_id,
          timestamp '2018-01-01'::timestamp_ns as shipping_limit_date,
          (19.9 + product / 2)::double as price, 12.5::double as freight_value
        from (
          select n, item, n // 60 as oldest, 60 + n // 20 - n // 60 as on_sale,
            oldest + (n * n * 7 + item * 13 + n // 50) % on_sale as product
          from range(6000) as t(n), range(1, 3) as i(item) where item = 1 or n % 3 = 0)""",
    "product_category_name_translation": """
        select 'fashion_calcados' as product_category_name,
          'fashion_shoes' as product_category_name_english""",
}


def write_source(folder: Path, **replaced: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        for table, query in (SOURCE_SQL | replaced).items():
            connection.execute(f"copy ({query}) to '{folder}/{table}.parquet' (format parquet)")
    return folder
