"""A short digest of which facts are held: the same digest, the same facts, known at the same moments."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from claims.models import FactSet


def facts_stamp(counties: Collection[int], first_year: int, last_year: int) -> str:
    """Over every version, current or former, of the months from ``first_year`` to ``last_year``; one query."""
    held = FactSet.objects.filter(county__in=counties, year__gte=first_year, year__lte=last_year)
    digest = hashlib.sha256()
    for row in held.order_by("pk").values_list("pk", "content", "current", "declared", "created_at").iterator(chunk_size=5000):
        digest.update(repr(row).encode())
    return digest.hexdigest()
