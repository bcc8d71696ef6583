"""What the lineage UI says of assets and runs, in words and in figures.

``specs`` an asset's description, ``formulas`` and ``rules`` how its figures are worked out,
``units`` and ``inputs`` its columns and where they come from, ``groups`` its place;
``run_metadata`` and ``figures`` what each run adds. Nothing that is published depends on any of it.
"""
