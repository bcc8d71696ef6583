"""Whether changed contracts have the version that the change needs; a check of `make lint`.

    python -m orchestration.contract_versions            says what is missing; exit code 1
    python -m orchestration.contract_versions --accept   takes the contracts as they stand

Here belong the accepted forms, ``data_contracts/accepted.json``, and this command. They are a
committed file, so that a clone without history can tell. What a change means is
``contract_changes``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration.contract_changes import Form, changes, form_of
from orchestration.contracts import CONTRACTS_FOLDER, contract_names, load_contract
from orchestration.errors import BadConfiguration, FbacapError

FILE_NAME = "accepted.json"
_COMMAND = "python -m orchestration.contract_versions --accept"


def version_faults(accepted: Mapping[str, Form], now: Mapping[str, Form]) -> Iterator[str]:
    """What is wrong with the versions of changed contracts, a sentence each.

    Args:
        accepted: the forms accepted last, by table.
        now: the forms as they stand.
    """
    for table in sorted(accepted.keys() | now.keys()):
        if table not in now:
            yield f"{table}: its contract is gone; if it should be, accept with --drop {table}"
        elif table in accepted:
            yield from _faults_of(table, accepted[table], now[table])


def _faults_of(table: str, before: Form, after: Form) -> Iterator[str]:
    was, now = _numbers(before), _numbers(after)
    if now < was:
        yield f"{table}: version {after['version']} is before {before['version']}, accepted last"
        return
    found = changes(before, after)
    major = [change.sentence for change in found if change.level == "major"]
    minor = [change.sentence for change in found if change.level == "minor"]
    if major and now[0] == was[0]:
        yield _too_small(table, after, "incompatible", major, (was[0] + 1, 0, 0))
    elif minor and now[:2] == was[:2]:
        yield _too_small(table, after, "an addition", minor, (was[0], was[1] + 1, 0))


def _too_small(
    table: str, after: Form, what: str, sentences: list[str], needed: tuple[int, int, int]
) -> str:
    rest = f" and {len(sentences) - 3} more" if len(sentences) > 3 else ""
    version = ".".join(map(str, needed))
    return (
        f"{table}: {'; '.join(sentences[:3])}{rest}: that is {what}, so version {after['version']} "
        f"must be {version} (data_contracts/{table}.odcs.yaml)"
    )


def _numbers(form: Form) -> tuple[int, ...]:
    return tuple(int(part) for part in form["version"].split("."))


def current_forms(folder: Path = CONTRACTS_FOLDER) -> dict[str, dict[str, Any]]:
    """The forms of every contract of a folder, by table.

    Raises:
        BadConfiguration: a contract cannot be understood.
    """
    names = contract_names(folder=folder)
    return {name: form_of(load_contract(name, folder=folder)) for name in names}


def accepted_forms(folder: Path = CONTRACTS_FOLDER) -> dict[str, dict[str, Any]]:
    """The forms accepted last, by table.

    Raises:
        BadConfiguration: there are none, or the file is not JSON.
    """
    path = folder / FILE_NAME
    try:
        forms: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            f"{folder.name}/{FILE_NAME} cannot be read ({error}); restore it from the repository"
        ) from error
    return forms


def check(folder: Path = CONTRACTS_FOLDER) -> list[str]:
    """What stands between the contracts and the accepted forms, a sentence each; none if nothing.

    Raises:
        BadConfiguration: either cannot be read.
    """
    accepted, now = accepted_forms(folder), current_forms(folder)
    if faults := list(version_faults(accepted, now)):
        return faults
    return [
        f"{table}: changed with a right version ({now[table]['version']}) and not yet accepted; "
        f"run `{_COMMAND}` and commit {folder.name}/{FILE_NAME}"
        for table in sorted(now)
        if accepted.get(table) != now[table]
    ]


def accept(folder: Path = CONTRACTS_FOLDER, *, drop: Sequence[str] = ()) -> list[str]:
    """Write the contracts' forms, unless a version is wrong.

    Args:
        folder: where the contracts stand.
        drop: tables whose contracts are gone on purpose.

    Returns:
        What is wrong, a sentence each; if anything is, nothing was written.

    Raises:
        BadConfiguration: a contract or the accepted forms cannot be read.
    """
    accepted, now = accepted_forms(folder), current_forms(folder)
    kept = {table: form for table, form in accepted.items() if table in now or table not in drop}
    faults = list(version_faults(kept, now))
    if not faults:
        (folder / FILE_NAME).write_text(forms_text(now), encoding="utf-8")
    return faults


def forms_text(forms: Mapping[str, Form]) -> str:
    """Forms as JSON with a line for each column and rule, so that a review shows what changed."""
    tables = (f"{_json(table)}: {_table_text(forms[table])}" for table in sorted(forms))
    return "{\n" + ",\n".join(tables) + "\n}\n"


def _table_text(form: Form) -> str:
    parts = []
    for name, value in form.items():
        lines = ",\n  ".join(_json(entry) for entry in value) if _is_long(value) else ""
        text = f"[\n  {lines}]" if lines else _json(value)
        parts.append(f" {_json(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "}"


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(entry, dict) for entry in value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if nothing is wrong, else 1 with a sentence for each fault."""
    parser = argparse.ArgumentParser(description="Check the versions of changed data contracts.")
    parser.add_argument("--accept", action="store_true", help="take the contracts as they stand")
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="TABLE",
        help="with --accept: a table whose contract is gone on purpose",
    )
    parser.add_argument("--folder", type=Path, default=CONTRACTS_FOLDER, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    try:
        faults = accept(chosen.folder, drop=chosen.drop) if chosen.accept else check(chosen.folder)
    except FbacapError as error:
        faults = [str(error)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
