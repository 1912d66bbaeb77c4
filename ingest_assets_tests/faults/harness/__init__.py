"""A deployment that is broken on purpose, by a schedule from a seed, while documents go through it and somebody reads.

`deployment/` is the patient, `documents/` what is submitted, `kinds/` the faults by kind, `checks/` what must hold.
"""
