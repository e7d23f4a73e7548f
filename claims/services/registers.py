"""The registers as the engine wants them: places, memberships, shares and code tables of a pooling area, frozen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

from claims.engine.reference import (
    AllianceRef,
    InstitutionRef,
    MutualAid,
    Reference,
    ShareRef,
    Span,
    TownshipRef,
)
from claims.models import FundMapping, GroupCatalogueEntry, VisitTypeMapping
from claims.services.mappings import settings_of
from core.models import AgreedShare, Alliance, County, Institution, Membership, TownshipRule


def reference_for(county: County, period_from: date | None = None, period_to: date | None = None) -> Reference:
    """Everything a check of (or the facts from) a county's claims may ask; eight queries whatever the size."""
    area = county.pooling_area
    settings = settings_of(area)
    spans: dict[int, list[Span]] = defaultdict(list)
    for institution, alliance, start, end in Membership.objects.filter(
        alliance__county__pooling_area=area
    ).order_by("pk").values_list("institution_id", "alliance__code", "valid_from", "valid_to"):
        spans[institution].append(Span(alliance, start, end))
    institutions = Institution.objects.filter(county__pooling_area=area).order_by("code")
    townships = TownshipRule.objects.filter(alliance__county=county).order_by("pk").values_list(
        "township_code", "township_name", "alliance__code", "valid_from", "valid_to"
    )
    groups = {
        code: Decimal(weight) / 10000
        for code, weight in GroupCatalogueEntry.objects.filter(pooling_area=area).values_list("code", "weight_e4")
    }
    reference = Reference(
        pooling_area=area.code,
        counties=frozenset(area.counties.values_list("code", flat=True)),
        institutions=tuple(
            InstitutionRef(code, place, kind, tuple(spans[pk]))
            for pk, code, place, kind in institutions.values_list("pk", "code", "county__code", "kind")
        ),
        alliances=tuple(
            AllianceRef(code, place, start, end)
            for code, place, start, end in Alliance.objects.filter(county__pooling_area=area)
            .order_by("code")
            .values_list("code", "county__code", "valid_from", "valid_to")
        ),
        townships=tuple(
            TownshipRef(word, county.code, alliance, start, end)
            for code, name, alliance, start, end in townships
            for word in dict.fromkeys((code, name))
            if word
        ),
        shares=tuple(
            ShareRef(county.code, year, alliance, share)
            for year, alliance, share in AgreedShare.objects.filter(alliance__county=county)
            .order_by("year", "alliance__code")
            .values_list("year", "alliance__code", "share")
        ),
        declared_county=county.code,
        fund_types=dict(FundMapping.objects.filter(pooling_area=area).order_by("code").values_list("code", "fund_type")),
        visit_types=dict(
            VisitTypeMapping.objects.filter(pooling_area=area).order_by("prefix").values_list("prefix", "visit_type")
        ),
        groups=groups or None,
        settles_by_groups=settings.settles_by_groups,
        mutual_aid=MutualAid(settings.mutual_aid) if settings.mutual_aid else None,
    )
    if period_from is not None and period_to is not None:
        reference = replace(reference, period_from=period_from, period_to=period_to)
    return reference


def fingerprint_of(reference: Reference) -> str:
    """sha-256 of what the facts of a month depend on besides the claims: places, memberships, rules, shares."""
    told = (
        sorted(reference.counties),
        reference.institutions,
        reference.alliances,
        reference.townships,
        reference.shares,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()
