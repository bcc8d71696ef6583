"""What the lineage UI shows beside a table: figures, pictures, units, rules, commands."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pandas as pd
import pytest

from fbacap_logic.calendar import Quarter
from orchestration.contracts import contract_names, load_contract
from orchestration.descriptions.figures import (
    PLOTTED_MARKETS,
    allocation_figures,
    average_fees,
    cleared_figures,
    ledger_figures,
    repriced_figures,
    request_figures,
    sales_figures,
    settlement_figures,
)
from orchestration.descriptions.formulas import FORMULAS, formula_of
from orchestration.descriptions.groups import GROUPS, group_of
from orchestration.descriptions.rules import rule_text, section_numbers, sections
from orchestration.descriptions.run_metadata import check_figures, where_next
from orchestration.descriptions.units import is_number, shown_unit
from orchestration.paths import PROJECT
from orchestration.pictures import in_metadata
from orchestration.pictures.in_metadata import MOST_BYTES, picture
from orchestration.pictures.panels import MOST_PANELS, largest_markets, market_name
from orchestration.pictures.round_pictures import draw_demand_and_supply, draw_fee_path
from orchestration.pictures.seller_pictures import draw_credits, draw_forecast_error
from orchestration.published import PublishedRun

HOSTILE = '<script>alert("x")</script> $x^2$ ![y](z)'
SETTLED = pd.DataFrame(
    {
        "marketplace_id": ["BR", "BR", "BR", "US"],
        "storage_type": ["standard", "standard", "oversize", "standard"],
        "seller_id": ["a", "a", "b", HOSTILE],
        "fee_minor": [100, 300, 50, 1000],
        "credit_minor": [100, 300, 25, 0],
        "net_due_minor": [0, 0, 25, 1000],
        "delta_net_due_minor": [0, 0, 25, 1000],
    }
)
ROUNDS = pd.DataFrame(
    {
        "marketplace_id": "BR",
        "storage_type": ["oversize", "oversize", "standard", "standard"],
        "round": [1, 2, 1, 2],
        "released_milli_ft3": [10, 20, 100, 0],
        "supply_milli_ft3": [10, 30, 100, 40],
        "demanded_milli_ft3": [0, 0, 60, 90],
        "granted_milli_ft3": [0, 0, 60, 40],
        "unsold_milli_ft3": [10, 30, 40, 0],
        "clearing_fee_minor_per_ft3": pd.array([None, None, 100, 201], dtype="Int64"),
        "cover_ratio_bp": pd.array([0, 0, 6000, 22500], dtype="Int64"),
        "marginal_fill_bp": pd.array([None] * 4, dtype="Int64"),
        "winners": [0, 0, 1, 1],
    }
)
GRANTS = pd.DataFrame(
    {
        "marketplace_id": "BR",
        "storage_type": "standard",
        "round": [1, 2, 2],
        "max_fee_minor_per_ft3": [100, 300, 201],
        "trimmed_milli_ft3": [60, 50, 40],
    }
)
FEES = pd.DataFrame(
    {
        "marketplace_id": "BR",
        "storage_type": "standard",
        "round": [1, 2],
        "granted_milli_ft3": [60, 40],
        "final_fee_minor_per_ft3": [100, 201],
        "repriced_in_round": pd.array([None, None], dtype="Int64"),
        "fee_minor": [6, 8],
    }
)
FORETOLD = pd.DataFrame(
    {
        "marketplace_id": "BR",
        "storage_type": ["standard"] * 3,
        "demand_p50_milli_ft3": [0, 1000, 50_000],
        "shipped_milli_ft3": [10, 900, 70_000],
    }
)


def png_of(shown) -> bytes:
    text = shown.value
    assert text.startswith("![picture](data:image/png;base64,")
    return base64.b64decode(text.split("base64,")[1].removesuffix(")"))


def test_money_is_summed_by_market_and_never_over_currencies():
    figures = settlement_figures(SETTLED)
    assert figures["BR: fee_minor"] == 450
    assert figures["US: fee_minor"] == 1000
    assert figures["BR standard: credit_minor"] == 400
    assert "fee_minor" not in figures


def test_winners_are_sellers_in_a_market_and_wholly_offset_ones_owe_nothing():
    figures = settlement_figures(SETTLED)
    assert (figures["winners"], figures["winners_wholly_offset"], figures["grants"]) == (3, 1, 4)
    assert figures["BR: fees offset bp"] == 9444  # 425 of 450


def test_figures_of_no_rows_are_figures_too():
    assert settlement_figures(SETTLED.head(0))["winners"] == 0
    assert cleared_figures(ROUNDS.head(0))["released_milli_ft3"] == 0
    assert repriced_figures(FEES.head(0)) == {"grants": 0, "grants_repriced": 0}


def test_space_is_released_once_and_unsold_after_the_last_round_only():
    figures = cleared_figures(ROUNDS)
    assert figures["released_milli_ft3"] == 130
    assert figures["granted_milli_ft3"] == 100
    assert figures["unsold_milli_ft3"] == 30


def test_a_fee_is_averaged_over_the_volume_granted_at_it_and_absent_without_grants():
    figures = cleared_figures(ROUNDS)
    # (100 × 60 + 201 × 40) / 100 = 140.4
    assert figures["BR standard: average clearing_fee_minor_per_ft3"] == 140
    assert "BR oversize: average clearing_fee_minor_per_ft3" not in figures
    assert "BR oversize: clearing_fee_minor_per_ft3" not in figures


def test_an_average_of_products_past_63_bits_is_exact():
    grants = FEES.assign(final_fee_minor_per_ft3=2**62, granted_milli_ft3=2**40)
    found = average_fees(grants, "final_fee_minor_per_ft3", "fee")
    assert found == {"BR standard: fee": 2**62}


def test_many_markets_do_not_bury_the_rest():
    many = pd.concat([SETTLED.head(1).assign(storage_type=f"t{n:03}") for n in range(50)])
    named = [name for name in settlement_figures(many) if name.startswith("BR t")]
    assert len(named) == 2 * PLOTTED_MARKETS


def test_requests_are_counted_by_what_became_of_them():
    judged = pd.DataFrame(
        {"is_accepted": [True, False, False], "reason": ["accepted", "late", "late"]}
    )
    assert request_figures(judged) == {
        "received": 3, "accepted": 1, "rejected": 2, "rejected: late": 2
    }  # fmt: skip


def test_an_announcement_shows_its_pool_once_a_market_and_its_median_score():
    allocations = pd.DataFrame(
        {
            "marketplace_id": "BR",
            "storage_type": ["s", "s", "t"],
            "pool_milli_ft3": [100, 100, 7],
            "base_milli_ft3": [60, 40, 7],
            "target_milli_ft3": [80, 50, 7],
            "demand_milli_ft3": [8, 5, 7],
            "score": [500, 900, 100],
        }
    )
    figures = allocation_figures(allocations)
    assert figures["pool_milli_ft3"] == 107
    assert figures["score_median"] == 500


def test_incremental_sales_show_every_method_and_flagged_days():
    methods = ("incremental_sales", "usage_layer", "capacity_share", "forecast_uplift", "net_sales")
    quarter = pd.DataFrame(
        {"marketplace_id": ["BR", "BR"], "missing_days": [0, 3], "carried_days": [1, 0]}
        | {f"{name}_minor": [5, 6] for name in methods}
    )
    figures = sales_figures(quarter)
    assert (figures["missing_days"], figures["carried_days"]) == (3, 1)
    assert figures["BR: forecast_uplift_minor"] == 11


def test_a_ledger_that_does_not_balance_shows_its_residual():
    entries = pd.DataFrame({"marketplace_id": "BR", "amount_minor": [5, -5, 1]})
    assert ledger_figures(entries) == {"BR: amount_minor": 6, "ledger_residual_minor": 1}


def test_a_broken_rule_is_counted_among_a_run_s_checks():
    rules = [{"passed": True}, {"passed": False}]
    outcomes = [
        {"passed": False, "rules": rules, "contract_version": "1.0.0"},
        {"passed": True, "rules": rules[:1], "contract_version": "1.0.0"},
        {"passed": True, "rules": rules[:1]},
    ]
    assert check_figures(outcomes) == {
        "checks_passed": 2, "checks_failed": 1, "contract_rules": 3, "contract_rules_broken": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_demand_and_supply(GRANTS, ROUNDS),
        lambda: draw_fee_path(ROUNDS, FEES),
        lambda: draw_forecast_error(FORETOLD),
        lambda: draw_credits(SETTLED),
        lambda: draw_credits(SETTLED.assign(storage_type=HOSTILE)),
    ],
)
def test_a_picture_is_a_small_png_and_names_no_seller_outside_its_pixels(draw):
    from PIL import Image

    shown = picture(draw(), "")
    assert len(shown.value) <= MOST_BYTES + 40
    assert "script" not in shown.value
    with Image.open(io.BytesIO(png_of(shown))) as drawn:
        assert drawn.format == "PNG"
        assert len(drawn.getcolors()) > 2  # more than an empty frame


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_demand_and_supply(GRANTS.head(0), ROUNDS.head(0)),
        lambda: draw_fee_path(ROUNDS.head(2), FEES.head(0)),
        lambda: draw_forecast_error(FORETOLD.head(0)),
        lambda: draw_credits(SETTLED.head(0)),
    ],
)
def test_where_there_is_nothing_to_draw_a_sentence_says_so(draw):
    assert picture(draw(), "nothing was granted").value == "nothing was granted"


def test_a_picture_too_large_for_the_event_log_is_left_out(monkeypatch):
    monkeypatch.setattr(in_metadata, "MOST_BYTES", 100)
    assert "left out" in picture(draw_credits(SETTLED), "").value


def test_pictures_show_the_largest_markets_and_cut_long_names():
    many = pd.DataFrame(
        {"marketplace_id": "BR", "storage_type": [f"t{n}" for n in range(9)], "v": range(9)}
    )
    assert largest_markets(many, "v") == [("BR", f"t{n}") for n in range(9 - MOST_PANELS, 9)]
    assert len(market_name(("BR", "x" * 200))) < 40


def test_every_number_of_a_contract_has_a_unit():
    missing = [
        f"{table}.{column.name}"
        for table in contract_names()
        for column in load_contract(table).columns
        if is_number(column.physical_type) and shown_unit(column.name, column.unit) is None
    ]
    assert missing == []


def test_a_number_whose_name_ends_in_no_unit_has_none():
    assert shown_unit("total") is None


def test_every_formula_names_a_section_of_the_rules_and_code_that_exists():
    for name, formula in FORMULAS.items():
        assert rule_text(formula.rule), name
        for path in formula.code.split(", "):
            assert (PROJECT / path).exists(), path


def test_an_asset_without_a_formula_is_refused():
    with pytest.raises(KeyError):
        formula_of("unheard_of")


def test_rules_are_shown_in_their_own_words():
    assert len(sections()) >= 9
    assert rule_text("§5").startswith("## 5. Repricing")
    assert rule_text("§12") == ""
    assert section_numbers("§§4–7") == (4, 5, 6, 7)


def test_an_unknown_group_is_refused():
    assert group_of(GROUPS[-1]).startswith(f"{len(GROUPS):02}_")
    with pytest.raises(ValueError, match="unheard_of"):
        group_of("unheard_of")


@pytest.mark.parametrize(("kind", "has_sellers"), [("settle", True), ("round", False)])
def test_a_publication_leads_to_its_manifest_and_to_commands(kind, has_sellers):
    zone = Path("/data/published")
    run = PublishedRun(zone, Quarter(2026, 4), 8, {"stage_kind": kind})
    shown = where_next(run, Path("/data"))
    assert shown["manifest"].value.endswith("quarter=2026-10-01/run=0008.json")
    assert shown["report"].value == "/data/reports/2026Q4.html"
    assert "fbacap verify 2026Q4 --run 8 --data '/data'" in shown["commands"].value
    assert ("fbacap explain" in shown["commands"].value) is has_sellers
