"""Policy versions on disk.

Here belongs reading ``<data>/policies/*.yaml``; what a policy may say is ``fbacap_logic.policy``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy, parse_policy, policy_in_force
from orchestration.errors import BadConfiguration


def load_policies(folder: Path) -> tuple[Policy, ...]:
    """Every policy version of a folder in order of file name; the default if there is none.

    Raises:
        BadConfiguration: a file cannot be read, is not YAML, or not a policy; or one stands there
            that would not be read, so that the default would govern unnoticed.
    """
    files = _files(folder)
    if not files:
        return (Policy(),)
    return tuple(_load(file) for file in files)


def policy_for(folder: Path, quarter: Quarter) -> Policy:
    """The version that governs a quarter (rules §1).

    Raises:
        BadConfiguration: no version governs it, or the folder is unusable.
    """
    try:
        return policy_in_force(load_policies(folder), quarter)
    except ValueError as error:
        raise BadConfiguration(f"{folder}: {error}") from error


def policy_document(policy: Policy) -> dict[str, Any]:
    """A policy as plain JSON values, for manifests."""
    return json.loads(json.dumps(asdict(policy), default=_plain, sort_keys=True))


def policy_digest(policy: Policy) -> str:
    """SHA-256 of a policy's content."""
    document = json.dumps(policy_document(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(document.encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadConfiguration(
            f"{folder}: cannot be read ({error.strerror}); make it a readable folder"
        ) from error
    for file in found:
        if file.suffix.lower() in (".yaml", ".yml") and file.suffix != ".yaml":
            raise BadConfiguration(f"{file}: policies are named *.yaml; rename it")
    return [file for file in found if file.suffix == ".yaml"]


def _load(file: Path) -> Policy:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfiguration(
            f"{file}: cannot be read ({error.strerror}); make it a readable file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0]
        raise BadConfiguration(f"{file}: not readable as YAML ({first_line}); fix it") from error
    try:
        return parse_policy(document)
    except ValueError as error:
        raise BadConfiguration(f"{file}: {error}") from error


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a policy")
