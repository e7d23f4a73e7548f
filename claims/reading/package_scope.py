"""What a package covers: which visits, whether care outside the county, whether employees' maternity (A6, A21)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from claims.models import OUT_OF_COUNTY, CareLocation, FactFundType, VisitType


@dataclass(frozen=True)
class PackageScope:
    """Scope flags of a package (seed 001 §二(二)2). Purchases at pharmacies count as general outpatient care.

    Residents' maternity care always belongs to the package; employees' only with its flag (A21).
    """

    general_outpatient: bool = True
    chronic_outpatient: bool = True
    inpatient: bool = True
    out_of_county: bool = True
    employee_maternity: bool = False

    DEFAULT: ClassVar[PackageScope]

    def as_json(self) -> dict[str, bool]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> PackageScope:
        """From :meth:`as_json`; a missing flag has its default, an unknown one raises TypeError."""
        return cls(**{name: bool(flag) for name, flag in stored.items()})

    def visit_types(self, fund_type: str) -> frozenset[str]:
        """The visit types of ``fund_type`` that are inside."""
        inside: set[str] = set()
        if self.general_outpatient:
            inside |= {VisitType.OUTPATIENT, VisitType.PHARMACY}
        if self.chronic_outpatient:
            inside.add(VisitType.CHRONIC)
        if self.inpatient:
            inside.add(VisitType.INPATIENT)
        if fund_type == FactFundType.RESIDENT or self.employee_maternity:
            inside |= {VisitType.MATERNITY_OUTPATIENT, VisitType.MATERNITY_INPATIENT}
        return frozenset(map(str, inside))

    def locations(self) -> frozenset[str]:
        """The care locations that are charged to the package."""
        inside = {CareLocation.OWN_ALLIANCE, CareLocation.SISTER_ALLIANCE}
        if self.out_of_county:
            inside |= set(OUT_OF_COUNTY)
        return frozenset(map(str, inside))


PackageScope.DEFAULT = PackageScope()
