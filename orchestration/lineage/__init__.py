"""Column lineage: from every published figure back to the rows as they were received.

``graph`` holds what is known and answers questions; ``build`` puts it together from the dbt models
(``dbt_models``, ``sql_columns``), the contracts of the tables that Python makes, and what stands at
the beginning (``beginnings``). ``search`` finds what a user names; ``tree``, ``page`` and
``openlineage`` show it. Rows of one run are not traced here: that is ``orchestration.evidence``.
"""
