"""The arithmetic of packaged medical-insurance funds: pure functions over Decimal yuan, standard library only.

Nothing here reads a clock, a file other than the shipped schemes, or a database. Every result carries its trace.
"""
