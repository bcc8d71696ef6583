"""The files of `deploy/`: that they are whole, load, agree with each other and open nothing."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from orchestration import dbt_runner
from orchestration.alerts.configuration import load_alerts
from orchestration.instance import instance
from orchestration.paths import PROJECT, DataFolder

DEPLOY = PROJECT / "deploy"
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
UNITS = ("fbacap-daemon.service", "fbacap-web.service", "fbacap-web-auditors.service")
INSTALLED = "/opt/fbacap/current/.venv/bin/fbacap"


class Unit(dict[str, list[str]]):
    """A unit's settings, each with all its values."""

    def __init__(self, name: str) -> None:
        super().__init__()
        for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
            key, found, value = line.partition("=")
            if found and not line.startswith("#"):
                self.setdefault(key, []).append(value)


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("FBACAP_SKIP_NOTHING"):
            pytest.fail(f"{name} is not installed: apt-get install systemd")
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def fresh_home(tmp_path, monkeypatch):
    """A home of Dagster's of which nothing remains in the environment."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FBACAP_DATA", "")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_no_fault_in_a_unit(unit, tmp_path):
    text = (DEPLOY / unit).read_text(encoding="utf-8")
    for service in ("postgresql.service", "network-online.target"):
        text = re.sub(rf" ?{service}", "", text)  # of other packages, perhaps not installed here
    copied = tmp_path / unit
    copied.write_text(text.replace(INSTALLED, sys.executable), encoding="utf-8")
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(copied)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert unit not in done.stderr


def test_systemd_finds_a_fault_where_there_is_one(tmp_path):
    copied = tmp_path / "faulty.service"
    copied.write_text("[Service]\nExecStart=relative path\nNoSuchSetting=1\n", encoding="utf-8")
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(copied)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "NoSuchSetting" in done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_rates_a_units_exposure_as_low(unit):
    command = [program("systemd-analyze"), "security", "--offline=true", "--threshold=20"]
    done = subprocess.run(
        [*command, str(DEPLOY / unit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_starts_a_command_that_exists_with_options_that_exist(unit):
    (start,) = Unit(unit)["ExecStart"]
    command, *words = start.split()
    assert command == INSTALLED
    shown = subprocess.run(
        [sys.executable, "-c", "from orchestration.cli import main; main()", words[0], "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip
    for word in words[1:]:
        assert not word.startswith("--") or word in shown


def test_only_the_proxy_can_be_reached_from_elsewhere():
    for name in UNITS[1:]:
        unit = Unit(name)
        (start,) = unit["ExecStart"]
        port = start.split("--port ")[1].split()[0]
        assert unit["SocketBindAllow"] == [f"ipv4:tcp:{port}"]
        assert unit["SocketBindDeny"] == ["any"]
        assert (unit["IPAddressAllow"], unit["IPAddressDeny"]) == (["localhost"], ["any"])
        assert "--host" not in start
        assert f"server 127.0.0.1:{port};" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    daemon = Unit(UNITS[0])
    assert daemon["SocketBindDeny"] == ["any"]
    assert "SocketBindAllow" not in daemon


def test_the_auditors_ui_runs_as_another_user_read_only():
    auditors, operators = Unit(UNITS[2]), Unit(UNITS[1])
    assert "--read-only" in auditors["ExecStart"][0]
    assert (auditors["User"], operators["User"]) == (["fbacap-audit"], ["fbacap"])
    assert auditors["ReadWritePaths"] == ["/var/lib/fbacap-audit"]
    assert operators["ReadWritePaths"] == ["/var/lib/fbacap/dagster"]


@pytest.mark.parametrize("unit", UNITS)
def test_no_service_can_change_the_system_or_its_own_code(unit):
    settings = Unit(unit)
    assert settings["ProtectSystem"] == ["strict"]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert not any(path.startswith("/opt") for path in settings["ReadWritePaths"])


def test_dagster_takes_both_configurations_and_keeps_the_limits_of_a_data_folder(
    fresh_home, monkeypatch
):
    monkeypatch.setenv("FBACAP_POSTGRES_URL", "postgresql+psycopg2://x@/x?host=/nowhere")
    for name in ("dagster.yaml", "dagster-auditors.yaml"):
        shutil.copy(DEPLOY / name, fresh_home / "dagster.yaml")
        reference = InstanceRef.from_dir(str(fresh_home))
        assert reference.storage_data.class_name == "DagsterPostgresStorage"
        assert reference.settings["telemetry"] == {"enabled": False}
    (fresh_home / "dagster.yaml").unlink()
    with instance(DataFolder(fresh_home / "data")) as default:
        ours = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
        assert ours["concurrency"] == default.get_settings("concurrency")
        assert default.telemetry_enabled is False


def test_a_configuration_that_stands_in_dagsters_home_is_left_as_it_is(fresh_home):
    (fresh_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with instance(DataFolder(fresh_home / "data")) as opened:
        assert opened.get_settings("concurrency") == {}
    assert "concurrency" not in (fresh_home / "dagster.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["fbacap.env.example", "auditors.env.example"])
def test_systemd_and_the_shell_read_the_same_environment_and_no_secret(name):
    path = DEPLOY / name
    shell = subprocess.run(
        ["/bin/sh", "-c", f"set -a; . '{path}'; env"],
        env={}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    parser = configparser.ConfigParser(comment_prefixes="#", delimiters="=", interpolation=None)
    parser.optionxform = str
    parser.read_string("[all]\n" + path.read_text(encoding="utf-8"))
    for variable, value in parser["all"].items():
        assert f"{variable}={value.strip(chr(34))}\n" in shell
        assert not re.search("PASSWORD|SECRET|TOKEN", variable)
    assert "postgresql+psycopg2://" in parser["all"]["FBACAP_POSTGRES_URL"]
    assert not re.search(r"://[^/@]*:[^/@]*@", parser["all"]["FBACAP_POSTGRES_URL"])


def test_users_and_folders_are_made_as_declared(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give folders away")
    (tmp_path / "etc").mkdir()
    for command in (
        [program("systemd-sysusers"), f"--root={tmp_path}", str(DEPLOY / "sysusers.conf")],
        [program("systemd-tmpfiles"), f"--root={tmp_path}", "--create",
         str(DEPLOY / "tmpfiles.conf")],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    lines = (tmp_path / "etc" / "passwd").read_text().splitlines()
    users = {line.split(":")[0]: int(line.split(":")[2]) for line in lines}
    lines = (tmp_path / "etc" / "group").read_text().splitlines()
    groups = {line.split(":")[0]: int(line.split(":")[2]) for line in lines}
    published = (tmp_path / "var/lib/fbacap/market/published").stat()
    assert (published.st_uid, published.st_gid) == (users["fbacap"], groups["fbacap-audit"])
    assert published.st_mode & 0o7777 == 0o2750
    for secret in ("market/work", "market/alerts", "dagster"):
        status = (tmp_path / "var/lib/fbacap" / secret).stat()
        assert status.st_mode & 0o077 == 0
    home = tmp_path / "var/lib/fbacap/dagster/dagster.yaml"
    assert home.readlink() == Path("/etc/fbacap/dagster.yaml")


def test_the_example_of_alerts_is_one_that_fbacap_takes():
    configuration = load_alerts(DEPLOY / "alerts.yaml.example")
    assert [sink.kind for sink in configuration.sinks] == ["log", "email"]


def test_the_wrapper_runs_fbacap_as_its_user_with_its_environment_and_the_words_as_given():
    if os.geteuid() != 0 or shutil.which("runuser") is None:
        pytest.skip("only root can become another user, with runuser")
    with tempfile.TemporaryDirectory(prefix="fbacap-wrapper-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "fbacap.env").write_text('FBACAP_DATA="/a b"\n', encoding="utf-8")
        text = (DEPLOY / "fbacap").read_text(encoding="utf-8").replace("/etc/fbacap", name)
        text = text.replace("-u fbacap", "-u nobody").replace("!= fbacap", "!= nobody")
        wrapper, installed = folder / "wrapper", folder / "installed"
        wrapper.write_text(text.replace(INSTALLED, str(installed)), encoding="utf-8")
        installed.write_text(
            '#!/bin/sh\nid -un; umask; echo "$FBACAP_DATA"; printf "%s|" "$@"; exit 6\n'
        )
        wrapper.chmod(0o755)
        installed.chmod(0o755)
        done = subprocess.run(
            [wrapper, "rerun", "2025Q4", "--reason", "two words"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.stdout.split("\n") == [
        "nobody", "0027", "/a b", "rerun|2025Q4|--reason|two words|"
    ]  # fmt: skip
    assert done.returncode == 6
    assert os.access(DEPLOY / "fbacap", os.X_OK)


def test_every_file_has_its_place_in_the_operations_page():
    for path in sorted(DEPLOY.iterdir()):
        assert path.name == "README.md" or f"deploy/{path.name}" in OPERATIONS, path.name


def test_code_that_cannot_be_written_to_does_not_stop_a_run(tmp_path):
    parsed, in_the_way = tmp_path / "partial_parse.msgpack", tmp_path / "target"
    parsed.write_bytes(b"parsed")
    in_the_way.write_bytes(b"a file where the folder would be")
    dbt_runner._keep(parsed, in_the_way / "fbacap" / parsed.name)
    assert in_the_way.is_file()
