"""Contract files read strictly: what is written twice, misspelt or unchecked is refused.

Here belongs the way from a file to the standard's own model. The standard's model drops fields
that it does not know, and YAML lets the last of two equal keys win: either would lose a promise
silently. What the fields mean is ``contracts`` and ``contract_rules``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestration.contract_rules import ContractFault

# Every field that is understood, by where it stands. A field of the standard that nothing here
# checks (as unique, or enum) is refused like a misspelt one: it would promise what nobody keeps.
_QUALITY = frozenset(
    {
        *("type", "name", "description", "severity", "mustBe", "query", "metric", "arguments"),
        *("mustBeBetween", "unit"),
    }
)
_FIELDS: dict[str, frozenset[str]] = {
    "contract": frozenset(
        {
            *("apiVersion", "kind", "id", "name", "version", "status"),
            *("domain", "tags", "description", "schema", "slaProperties"),
        }
    ),
    "description": frozenset({"purpose", "usage", "limitations"}),
    "schema": frozenset(
        {
            *("name", "description", "physicalType", "logicalType"),
            *("dataGranularityDescription", "properties", "quality", "customProperties"),
            "relationships",
        }
    ),
    "relationships": frozenset({"type", "from", "to", "customProperties"}),
    "properties": frozenset(
        {
            *("name", "description", "logicalType", "logicalTypeOptions", "physicalType"),
            *("required", "primaryKey", "primaryKeyPosition", "quality", "customProperties"),
            *("transformSourceObjects", "transformLogic", "transformDescription"),
        }
    ),
    "quality": _QUALITY,
    "customProperties": frozenset({"property", "value"}),
    "slaProperties": frozenset({"property", "value", "unit", "element", "description"}),
}


def read_contract_file(path: Path) -> Any:
    """Read one file into ``OpenDataContractStandard``.

    Raises:
        ContractFault: it is not YAML, not of the standard, or says what nothing understands.
    """
    # Here and not above: it imports pydantic, and most commands read no contract.
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    document = _read_yaml(path)
    if not isinstance(document, dict):
        raise ContractFault("it is not a mapping of fields to values")
    try:
        contract = OpenDataContractStandard.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ContractFault(f"{where}: {first['msg']}") from None
    _refuse_unknown(document, "contract")
    return contract


def _read_yaml(path: Path) -> Any:
    import yaml

    class StrictLoader(yaml.CSafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            names = [key.value for key, _ in node.value]
            for name in names:
                if names.count(name) > 1:
                    line = node.start_mark.line + 1
                    raise ContractFault(f"'{name}' stands twice in the mapping at line {line}")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506
    except UnicodeDecodeError:
        raise ContractFault("it is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise ContractFault(f"it is not YAML: {' '.join(str(error).split())}") from None


def _refuse_unknown(node: Any, place: str) -> None:
    for one in node if isinstance(node, list) else [node]:
        for field, value in one.items():
            if field not in _FIELDS[place]:
                named = one.get("name") or one.get("property")
                where = f"{place} of {named}" if named else place
                raise ContractFault(f"the field '{field}' in {where} is not understood here")
            if field in _FIELDS and isinstance(value, dict | list):
                _refuse_unknown(value, field)
