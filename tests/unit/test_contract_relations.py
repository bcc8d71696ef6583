"""Foreign keys and volume rules of contracts are read as the standard writes them, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_example import GRANTS

from orchestration.contracts import Rule, load_contract
from orchestration.errors import BadConfiguration

VOLUME = {
    "type": "library", "name": "volume_is_near", "description": "Near the\n quarters before.",
    "metric": "rowCount", "arguments": {"dated_by": "joined_on", "quarters_before": 2},
    "mustBeBetween": [50, 200], "unit": "percent", "severity": "warning",
}  # fmt: skip
FOREIGN_KEY = {
    "type": "foreignKey",
    "from": ["space_grants.request_id", "space_grants.round"],
    "to": ["requests.id", "requests.round"],
    "customProperties": [{"property": "severity", "value": "warning"}],
}


def loaded(folder: Path, quality: dict[str, Any], relation: dict[str, Any]) -> dict[str, Rule]:
    document = yaml.safe_load(GRANTS)
    document["schema"][0]["quality"].append(quality)
    document["schema"][0]["relationships"] = [relation]
    text = yaml.safe_dump(document, sort_keys=False)
    (folder / "space_grants.odcs.yaml").write_text(text, encoding="utf-8")
    return {rule.name: rule for rule in load_contract("space_grants", folder=folder).rules}


def test_a_foreign_key_becomes_a_rule_that_null_passes(tmp_path: Path) -> None:
    rule = loaded(tmp_path, VOLUME, FOREIGN_KEY)["found_in_requests"]
    assert rule.sentence == "request_id, round of every row stand in requests."
    assert (rule.kind, rule.severity, rule.columns) == (
        "relationship", "warning", ("request_id", "round"),
    )  # fmt: skip
    assert rule.bad_rows_sql("landing.g") == (
        "select request_id, round from landing.g semi join (select distinct request_id, round "
        "from landing.g as judged where judged.request_id is not null and judged.round is not null "
        "and not exists (select 1 from landing.requests as found "
        "where found.id = judged.request_id and found.round = judged.round)) as orphans "
        "using (request_id, round)"
    )


def test_a_volume_rule_warns_and_knows_when_it_has_nothing_to_judge_by(tmp_path: Path) -> None:
    rule = loaded(tmp_path, VOLUME, FOREIGN_KEY)["volume_is_near"]
    assert rule.sentence == "Near the quarters before."
    assert (rule.kind, rule.severity, rule.columns) == ("volume", "warning", ("joined_on",))
    assert "> 50 * total" in rule.sql
    assert "interval 6 month" in rule.sql
    assert rule.judged_sql is not None


def volume(**changed: object) -> Callable[[Path], object]:
    return lambda folder: loaded(folder, {**VOLUME, **changed}, FOREIGN_KEY)


def arguments(**given: object) -> Callable[[Path], object]:
    return volume(arguments=given)


def relation(**changed: object) -> Callable[[Path], object]:
    return lambda folder: loaded(folder, VOLUME, {**FOREIGN_KEY, **changed})


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (volume(severity="error"), "rule volume_is_near: a rowCount is a warning in percent"),
        (volume(unit="rows"), "a rowCount is a warning in percent"),
        (volume(mustBeBetween=[0.5, 2]), "mustBeBetween two whole numbers"),
        (arguments(dated_by="joined_on"), "with arguments dated_by or of_quarter"),
        (arguments(dated_by="nothing", quarters_before=4), "with arguments dated_by"),
        (arguments(dated_by="joined_on", quarters_before=0), "with arguments dated_by"),
        (
            arguments(dated_by="joined_on", of_quarter="joined_on", quarters_before=4),
            "with arguments dated_by",
        ),
        (arguments(dated_by="joined_on", per="x", quarters_before=4), "with arguments dated_by"),
        (arguments(dated_by="joined_on", quarters_before=4, by="x"), "with arguments dated_by"),
        (relation(type=None), "must be a foreignKey"),
        (relation(to=["requests.id"]), "as many of one table"),
        (relation(to=["requests.id", "rounds.round"]), "as many of one table"),
        (relation(to=["id", "round"]), "names columns as table.column"),
        (
            relation(**{"from": ["space_grants.request_id", "space_grants.none"]}),
            "a relationship is from space_grants.none, which is no column",
        ),
        (relation(customProperties=[]), "needs the custom property severity"),
        (
            relation(customProperties=[{"property": "severity", "value": "info"}]),
            "needs the custom property severity",
        ),
        (relation(id="x"), "the field 'id' in relationships"),
    ],
)
def test_what_is_no_such_rule_is_refused(
    tmp_path: Path, read: Callable[[Path], object], fault: str
) -> None:
    with pytest.raises(BadConfiguration) as raised:
        read(tmp_path)
    assert fault in " ".join(str(raised.value).split())
