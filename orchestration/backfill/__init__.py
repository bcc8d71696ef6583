"""Backfills: many quarters, side by side, each seeing only what it may know.

``order`` from a command's words to the end, ``graph`` what waits for what, ``loop`` handing out
work, ``workers`` the processes that do it, ``make`` one stage run, ``up_to_date`` what need not be
made again, ``estimate`` how long it will take, ``changes`` what a new run changed, ``text`` what
people read.
"""
