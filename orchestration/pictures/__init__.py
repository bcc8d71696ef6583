"""What people look at: demand against supply of one round, as a picture and as text.

Here belongs showing what was published, one module a way to show it. What is published, and what is
kept from the public, is decided in ``fbacap_logic.demand_curve``; nothing here computes a figure
of the market.
"""
