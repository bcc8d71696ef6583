"""How true attribution is: the market's methods against a generated marketplace's own truth.

Here belong living a marketplace whose sales without the extra space are known, attributing its
sales with ``fbacap_logic``, and measuring the difference. Nothing of the pipeline imports it; what
it finds decides nothing about a real seller.
"""
