"""The command line: fast help, one sentence for what went wrong, exit codes that mean something."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from orchestration import cli
from orchestration.cli import app

HEAVY = (
    "dagster", "dbt", "duckdb", "pandas", "numpy", "great_expectations", "pyarrow", "matplotlib",
)  # fmt: skip


def run_main(monkeypatch, capsys, *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["fbacap", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code, capsys.readouterr().err.strip()


def test_help_loads_none_of_the_heavy_libraries():
    program = (
        "import sys\n"
        "from orchestration.cli import app\n"
        "app(['--help'], standalone_mode=False)\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_every_command_says_what_it_does():
    shown = CliRunner().invoke(app, ["--help"]).stdout
    for command in ("ingest", "generate", "run", "backfill", "status", "sql", "curve", "explain",
                    "statement", "ui", "calendar", "daemon", "rerun", "export", "replay", "what-if",
                    "report", "lineage", "quarantine"):  # fmt: skip
        assert f"{command} " in shown
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "2026Q5"], "'2026Q5' is not a quarter; write it as 2026Q4 or"),
        (["run", "0001Q1"], "'0001Q1' is not a quarter; write it as 2026Q4 or"),
        (["run", "2017Q4", "--data", __file__], "test_cli.py is a file; name a data folder"),
        (["run", "2017Q4", "--stage", "round-9"], "'round-9' is not a stage of 2017Q4"),
        (["run", "2999Q1"], "nothing of 2999Q1 is due: it is announced on 2998-11-20"),
        (
            ["run", "2017Q4", "--stage", "final", "--as-of", "2018-01-01"],
            "2017Q4 final is not due before 2018-02-15",
        ),
        (["backfill", "2018Q1", "2017Q4"], "2017Q4 comes before 2018Q1"),
        (["run", "2017Q4", "--as-of", "yesterday"], "'yesterday' is not a day"),
        (["calendar", "--data", "mistyped"], "mistyped does not exist; name the data folder"),
        (["status", "--data", "mistyped"], "mistyped does not exist; name the data folder"),
        (["sql", "select 1", "--data", "mistyped"], "mistyped does not exist; name the data"),
        (["alerts", "test", "--data", "mistyped"], "mistyped does not exist; name the data"),
        (["ingest", "no-such-folder"], "no-such-folder is not a folder"),
        (["ingest", "a", "b"], "give one folder"),
    ],
)
def test_wrong_words_get_one_sentence_and_exit_code_2(
    monkeypatch, capsys, tmp_path, words, sentence
):
    monkeypatch.setenv("FBACAP_DATA", str(tmp_path))
    code, said = run_main(monkeypatch, capsys, *words)
    assert code == 2
    assert said.startswith("fbacap: ")
    assert sentence in said
    assert "\n" not in said


def test_an_empty_data_folder_has_a_status(tmp_path):
    shown = CliRunner().invoke(app, ["status", "--data", str(tmp_path)])
    assert "nothing has landed yet" in shown.stdout
