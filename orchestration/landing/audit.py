"""Proof that the landing zone still holds what its receipts say.

Here belongs comparing bytes with receipts. Taking files in is ``delivery``.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.files import file_digest
from orchestration.landing.receipts import landed_files


def check_landing(landing: Path) -> tuple[str, ...]:
    """One sentence for each landed file that is missing or changed; empty when all is well.

    Files that no receipt names are no fault: a delivery that was cut short leaves them, nobody
    reads them, and the next delivery removes them.

    Raises:
        Corrupted: the receipts themselves are not whole, so they prove nothing.
    """
    faults = []
    for file in landed_files(landing):
        for path, sha256 in (
            (file.stored_path, file.sha256),
            (file.typed_path, file.typed_sha256),
            (file.quarantine_path, file.quarantine_sha256),
        ):
            if path is not None and (fault := _fault(path, sha256)):
                faults.append(
                    f"{path} {fault}; restore it from a backup "
                    f"(receipt {file.delivery:06d}, {file.source_name})"
                )
    return tuple(faults)


def _fault(path: Path, sha256: str | None) -> str | None:
    if not path.is_file():
        return "is missing"
    if file_digest(path) != sha256:
        return "is not what was landed: its bytes have changed"
    return None
