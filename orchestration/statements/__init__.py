"""A seller's statement of a quarter: what was got, why not more, what is due, and from what rows.

Here belongs everything that turns the published zone into one seller's story: reading it
(``reading``, ``provenance``), putting it together (``collect``), telling it (``sentences``,
``document``) and writing it down (``html_page``, ``terminal_page``, ``figures_csv``). Working
anything out anew does not belong here: figures are those that were published, and what they are
split into is asked of ``fbacap_logic``.
"""
