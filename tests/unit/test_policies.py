"""Policy files: dated versions, and one sentence for a wrong one."""

import pytest

from fbacap_logic.calendar import Quarter
from orchestration.errors import BadConfiguration
from orchestration.policies import load_policies, policy_digest, policy_for


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")


def test_without_files_the_default_policy_governs(tmp_path):
    assert policy_for(tmp_path / "none", Quarter(2026, 4)).policy_version == "default-1"


def test_the_version_in_force_on_the_announcement_day_governs_the_quarter(tmp_path):
    write(tmp_path, "a.yaml", "policy_version: a\nin_force_from: 2020-01-01\n")
    write(tmp_path, "b.yaml", "policy_version: b\nin_force_from: 2026-08-21\n")
    assert policy_for(tmp_path, Quarter(2026, 4)).policy_version == "a"
    assert policy_for(tmp_path, Quarter(2027, 1)).policy_version == "b"


def test_a_quarter_announced_before_every_version_is_refused(tmp_path):
    write(tmp_path, "a.yaml", "policy_version: a\nin_force_from: 2020-01-01\n")
    with pytest.raises(BadConfiguration, match="no policy version was in force when 2019Q4"):
        policy_for(tmp_path, Quarter(2019, 4))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("settlement: {credit_cap_bp: 10001}", "settlement.credit_cap_bp"),
        ("clearing: {minimum_fee_minor_per_ft3: 0}", "clearing.minimum_fee_minor_per_ft3"),
        ("clearing: {tie_rule: lottery}", "clearing.tie_rule"),
        ("calendar: {round_close_days: [-28, 89]}", "at least one day of the quarter in force"),
        ("clearing: {tie_seed: 7}", "clearing.tie_seed"),
        ("minimum_fee: 1", "minimum_fee"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_a_policy_outside_its_ranges_is_refused_by_file_and_field(tmp_path, text, sentence):
    write(tmp_path, "bad.yaml", text)
    with pytest.raises(BadConfiguration) as caught:
        load_policies(tmp_path)
    assert "bad.yaml" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_policy_file_that_cannot_be_read_is_refused_by_name(tmp_path):
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(BadConfiguration, match=r"a\.yaml: cannot be read .*; make it a readable"):
        load_policies(tmp_path)


def test_a_folder_of_policies_that_cannot_be_read_is_refused_and_no_default_governs(tmp_path):
    write(tmp_path, "policies", "a file where the folder should be")
    with pytest.raises(BadConfiguration, match=r"policies: cannot be read .*; make it a readable"):
        load_policies(tmp_path / "policies")


@pytest.mark.parametrize("name", ["b.yml", "b.YAML"])
def test_a_policy_under_a_name_that_would_not_be_read_is_refused(tmp_path, name):
    write(tmp_path, "a.yaml", "policy_version: a\nin_force_from: 2020-01-01\n")
    write(tmp_path, name, "policy_version: b\nin_force_from: 2020-01-02\n")
    with pytest.raises(BadConfiguration, match=rf"{name}: policies are named \*.yaml; rename it"):
        load_policies(tmp_path)


def test_the_digest_is_over_content(tmp_path):
    write(tmp_path, "a.yaml", "policy_version: a\nsettlement: {credit_rate_bp: 1500}\n")
    write(tmp_path, "b.yaml", "# the same in other words\npolicy_version: 'a'\n")
    first, second = load_policies(tmp_path)
    assert policy_digest(first) == policy_digest(second)
