"""The Olist importer on small files of Olist's schema, made here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from olist_files import SOURCE_SQL, write_source

from orchestration.errors import BadInput
from orchestration.simulation.olist import SIMULATED, olist_folder, write_olist_delivery
from orchestration.simulation.writing import SCHEMAS, Summary

TABLES = tuple(name for name in SCHEMAS if name != "refunds")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_source(tmp_path_factory.mktemp("olist_source"))


@pytest.fixture(scope="module")
def written(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    folder = tmp_path_factory.mktemp("olist_delivery")
    return folder, write_olist_delivery(source, folder)


@pytest.fixture
def delivery(written: tuple[Path, Summary]) -> Iterator[duckdb.DuckDBPyConnection]:
    folder, _ = written
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"create view {table} as from '{folder}/{table}.parquet'")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, query: str) -> object:
    return connection.execute(query).fetchall()[0][0]


def test_every_line_arrives_once_with_its_exact_price_and_time(
    delivery: duckdb.DuckDBPyConnection, source: Path
) -> None:
    assert one(delivery, "select count(*) from order_lines") == 8000
    different = delivery.execute(
        f"""
        select order_id || '-' || order_item_id, product_id, seller_id,
          coalesce(purchase_ts_true, purchase_date_est + interval 12 hour),
          1, cast(printf('%.2f', price) as decimal(18, 2))
        from '{source}/order_items.parquet' join '{source}/orders_recovered.parquet'
          using (order_id)
        except all
        select order_line_id, sku, seller_id, ordered_at, units, revenue from order_lines"""
    ).fetchall()
    assert different == []


def test_a_line_is_received_on_the_evening_of_its_day(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    assert (
        one(
            delivery,
            "select bool_and(received_at = ordered_at::date + interval '23:59:59')"
            " from order_lines",
        )
        is True
    )


def test_storage_types_come_from_category_then_size(delivery: duckdb.DuckDBPyConnection) -> None:
    rows = delivery.execute(
        """
        select storage_type, bool_and(number % 6 = 2), bool_and(number % 6 = 3),
          min(unit_volume_ft3) > 1.8, max(unit_volume_ft3) > 1.8
        from (select *, right(sku, 3)::integer as number from products)
        group by all order by all"""
    ).fetchall()
    assert rows == [
        ("apparel", False, True, False, True),
        ("footwear", True, False, False, True),
        ("oversize", False, False, True, True),
        ("standard", False, False, False, False),
    ]


def test_volume_is_cubic_centimetres_over_28316_846592(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    volume = one(delivery, "select unit_volume_ft3 from products where sku = 'product007'")
    assert volume == Decimal("1.144195")  # 40 × 27 × 30 cm


def test_a_product_without_dimensions_takes_its_categorys_median(
    delivery: duckdb.DuckDBPyConnection, written: tuple[Path, Summary]
) -> None:
    medians = one(
        delivery,
        """select quantile_disc(unit_volume_ft3, 0.5) from products
        where right(sku, 3)::integer % 6 = 0 and sku <> 'product000'""",
    )
    assert one(delivery, "select unit_volume_ft3 from products where sku = 'product000'") == medians
    note = json.loads((written[0] / "_delivery.json").read_text())
    assert "volume is the category's median where unknown: 1" in note["notes"]


def test_the_note_tells_which_tables_are_simulated(written: tuple[Path, Summary]) -> None:
    note = json.loads((written[0] / "_delivery.json").read_text())
    assert note["simulated"] == SIMULATED
    assert set(SIMULATED) == set(TABLES) - {"marketplaces", "sellers", "products", "order_lines"}
    assert note["seed"] == 2018
    assert note["first_order_day"] == "2016-10-01"


def test_the_summary_counts_the_rows_of_eight_tables(
    delivery: duckdb.DuckDBPyConnection, written: tuple[Path, Summary]
) -> None:
    counts = {table: one(delivery, f"select count(*) from {table}") for table in TABLES}
    assert written[1].rows == counts
    assert not (written[0] / "refunds.parquet").exists()


def test_sellers_are_professionals_that_join_with_their_first_order(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    assert (
        one(
            delivery,
            """select count(*) from sellers left join (
              select seller_id, min(ordered_at)::date as first_day from order_lines group by all
            ) using (seller_id)
            where account_type <> 'professional' or joined_on is distinct from first_day
              or received_at <> joined_on""",
        )
        == 0
    )


def test_nothing_is_received_before_what_it_refers_to(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    # A snapshot or an order of a product that nobody has heard of yet would stop the pipeline.
    for table in ("order_lines", "inventory_snapshots"):
        assert (
            one(
                delivery,
                f"""select count(*) from {table} as facts left join products using (seller_id, sku)
                where products.received_at is null or products.received_at > facts.received_at""",
            )
            == 0
        )
    assert (
        one(
            delivery,
            """select count(*) from products left join sellers using (seller_id)
            where sellers.received_at is null or sellers.received_at > products.received_at""",
        )
        == 0
    )
    assert (
        one(
            delivery,
            """select count(*) from capacity_requests as requests
            left join sellers using (seller_id)
            where sellers.received_at > requests.received_at""",
        )
        == 0
    )


@pytest.mark.parametrize("table", TABLES)
def test_the_same_files_and_seed_give_the_same_bytes(
    table: str, source: Path, written: tuple[Path, Summary], again: Path
) -> None:
    name = f"{table}.parquet"
    assert (written[0] / name).read_bytes() == (again / name).read_bytes()


@pytest.fixture(scope="module")
def again(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The same rows in another order: neither order nor cutting of the source's rows matters.
    shuffled = {
        table: f"select * from ({query}) order by hash({key}) desc"
        for (table, query), key in zip(
            SOURCE_SQL.items(),
            ("seller_id", "product_id", "order_id", "order_id", "product_category_name"),
            strict=True,
        )
    }
    folder = tmp_path_factory.mktemp("olist_again")
    write_olist_delivery(write_source(folder / "source", **shuffled), folder / "delivery")
    return folder / "delivery"


def test_another_seed_changes_the_simulated_tables_and_nothing_real(
    source: Path, written: tuple[Path, Summary], tmp_path: Path
) -> None:
    write_olist_delivery(source, tmp_path, seed=7)
    same = {
        table
        for table in TABLES
        if (tmp_path / f"{table}.parquet").read_bytes()
        == (written[0] / f"{table}.parquet").read_bytes()
    }
    assert {"marketplaces", "sellers", "order_lines"} <= same
    assert same.isdisjoint({"capacity_requests", "inventory_snapshots"})


@pytest.mark.parametrize("table", ["order_items", "orders_recovered", "products", "sellers"])
def test_a_missing_file_is_one_sentence(table: str, source: Path, tmp_path: Path) -> None:
    folder = write_source(tmp_path / "source")
    (folder / f"{table}.parquet").unlink()
    with pytest.raises(BadInput, match=rf"{table}\.parquet is missing"):
        write_olist_delivery(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_says_where_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no folder .*FBACAP_OLIST"):
        write_olist_delivery(tmp_path / "nowhere", tmp_path / "out")


def test_an_unreadable_file_is_one_sentence(tmp_path: Path) -> None:
    folder = write_source(tmp_path / "source")
    (folder / "products.parquet").write_bytes(b"not Parquet at all")
    with pytest.raises(BadInput, match=r"products\.parquet cannot be read") as caught:
        write_olist_delivery(folder, tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_column_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    text = SOURCE_SQL["order_items"].replace("(19.9 + product / 2)::double", "'dear'")
    folder = write_source(tmp_path / "source", order_items=text)
    with pytest.raises(BadInput, match=r"order_items\.parquet cannot be read.*dear"):
        write_olist_delivery(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("table", "query", "sentence"),
    [
        ("sellers", "select 'x' as seller", "lacks column seller_id"),
        ("order_items", "select * from ({}) where false", "holds no order lines"),
        ("order_items", "from ({0}) union all from ({0})", "same line of an order more than once"),
        ("order_items", "select * replace (-1::double as price) from ({})", "prices that are"),
        ("order_items", "select * replace (null::varchar as seller_id) from ({})", "without order"),
        ("orders_recovered", "from ({0}) union all from ({0})", "has orders more than once"),
        ("orders_recovered", "from ({}) where order_id <> 'order00042'", "lacks .*order00042"),
        (
            "orders_recovered",
            "select * replace (null::date as purchase_date_est) from ({})",
            "lacks orders, or their dates",
        ),
        ("products", "from ({0}) union all from ({0})", "has products more than once"),
        ("products", "from ({}) where product_id <> 'product001'", "lacks .*product001"),
        (
            "products",
            "select * replace (null::integer as product_width_cm) from ({})",
            "no product with dimensions",
        ),
        ("sellers", "from ({}) where seller_id <> 'seller001'", "lacks sellers .*seller001"),
    ],
)
def test_rows_that_contradict_each_other_are_one_sentence(
    table: str, query: str, sentence: str, tmp_path: Path
) -> None:
    folder = write_source(tmp_path / "source", **{table: query.format(SOURCE_SQL[table])})
    with pytest.raises(BadInput, match=rf"{table}\.parquet .*{sentence}"):
        write_olist_delivery(folder, tmp_path / "out")


def test_the_folder_is_the_one_that_the_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FBACAP_OLIST", str(tmp_path))
    assert olist_folder() == tmp_path
    monkeypatch.delenv("FBACAP_OLIST")
    assert olist_folder().parts[-3:] == ("shared", "data", "olist")
