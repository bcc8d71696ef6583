"""The exported ledger, as beancount reads it: valid, balanced, and what settlements say."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from beancount import loader
from beancount.core import data as directives
from beancount.core import realization
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.cli import app
from orchestration.errors import NotPublished
from orchestration.ledger_export import ledger_text, seller_of_account
from orchestration.paths import DataFolder
from orchestration.published import publish

QUARTER = Quarter(2026, 4)
STAGES = (
    StageCutoff("preliminary", "settle", datetime(2027, 1, 8, tzinfo=UTC)),
    StageCutoff("final", "settle", datetime(2027, 2, 15, tzinfo=UTC)),
    StageCutoff("rerun-1", "settle", datetime(2027, 2, 15, tzinfo=UTC)),
)
REASON = 'a "quoted" \\ reason'
SELLERS = (
    "plain", "Plain", "a-2Db", "a-b", "", "  ", "=1+1", "-9", 'say "hi"', "back\\slash", "a:b",
    "two\nlines\tand\rmore", "Ünïcödé", "卖家", "e\u0301", "\u202eright-to-left", ";comment",
    "2026-01-01 open Assets:Stolen", "\x01\x1f", "nul\x00byte", "x" * 300, "🛒", "'; --",
)  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory) -> DataFolder:
    """Three settlement runs of hostile sellers in three currencies."""
    data = DataFolder(tmp_path_factory.mktemp("market"))
    with duckdb.connect() as connection:
        connection.execute("create schema market")
        connection.execute("create table sellers (place bigint, seller_id varchar)")
        connection.executemany("insert into sellers values (?, ?)", list(enumerate(SELLERS)))
        connection.execute(
            "create table markets as select * from (values ('US', 'standard', 'USD'), "
            "('JP-East', 'over size', 'JPY'), ('BH', 'standard', 'BHD')) "
            "as t (marketplace_id, storage_type, currency)"
        )
        connection.execute(
            "create table settled_before (request_id varchar, fee_minor bigint, "
            "credit_minor bigint, net_due_minor bigint)"
        )
        for credit, stage in zip(
            ("place * 31", "place * 37", "place * 37 + 5"), STAGES, strict=True
        ):
            settled = _SETTLEMENTS.format(credit=credit)
            connection.execute(f"create or replace table market.settlements as {settled}")
            connection.execute(f"create or replace table market.ledger_entries as {_ENTRIES}")
            connection.execute(
                "create or replace table settled_before as select request_id, fee_minor, "
                "credit_minor, net_due_minor from market.settlements"
            )
            reason = REASON if stage.name == "rerun-1" else None
            tables = ["settlements", "ledger_entries"]
            publish(connection, data.published, QUARTER, stage, tables, {}, reason=reason)
    return data


_SETTLEMENTS = """
    with now as (
        select marketplace_id, storage_type, currency, seller_id,
            marketplace_id || '-' || place as request_id,
            -- One fee passes what a float holds exactly.
            1000 + place * 50
                + case when currency = 'USD' and place = 3 then 9007199254740993 else 0 end
                as fee_minor,
            {credit} as credit_minor
        from sellers cross join markets
    )
    select now.marketplace_id, now.storage_type, request_id, 1::integer as round, now.seller_id,
        now.currency, 1000::bigint as granted_milli_ft3, 1::bigint as final_fee_minor_per_ft3,
        now.fee_minor::bigint as fee_minor, now.credit_minor::bigint as credit_minor,
        (now.fee_minor - now.credit_minor)::bigint as net_due_minor,
        coalesce(before.fee_minor, 0)::bigint as previous_fee_minor,
        coalesce(before.credit_minor, 0)::bigint as previous_credit_minor,
        coalesce(before.net_due_minor, 0)::bigint as previous_net_due_minor,
        (now.fee_minor - previous_fee_minor)::bigint as delta_fee_minor,
        (now.credit_minor - previous_credit_minor)::bigint as delta_credit_minor,
        (now.fee_minor - now.credit_minor - previous_net_due_minor)::bigint as delta_net_due_minor
    from now left join settled_before as before using (request_id)
"""
_ENTRIES = """
    select request_id || '/1/' || account as entry_id, marketplace_id, storage_type, currency,
        seller_id, request_id, round, account, amount_minor::bigint as amount_minor
    from market.settlements, lateral (values
        ('seller_receivable', delta_net_due_minor),
        ('performance_credit_expense', delta_credit_minor),
        ('reservation_fee_revenue', -delta_fee_minor)
    ) as posted (account, amount_minor)
    where amount_minor <> 0
"""


def exported(data: DataFolder, **options) -> str:
    return "".join(ledger_text(data, QUARTER, "beancount", **options))


def loaded(text: str):
    entries, errors, _ = loader.load_string(text)
    return entries, [error.message for error in errors]


def balances(entries) -> dict[str, dict[str, Decimal]]:
    """What every account holds, by currency."""
    root = realization.realize(entries)
    held = {}
    for account in realization.iter_children(root):
        positions = account.balance.get_positions()
        if account.txn_postings:
            held[account.account] = {each.units.currency: each.units.number for each in positions}
    return held


def test_bean_check_accepts_the_ledger_and_every_account_holds_what_was_settled(market):
    entries, errors = loaded(exported(market))
    assert errors == []
    held = balances(entries)
    transactions = [each for each in entries if isinstance(each, directives.Transaction)]
    assert len(transactions) == 9
    digits = {"USD": 2, "JPY": 0, "BHD": 3}
    posted = {
        (each.meta["marketplace_id"], each.meta["seller_id"]): each.account
        for each in entries
        if isinstance(each, directives.Open) and each.account.startswith("Assets:")
    }
    assert len(posted) == 3 * len(SELLERS)
    with duckdb.connect() as connection:
        path = next(iter(sorted(market.published.glob("settlements/*/run=0003/*.parquet"))))
        rows = connection.execute(
            f"select marketplace_id, seller_id, currency, net_due_minor from '{path}'"
        ).fetchall()
    for marketplace, seller, currency, due in rows:
        account = posted[marketplace, seller.replace("\x00", "\ufffd")]
        assert held[account][currency] == Decimal(due).scaleb(-digits[currency])
        assert seller_of_account(account) == seller
    assert max(due for *_, due in rows) > 2**53


def test_each_run_alone_posts_and_asserts_its_own_deltas(market):
    for run in (1, 2, 3):
        entries, errors = loaded(exported(market, run=run))
        assert errors == []
        transactions = [each for each in entries if isinstance(each, directives.Transaction)]
        assert {int(each.meta["run"]) for each in transactions} == {run}
    assert {each.meta["reason"] for each in transactions} == {REASON}


@pytest.mark.parametrize("line", ["  Assets:Receivable", "2027-02-16 balance Assets"])
def test_bean_check_refuses_a_ledger_that_is_one_minor_unit_off(market, line):
    text = exported(market)
    place = text.index(".", text.index(line, text.index("USD\n  marketplace_id"))) + 2
    digit = "1" if text[place] != "1" else "2"
    _, errors = loaded(text[:place] + digit + text[place + 1 :])
    assert errors
    assert any("balance" in message.lower() for message in errors)


def test_quarters_stand_side_by_side_in_one_ledger(market):
    other = exported(market).replace("2026Q4", "2027Q1").partition("\n")[2]
    _, errors = loaded(exported(market) + other)
    assert errors == []


def test_csv_has_a_line_an_entry_and_no_formula(market):
    text = "".join(ledger_text(market, QUARTER, "csv"))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert {line["run"] for line in lines} == {"1", "2", "3"}
    assert {line["seller_id"] for line in lines} >= {"'=1+1", "'-9", "plain"}
    assert sum(int(line["amount_minor"]) for line in lines) == 0
    assert {line["currency"]: line["minor_unit_digits"] for line in lines} == {
        "USD": "2", "JPY": "0", "BHD": "3",
    }  # fmt: skip


def test_the_same_runs_give_the_same_bytes(market):
    assert exported(market) == exported(market)


def test_the_command_writes_a_whole_file_or_none(market, tmp_path):
    out = tmp_path / "ledger.beancount"
    words = ["export", "ledger", QUARTER.label, "--data", str(market.root)]
    assert CliRunner().invoke(app, [*words, "--out", str(out), "--all"]).exit_code == 0
    assert out.read_text(encoding="utf-8") == exported(market)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.beancount"]
    assert CliRunner().invoke(app, [*words, "--run", "2"]).stdout == exported(market, run=2)
    nowhere = ["--out", str(tmp_path / "no" / "file")]
    assert "is not a folder" in str(CliRunner().invoke(app, [*words, *nowhere]).exception)
    both = CliRunner().invoke(app, [*words, "--run", "2", "--all"]).exception
    assert str(both) == "give --run or --all, not both"


def test_a_quarter_without_settlements_has_no_ledger(market, tmp_path):
    with pytest.raises(NotPublished, match="2026Q4 has no settlement run yet; run `fbacap run"):
        exported(DataFolder(Path(tmp_path)))
    with pytest.raises(NotPublished, match="has no settlement run 9; its settlement runs are 1, 2"):
        exported(market, run=9)
