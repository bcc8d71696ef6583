"""One thin file a stage: read, one call into fbacap_logic, write.

Maths does not belong here.
"""
