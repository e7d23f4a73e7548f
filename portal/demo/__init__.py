"""The demonstration city 澜川市: invented places and people, four years of business written through the same services.

Every figure is fixed by :mod:`portal.demo.story` and a seed; nothing here is a second way to write anything. Loading is
resumable: each step looks at what exists, so that a killed load goes on where it stopped and nothing is doubled.
"""
