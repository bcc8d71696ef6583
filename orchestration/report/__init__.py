"""The quarter report: one page that tells operator and auditor what a quarter was.

Here belong reading the published zone for it, saying it, drawing it and writing the file. Nothing
here computes a figure of the market that is not a sum or a count over published tables; what one
seller reads is ``statements``.
"""
