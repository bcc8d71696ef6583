"""A quarter under another policy: who gains, who loses, and nothing published changes."""

import csv
import json

import pytest
from late_records import QUARTER, zone_bytes
from typer.testing import CliRunner

from orchestration.catalogue import query
from orchestration.cli import app
from orchestration.errors import BadConfiguration, BadUsage, NotPublished
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.what_if import what_if
from orchestration.what_if_comparison import TABLES, compare, what_if_document
from orchestration.what_if_text import print_what_if


@pytest.fixture(scope="module")
def harsher(tmp_path_factory):
    """Half the credit, and no fee under two units."""
    path = tmp_path_factory.mktemp("policy") / "harsher.yaml"
    path.write_text(
        "policy_version: harsher-1\n"
        "clearing: {minimum_fee_minor_per_ft3: 200}\n"
        "settlement: {credit_rate_bp: 750}\n"
    )
    return path


@pytest.fixture(scope="module")
def tried(settled_market, harsher, tmp_path_factory):
    """The comparison, the folder that it is kept in, and the published zone before it."""
    before = zone_bytes(settled_market)
    out = tmp_path_factory.mktemp("out") / "what-if"
    words = ["what-if", QUARTER.label, "--policy", str(harsher), "--out", str(out), "--json"]
    answered = CliRunner().invoke(app, [*words, "--data", str(settled_market.root)])
    assert answered.exit_code == 0, answered.output
    return json.loads(answered.stdout), out, before


def test_nothing_published_changes(settled_market, tried):
    assert zone_bytes(settled_market) == tried[2]


def test_the_sellers_rows_are_what_both_quarters_settled_and_add_up_to_the_markets(
    settled_market, tried
):
    document, out, _ = tried
    assert document["policy_version"] == "harsher-1"
    assert document["compared_with"] == ["run 1 (announce)", "run 2 (round-4)", "run 6 (rerun-1)"]
    totals = "select sum(fee_minor), sum(credit_minor), sum(net_due_minor) from settlements"
    for side, data in (("published", settled_market), ("supposed", DataFolder(out))):
        (expected,) = query(data, totals)[1]
        for table in ("sellers", "markets"):
            found = tuple(
                sum(row[f"{side}_{name}_minor"] for row in document[table])
                for name in ("fee", "credit", "net_due")
            )
            assert found == expected, (side, table)
    assert sum(row["change_net_due_minor"] for row in document["sellers"]) > 0


def test_verdicts_follow_from_money_and_space_and_fees_from_the_policy(settled_market, tried):
    document = tried[0]
    verdicts = {row["verdict"] for row in document["sellers"]}
    assert "loses" in verdicts
    for row in document["sellers"]:
        due, space = row["change_net_due_minor"], row["change_granted_milli_ft3"]
        assert row["verdict"] == (
            "same" if due == space == 0
            else "gains" if due <= 0 and space >= 0
            else "loses" if due >= 0 and space <= 0
            else "mixed"
        )  # fmt: skip
    fees = [row["supposed_clearing_fee_minor_per_ft3"] for row in document["rounds"]]
    assert all(fee is None or fee >= 200 for fee in fees)
    assert len(fees) == len(query(settled_market, "from market_rounds")[1])


def test_what_is_kept_can_be_read_as_csv_and_asked_in_sql(tried):
    document, out, _ = tried
    for table in TABLES:
        with (out / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
            assert len(list(csv.DictReader(stream))) == len(document[table])
    assert query(DataFolder(out), "select distinct policy_version from runs")[1] == [("harsher-1",)]


def test_the_policy_in_force_changes_nothing(settled_market, tmp_path, capsys):
    from rich.console import Console

    same = tmp_path / "same.yaml"
    same.write_text("policy_version: default-1\n")
    with what_if(settled_market, QUARTER, same) as run, compare(run) as comparison:
        document = what_if_document(run, comparison)
        print_what_if(Console(width=100), run, comparison, top=3)
        scratch = run.data.root
        assert scratch.is_dir()
    assert not scratch.exists()
    assert document["sellers"]
    assert {row["verdict"] for row in document["sellers"]} == {"same"}
    assert all(row["change_base_milli_ft3"] == 0 for row in document["sellers"])
    assert "every round grants as much at the same clearing fee" in capsys.readouterr().out


def test_before_a_settlement_the_rounds_are_compared(cleared_market, harsher):
    with what_if(cleared_market, QUARTER, harsher) as run, compare(run) as comparison:
        document = what_if_document(run, comparison)
    assert document["compared_with"] == ["run 1 (announce)", "run 2 (round-4)"]
    assert any(
        row["published_fee_minor"] != row["supposed_fee_minor"] for row in document["sellers"]
    )
    assert {row["published_credit_minor"] for row in document["sellers"]} == {0}
    assert len(published_runs(cleared_market.published, QUARTER)) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("settlement: {credit_cap_bp: 10001}", "settlement.credit_cap_bp"),
        ("settlement: {credit_rate: 1}", "credit_rate"),
        ("- a list", "policy"),
        ("a: [", "while parsing"),
        (None, "No such file"),
        (
            "calendar: {round_close_days: [60]}",
            "no round of 2025Q4 closes by 2025-11-12, when round-4 did",
        ),
    ],
)
def test_a_policy_that_cannot_be_tried_is_refused_by_name(cleared_market, tmp_path, text, sentence):
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadConfiguration) as caught, what_if(cleared_market, QUARTER, file):
        pass
    assert sentence in str(caught.value)


def test_a_quarter_without_a_round_and_a_place_that_is_taken_are_refused(
    cleared_market, harsher, tmp_path
):
    with (
        pytest.raises(NotPublished, match="has no published round to compare with"),
        what_if(DataFolder(tmp_path), QUARTER, harsher),
    ):
        pass
    (tmp_path / "taken").touch()
    with (
        pytest.raises(BadUsage, match="is not an empty folder; name a new one"),
        what_if(cleared_market, QUARTER, harsher, keep=tmp_path),
    ):
        pass
