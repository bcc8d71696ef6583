"""``fbacap curve`` over a published round: what the public sees, and what the operator sees."""

import json

import pytest
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter
from orchestration.catalogue import open_catalogue, query
from orchestration.cli import app
from orchestration.descriptions.figures import last_round_figures
from orchestration.errors import BadUsage, NotPublished
from orchestration.ingest import ingest_folder
from orchestration.paths import DataFolder
from orchestration.runner import choose_stages, run_quarter, utc_now
from orchestration.simulation import generate

QUARTER = Quarter(2025, 4)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("input")
    generate(folder, sellers=60, quarters=1, seed=7, last_quarter=QUARTER)
    data = DataFolder(tmp_path_factory.mktemp("market"))
    ingest_folder(data, folder, kind="tables", historical=True)
    stages = choose_stages(data, QUARTER, None, utc_now())
    list(run_quarter(data, QUARTER, [stage for stage in stages if stage.name in (
        "announce", "round-1")]))  # fmt: skip
    return data


@pytest.fixture(scope="module")
def market(published):
    """A market whose first round has a curve."""
    sql = "select marketplace_id, storage_type from demand_curves order by all limit 1"
    return query(published, sql)[1][0]


def shown(data: DataFolder, *words: str, fails: type[Exception] | None = None) -> str:
    done = CliRunner().invoke(app, ["curve", "2025Q4", *words, "--data", str(data.root)])
    if fails is None:
        assert done.exit_code == 0, done.exception
        return done.stdout
    assert isinstance(done.exception, fails)
    return str(done.exception)


def test_the_public_curve_has_cells_and_the_exact_one_every_fee(published, market):
    public = json.loads(shown(published, *market, "--json"))
    exact = json.loads(shown(published, *market, "--json", "--exact", "--round", "1"))
    assert public["steps"][-1]["cumulative_demanded_milli_ft3"] == public["demanded_milli_ft3"]
    assert exact["steps"][-1]["cumulative_demanded_milli_ft3"] == public["demanded_milli_ft3"]
    assert all(step["sellers"] >= 3 for step in public["steps"])
    assert any(step["sellers"] < 3 for step in exact["steps"])
    reached = {
        step["from_fee_minor_per_ft3"]: step["cumulative_demanded_milli_ft3"]
        for step in exact["steps"]
    }
    for step in public["steps"]:
        at_or_above = [
            volume for fee, volume in reached.items() if fee >= step["from_fee_minor_per_ft3"]
        ]
        assert max(at_or_above) == step["cumulative_demanded_milli_ft3"]


def test_a_round_is_shown_as_text_and_drawn_into_a_file(published, market, tmp_path):
    assert f"{market[0]} {market[1]}, 2025Q4 round 1" in shown(published, *market)
    for name in ("curve.png", "curve.svg"):
        said = shown(published, *market, "--out", str(tmp_path / name))
        assert said.strip().replace("\n", "") == str(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5_000


def test_wrong_words_say_which_ones_are_right(published, market, tmp_path):
    assert "its markets are" in shown(published, "nowhere", "standard", fails=BadUsage)
    assert "its published rounds are 1" in shown(published, *market, "--round", "9", fails=BadUsage)
    assert "neither .png nor .svg" in shown(published, *market, "--out", "a.gif", fails=BadUsage)
    missing = str(tmp_path / "missing" / "a.png")
    assert "is not a folder" in shown(published, *market, "--out", missing, fails=BadUsage)
    both = ("--json", "--out", str(tmp_path / "a.png"))
    assert "not both" in shown(published, *market, *both, fails=BadUsage)


def test_a_quarter_without_rounds_says_how_to_get_them(tmp_path):
    said = shown(DataFolder(tmp_path), "US", "standard", fails=NotPublished)
    assert said.startswith("no round of 2025Q4 has been published")


def test_a_rounds_figures_plot_as_numbers_market_by_market(published, market):
    with open_catalogue(published) as catalogue:
        rounds = catalogue.sql("select * from market_rounds order by all").to_arrow_table()
    figures = last_round_figures(rounds.to_pandas())
    name = f"{market[0]} {market[1]}: clearing_fee_minor_per_ft3"
    fee = json.loads(shown(published, *market, "--json"))["clearing_fee_minor_per_ft3"]
    assert figures[name] == fee
    assert all(type(value) is int for value in figures.values())
