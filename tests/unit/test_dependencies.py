"""What is installed is what was chosen: exact pins, nothing unnamed, nobody told of use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from orchestration import TELEMETRY_OFF
from orchestration.paths import PROJECT

SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
OWN = canonicalize_name(SETTINGS["name"])
# Libraries whose purpose is to tell somebody about use. dbt's is switched off (TELEMETRY_OFF).
REPORTERS = {
    "amplitude-analytics", "mixpanel", "opentelemetry-sdk", "posthog", "rudder-sdk-python",
    "scarf-sdk", "segment-analytics-python", "sentry-sdk", "snowplow-tracker",
}  # fmt: skip
READERS = {
    "DAGSTER_DISABLE_TELEMETRY": "dagster",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "dbt-core",
    "DO_NOT_TRACK": "dbt-core",
    "GX_ANALYTICS_ENABLED": "great-expectations",
}


def requirements() -> list[Requirement]:
    extras = SETTINGS["optional-dependencies"].values()
    lines = [*SETTINGS["dependencies"], *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return [each for each in found if canonicalize_name(each.name) != OWN]


def pinned() -> dict[str, str]:
    lines = [line for line in CONSTRAINTS if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in _split(lines)}


def _split(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition("==") for line in lines]


def needed() -> dict[str, str]:
    """Every installed distribution that the project's requirements lead to, with its version."""
    found: dict[str, str] = {}
    waiting = requirements()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        try:
            installed = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # of an extra that is not installed: pip check says what lacks
        extras = wanted.extras or {""}
        if name not in found or wanted.extras:
            waiting += [
                each
                for each in _required(installed)
                if not each.marker or any(each.marker.evaluate({"extra": one}) for one in extras)
                if name not in found or canonicalize_name(each.name) not in found
            ]
        found[name] = installed.version
    return found


def _required(installed: Distribution) -> list[Requirement]:
    return [Requirement(line) for line in installed.requires or ()]


def test_every_requirement_is_pinned_exactly_and_as_the_constraints_say():
    assert requirements()
    for each in requirements():
        (one,) = each.specifier
        assert one.operator == "==", each
        assert pinned()[canonicalize_name(each.name)] == one.version, each


def test_constraints_are_exact_sorted_and_name_no_address():
    lines = [line for line in CONSTRAINTS if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in lines)
    assert lines == sorted(lines, key=str.lower)
    assert len(pinned()) == len(lines)


def test_what_is_installed_is_what_the_constraints_name():
    found = needed()
    assert len(found) > 100
    assert {name: version for name, version in found.items() if pinned().get(name) != version} == {}


def test_no_library_that_reports_use_has_come_in_unnoticed():
    installed = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
    assert installed & REPORTERS == {"snowplow-tracker"}


def test_importing_any_part_switches_reporting_off_here_and_in_what_is_started():
    program = "import orchestration.paths, os; print(dict(os.environ))"
    environment = {key: os.environ[key] for key in os.environ if key not in TELEMETRY_OFF}
    environment["PYTHONPATH"] = str(PROJECT)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    for variable, value in TELEMETRY_OFF.items():
        assert f"'{variable}': '{value}'" in done.stdout


@pytest.mark.parametrize("variable", sorted(TELEMETRY_OFF))
def test_a_switch_is_still_one_that_its_library_reads(variable):
    files = distribution(READERS[variable]).files
    sources = (file.locate() for file in files if file.suffix == ".py")
    assert any(variable in source.read_text(encoding="utf-8") for source in sources)
