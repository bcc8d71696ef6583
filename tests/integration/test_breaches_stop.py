"""A breach of each kind in a real run: an error stops what comes after, a warning goes on."""

from __future__ import annotations

import shutil

import duckdb
import pandas as pd
import pytest
from late_records import QUARTER

from orchestration.assets import round_requests as round_requests_asset
from orchestration.errors import ContractBroken
from orchestration.files import file_digest
from orchestration.ingest import ingest_folder
from orchestration.outcome import StageOutcome
from orchestration.paths import DataFolder
from orchestration.published_checks import rule_outcomes
from orchestration.resources import OpenStage
from orchestration.runner import choose_stages, run_quarter, utc_now

LAST_ROUND = "round-4"


def row(judged: pd.DataFrame) -> pd.DataFrame:
    judged.loc[judged["is_accepted"].idxmax(), "reason"] = "because"
    return judged


def key(judged: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([judged, judged.head(1)], ignore_index=True)


def query(judged: pd.DataFrame) -> pd.DataFrame:
    return judged.iloc[1:]


# The kind of rule, what is done to the judged requests, the rule that says so, what it names.
FAULTS = {
    "row": (row, "because"),
    "key": (key, "key_is_unique fails once"),
    "query": (query, "nothing_is_lost"),
}


@pytest.fixture
def data(cleared_market, tmp_path) -> DataFolder:
    """A quarter whose rounds are published, to run the last of them again."""
    folder = DataFolder(tmp_path / "data")
    shutil.copytree(cleared_market.root, folder.root)
    return folder


def bytes_of(data: DataFolder) -> dict[str, str]:
    """Every published file with its digest; locks are no content."""
    return {
        str(path.relative_to(data.published)): file_digest(path)
        for path in data.published.rglob("*")
        if path.is_file() and "_locks" not in path.parts
    }


def run_last_round(data: DataFolder) -> StageOutcome:
    stages = [
        stage for stage in choose_stages(data, QUARTER, None, utc_now()) if stage.name == LAST_ROUND
    ]
    (outcome,) = run_quarter(data, QUARTER, stages)
    return outcome


def refusal_of_last_round(data: DataFolder) -> str:
    before = bytes_of(data)
    with pytest.raises(ContractBroken) as caught:
        run_last_round(data)
    assert bytes_of(data) == before
    message = str(caught.value)
    assert message.startswith(f"{QUARTER.label} {LAST_ROUND}: round_requests breaks its check")
    return message


@pytest.mark.parametrize("kind", FAULTS)
def test_a_breach_of_an_error_stops_the_run_and_leaves_the_published_zone(data, kind, monkeypatch):
    spoil, told = FAULTS[kind]
    judge, cleared = round_requests_asset.judge_requests, []
    monkeypatch.setattr(round_requests_asset, "judge_requests", lambda *given: spoil(judge(*given)))
    write = OpenStage.write
    monkeypatch.setattr(
        OpenStage,
        "write",
        lambda self, table, *rest: cleared.append(table) or write(self, table, *rest),
    )
    message = refusal_of_last_round(data)
    assert told in message
    assert "request_id" in message
    assert cleared == ["round_requests"]


def test_a_column_of_another_type_stops_the_run_and_leaves_the_published_zone(data, monkeypatch):
    write = OpenStage.write

    def write_wrongly(self, table, *rest):
        done = write(self, table, *rest)
        if table == "round_requests":
            self.connection.execute("alter table market.round_requests alter revision type bigint")
        return done

    monkeypatch.setattr(OpenStage, "write", write_wrongly)
    message = refusal_of_last_round(data)
    assert "types_are_as_agreed" in message
    assert "column_name revision" in message


def test_orphans_and_odd_volumes_are_warned_of_and_the_run_goes_on(data, tmp_path):
    with duckdb.connect() as connection:
        (tmp_path / "late").mkdir()
        files = f"{data.landing}/typed/capacity_requests/*.parquet"
        connection.execute(
            f"""
            copy (
                select * exclude (source_file, source_row, copy) replace (
                    'orphan-' || request_id || '-' || copy as request_id,
                    'nobody' as seller_id,
                    submitted_at - interval (case copy when 0 then 0 else 92 end) day
                        as submitted_at,
                    received_at - interval (case copy when 0 then 0 else 92 end) day
                        as received_at,
                    case copy when 0 then quarter else (quarter - interval 3 month)::date end
                        as quarter)
                from read_parquet('{files}'), range(40) as copies (copy)
                where revision = 1
            ) to '{tmp_path}/late/capacity_requests.parquet'
            """
        )
    ingest_folder(data, tmp_path / "late", kind="tables", historical=False)
    outcome = run_last_round(data)
    assert outcome.is_new
    warned = {warning.table for warning in outcome.warnings}
    assert "capacity_requests" in warned
    found = {
        each.rule: each
        for each in rule_outcomes(outcome.published)
        if each.table == "capacity_requests"
    }
    orphans = found["found_in_sellers"]
    assert (orphans.kind, orphans.severity, orphans.outcome) == (
        "relationship", "warning", "failed",
    )  # fmt: skip
    assert "nobody" in str(orphans.sample)
    volume = found["volume_is_near_the_last_quarters"]
    assert (volume.kind, volume.severity, volume.outcome) == ("volume", "warning", "failed")
    assert QUARTER.key in str(volume.sample)
