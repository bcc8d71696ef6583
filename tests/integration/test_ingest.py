"""What taking in a good delivery does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_examples import (
    GOOD,
    RECEIVED_AT,
    contents,
    deliver,
    order_row,
    orders,
    rows,
    take_in,
    types,
    write_parquet,
)

from orchestration.contracts import contract_names, load_contract
from orchestration.landing import check_landing, landed_files, preparing, receive


def test_there_is_a_good_example_of_every_input_table():
    assert sorted(GOOD) == list(contract_names("input"))


@pytest.mark.parametrize("table", sorted(GOOD))
def test_a_typed_copy_has_the_contracts_columns_and_where_each_row_comes_from(tmp_path, table):
    delivery = take_in(deliver(tmp_path / "in", **{table: GOOD[table]}), tmp_path / "landing")
    (file,) = delivery.files
    agreed = [(column.name, column.physical_type) for column in load_contract(table).columns]
    own = [("received_at", "TIMESTAMP"), ("source_file", "VARCHAR"), ("source_row", "BIGINT")]
    assert types(file) == agreed + own
    assert rows(file, "source_file, source_row") == [
        (file.sha256, row) for row in range(1, GOOD[table].count("\n"))
    ]


def test_the_bytes_are_kept_exactly_and_read_only(tmp_path):
    content = b"\xef\xbb\xbf" + GOOD["order_lines"].replace("\n", "\r\n").encode()
    delivery = take_in(deliver(tmp_path / "in", order_lines=content), tmp_path / "landing")
    (file,) = delivery.files
    assert file.stored_path.read_bytes() == content
    assert file.sha256 == sha256(content).hexdigest()
    assert file.bytes == len(content)
    for path in (file.stored_path, file.typed_path):
        assert path.stat().st_mode & 0o777 == 0o444
    assert file.stored_path == tmp_path / f"landing/files/order_lines/{file.sha256}.csv"
    assert file.typed_path == tmp_path / f"landing/typed/order_lines/{file.sha256}-000001.parquet"


def test_values_arrive_exactly(tmp_path):
    delivery = take_in(deliver(tmp_path / "in", **GOOD), tmp_path / "landing")
    files = {file.table: file for file in delivery.files}
    assert rows(files["order_lines"], "* exclude (source_file)")[0] == (
        *("o1", "US", "s1", "mug", datetime(2026, 7, 1, 10), 2, Decimal("19.90")),  # noqa: DTZ001
        *(datetime(2026, 8, 19, 12), 1),  # noqa: DTZ001
    )
    assert rows(files["network_capacity"], "quarter, network_ft3") == [
        (date(2026, 10, 1), Decimal("1000.500"))
    ]
    assert rows(files["round_supply"], "quarter, round") == [(date(2026, 10, 1), 1)]
    assert rows(files["capacity_requests"], "quarter, withdrawn") == [(date(2026, 10, 1), False)]


def test_csv_and_parquet_give_the_same_typed_rows(tmp_path):
    landing = tmp_path / "landing"
    deliver(tmp_path / "csv", order_lines=GOOD["order_lines"])
    select = (
        "select order_line_id, marketplace_id, seller_id, sku, ordered_at,"
        " units::integer as units, revenue::decimal(9,3) as revenue"
        f" from read_csv('{tmp_path}/csv/order_lines.csv')"
    )
    (tmp_path / "parquet").mkdir()
    write_parquet(tmp_path / "parquet" / "order_lines.parquet", select)
    (first,) = take_in(tmp_path / "csv", landing).files
    (second,) = take_in(tmp_path / "parquet", landing).files
    assert second.stored_path.suffix == ".parquet"
    assert rows(first, "* exclude (source_file)") == rows(second, "* exclude (source_file)")
    assert types(first) == types(second)


def test_missing_columns_and_empty_cells_take_the_contracts_default(tmp_path):
    landing = tmp_path / "landing"
    short = "snapshot_date,marketplace_id,seller_id,sku,on_hand_units\n2026-07-31,US,s1,mug,100\n"
    empty = GOOD["inventory_snapshots"].replace("20,3", ",")
    for name, content in (("short", short), ("empty", empty)):
        source = deliver(tmp_path / name, inventory_snapshots=content)
        (file,) = take_in(source, landing).files
        assert rows(file, "inbound_units, stranded_units") == [(0, 0)]


def test_a_parquet_column_without_any_value_takes_the_contracts_default(tmp_path):
    select = (
        "select date '2026-07-31' as snapshot_date, 'US' as marketplace_id, 's1' as seller_id, "
        "'mug' as sku, 100 as on_hand_units"
    )
    path = tmp_path / "in" / "inventory_snapshots.parquet"
    write_parquet(path, select)
    table = pq.read_table(path).append_column("inbound_units", pa.nulls(1))
    pq.write_table(table, path)
    (file,) = take_in(path.parent, tmp_path / "landing").files
    assert rows(file, "on_hand_units, inbound_units, stranded_units") == [(100, 0, 0)]


def test_columns_may_come_in_any_order_and_lines_may_be_blank(tmp_path):
    content = "currency,marketplace_id\n\nUSD,US\n\nJPY,JP\n"
    (file,) = take_in(deliver(tmp_path / "in", marketplaces=content), tmp_path / "landing").files
    assert rows(file, "marketplace_id, currency, source_row") == [
        ("US", "USD", 1),
        ("JP", "JPY", 2),
    ]


def test_a_table_may_come_as_a_folder_of_files_one_of_them_without_rows(tmp_path):
    source = deliver(
        tmp_path / "in",
        order_lines__1=orders(order_row("o1")),
        order_lines__2=orders(order_row("o2")),
        order_lines__3=orders(),
    )
    delivery = take_in(source, tmp_path / "landing")
    assert [(file.source_name, file.rows) for file in delivery.files] == [
        ("order_lines/1.csv", 1),
        ("order_lines/2.csv", 1),
        ("order_lines/3.csv", 0),
    ]
    assert delivery.files[2].received_at_min is None
    assert landed_files(tmp_path / "landing") == delivery.files


def test_the_same_bytes_for_the_same_table_are_taken_in_once(tmp_path):
    landing = tmp_path / "landing"
    source = deliver(tmp_path / "in", order_lines=GOOD["order_lines"], refunds=GOOD["refunds"])
    take_in(source, landing)
    before = contents(landing)
    again = take_in(source, landing)
    assert again.number is None
    assert again.files == ()
    assert [(file.table, file.delivery) for file in again.skipped] == [
        ("order_lines", 1),
        ("refunds", 1),
    ]
    assert contents(landing) == before


def test_of_a_delivery_known_in_part_the_rest_is_taken_in(tmp_path):
    landing = tmp_path / "landing"
    source = deliver(tmp_path / "in", order_lines__1=orders(order_row("o1")))
    take_in(source, landing)
    deliver(source, order_lines__2=orders(order_row("o1", units="3")))
    second = take_in(source, landing)
    assert second.number == 2
    assert [file.source_name for file in second.files] == ["order_lines/2.csv"]
    assert [file.source_name for file in second.skipped] == ["order_lines/1.csv"]
    assert [file.delivery for file in landed_files(landing)] == [1, 2]


def test_a_file_delivered_twice_at_once_is_taken_in_once(tmp_path):
    row = orders(order_row())
    source = deliver(tmp_path / "in", order_lines__1=row, order_lines__2=row)
    delivery = take_in(source, tmp_path / "landing")
    assert [file.source_name for file in delivery.files] == ["order_lines/1.csv"]
    assert [(file.source_name, file.delivery) for file in delivery.skipped] == [
        ("order_lines/2.csv", 1)
    ]


def test_a_key_that_comes_again_later_is_a_restatement(tmp_path):
    landing = tmp_path / "landing"
    take_in(deliver(tmp_path / "first", order_lines=orders(order_row())), landing)
    restated = deliver(tmp_path / "second", order_lines=orders(order_row(units="1")))
    assert take_in(restated, landing).number == 2


def test_requests_may_repeat_a_key_and_bid_nonsense_for_the_rules_to_judge(tmp_path):
    header, row = GOOD["capacity_requests"].splitlines()
    nonsense = row.replace("6.00,5000,0", "-1.234567,0,99999")
    content = "\n".join([header, row, nonsense])
    source = deliver(tmp_path / "in", capacity_requests=content)
    (file,) = take_in(source, tmp_path / "landing").files
    assert rows(file, "max_fee_per_ft3, minimum_ft3")[1] == (Decimal("-1.234567"), Decimal(99999))


def test_what_is_no_data_is_left_alone_and_listed(tmp_path):
    source = deliver(tmp_path / "in", marketplaces=GOOD["marketplaces"], _draft="anything")
    (source / "README.txt").write_text("hello")
    (source / ".hidden.csv").write_text("a")
    (source / "notes").mkdir()
    delivery = take_in(source, tmp_path / "landing")
    assert delivery.ignored == (".hidden.csv", "README.txt", "_draft.csv", "notes/")


def test_the_receipt_says_which_tables_were_made_up_and_how(tmp_path):
    source = deliver(tmp_path / "in", marketplaces=GOOD["marketplaces"], refunds=GOOD["refunds"])
    note = {"simulated": {"refunds": "drawn at random, seed 7"}, "parameters": {"sellers": 3}}
    (source / "_delivery.json").write_text(json.dumps(note))
    delivery = take_in(source, tmp_path / "landing")
    assert delivery.ignored == ()
    assert [file.simulated for file in landed_files(tmp_path / "landing")] == [
        None,
        "drawn at random, seed 7",
    ]
    receipt = json.loads((tmp_path / "landing/deliveries/000001.json").read_text())
    assert receipt["note"] == note


def test_receipts_read_back_as_they_were_written_and_name_the_one_before(tmp_path):
    landing = tmp_path / "landing"
    first = take_in(deliver(tmp_path / "in", refunds=GOOD["refunds"]), landing)
    second = take_in(deliver(tmp_path / "in", sellers=GOOD["sellers"]), landing)
    assert landed_files(landing) == (*first.files, *second.files)
    receipts = [(landing / f"deliveries/{number:06d}.json").read_bytes() for number in (1, 2)]
    assert json.loads(receipts[1])["previous_sha256"] == sha256(receipts[0]).hexdigest()
    assert json.loads(receipts[1])["received_at"] == "2026-08-19T12:00:00.000000Z"
    assert check_landing(landing) == ()


def test_an_empty_zone_has_no_files(tmp_path):
    assert landed_files(tmp_path / "landing") == ()
    assert check_landing(tmp_path / "landing") == ()


def test_typed_copies_are_the_same_to_the_byte_whatever_else_is_delivered(tmp_path):
    content = orders(*(order_row(f"o{number}") for number in range(5000)))
    alone = take_in(deliver(tmp_path / "alone", order_lines=content), tmp_path / "one")
    among = deliver(tmp_path / "among", order_lines=content, marketplaces=GOOD["marketplaces"])
    together = take_in(among, tmp_path / "two")
    typed = {file.table: file.typed_sha256 for file in together.files}
    assert typed["order_lines"] == alone.files[0].typed_sha256


def test_typed_copies_do_not_depend_on_the_number_of_threads(tmp_path, monkeypatch):
    # Several row groups, which the engine would write in another order with more threads.
    content = orders(*(order_row(f"o{number}") for number in range(400_000)))
    source = deliver(tmp_path / "in", order_lines=content)
    engine = preparing._engine
    found = set()
    for threads in (1, 4):

        def engine_with_threads(spill, threads=threads):
            connection = engine(spill)
            connection.execute(f"set threads = {threads}")
            return connection

        monkeypatch.setattr(preparing, "_engine", engine_with_threads)
        found.add(take_in(source, tmp_path / f"with {threads}").files[0].typed_sha256)
    assert len(found) == 1


def test_progress_is_told_by_file_from_0_to_1(tmp_path):
    told = []
    source = deliver(tmp_path / "in", marketplaces=GOOD["marketplaces"], refunds=GOOD["refunds"])
    receive(
        source,
        tmp_path / "landing",
        received_at=RECEIVED_AT,
        progress=lambda name, share: told.append((name, share)),
    )
    shares = [share for _, share in told]
    assert {name for name, _ in told} == {"marketplaces.csv", "refunds.csv"}
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_importing_the_landing_zone_loads_no_engine():
    heavy = ("duckdb", "pandas", "pydantic", "pyarrow", "dagster")
    program = f"import orchestration.landing, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
