"""What mutation testing left behind, module by module: ``make mutants`` prints it at its end.

Here belongs reading the results that mutmut keeps in ``mutants/``. What is mutated and which tests
judge it stands in ``pyproject.toml``; which survivors change nothing, in ``docs/proofs.md``.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

RESULTS = Path("mutants")
_VERDICTS = {0: "survived", 5: "no test", 33: "no test", None: "not run", 2: "not run"}


def verdicts(results: Path) -> dict[str, Counter[str]]:
    """Mutants per module and verdict, from the files that mutmut keeps beside each module.

    A verdict is an exit code; any that is not listed says that the tests noticed: they failed,
    broke down or never came to an end.
    """
    found = {}
    for path in sorted(results.glob("fbacap_logic/*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"].values()
        if codes:
            counted = Counter(_VERDICTS.get(code, "killed") for code in codes)
            found[path.name.removesuffix(".py.meta")] = counted
    return found


def main() -> None:
    print(f"{'module':24}{'killed':>8}{'survived':>10}{'no test':>9}{'not run':>9}{'score':>9}")
    for module, counted in verdicts(RESULTS).items():
        run = sum(counted.values()) - counted["not run"]
        score = f"{100 * counted['killed'] / run:.1f} %" if run else "-"
        print(
            f"{module:24}{counted['killed']:>8}{counted['survived']:>10}"
            f"{counted['no test']:>9}{counted['not run']:>9}{score:>9}"
        )


if __name__ == "__main__":
    main()
