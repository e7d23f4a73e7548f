"""Backup and restore of a whole installation: database snapshot first, then the files that snapshot names.

``making.make_backup`` writes a directory with a manifest of checksums; ``restoring.restore_backup`` takes it back into
an empty database and data directory only. Apps name their files through ``core.registries.backup_sources`` and the
totals that must come out the same through ``core.registries.control_sums``.
"""
