"""What a contract says of where columns come from."""

import pytest
from open_data_contract_standard.model import CustomProperty, SchemaObject, SchemaProperty

from orchestration.contract_lineage import Origin, column_origin, row_sources
from orchestration.contract_rules import ContractFault


def test_a_column_without_a_formula_is_its_one_source_as_it_is():
    said = SchemaProperty(name="fee", transformSourceObjects=["market.fees.fee"])
    assert column_origin(said) == Origin(("market.fees.fee",))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"transformSourceObjects": ["fees.fee"]}, "no schema.table.column"),
        ({"transformSourceObjects": ["market.f.a", "market.f.a"]}, "stands twice"),
        ({"transformSourceObjects": ["market.f.a", "market.f.b"]}, "several sources"),
        ({"transformLogic": "a + b"}, "not from what"),
    ],
)
def test_half_an_origin_is_refused(fields, fault):
    with pytest.raises(ContractFault, match=fault):
        column_origin(SchemaProperty(name="fee", **fields))


@pytest.mark.parametrize(
    ("name", "value"),
    [("rowSource", ["market.f.a"]), ("rowSources", []), ("rowSources", ["f.a"])],
)
def test_row_sources_that_are_misspelt_empty_or_short_are_refused(name, value):
    with pytest.raises(ContractFault):
        row_sources(SchemaObject(customProperties=[CustomProperty(property=name, value=value)]))
