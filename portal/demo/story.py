"""The figures of the demonstration, to the fen: packages, what they were charged, outflow, caps, scores.

Outcomes cover every tier on both sides and both funds. 青溪 2025 residents is worked example 17 (domain §3.1) with its
first version before the late claims; 云岭西部 2024 residents is case E4: a surplus and yet a recovery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from core.models import FundType
from rules.money import round_fen
from rules.periods import Month, months_between

RES, EMP = FundType.RESIDENT.value, FundType.EMPLOYEE.value
FUNDS = (RES, EMP)
FIRST_MONTH, LAST_MONTH = Month(2022, 1), Month(2026, 10)
MONTHS = months_between(FIRST_MONTH, LAST_MONTH)
SETTLED_YEARS = (2022, 2023, 2024, 2025)
CURRENT_YEAR = 2026
CLAIMS_COUNTY, CLAIMS_MONTHS = "990101", (Month(2026, 7), Month(2026, 8), Month(2026, 9), Month(2026, 10))
PARTIAL_COUNTY, PARTIAL_TO = "990103", date(2026, 10, 20)

QX, YE, YW, HP = "LC-QX", "LC-YL-E", "LC-YL-W", "LC-HP"
ALLIANCES = (QX, YE, YW, HP)
SISTERS = {YE: YW, YW: YE}
SISTER_SHARE = {YE: Decimal("0.006"), YW: Decimal("0.050")}
"""Part of what an alliance is charged that its patients spend at the sister's institutions: the west goes east."""


class Year(NamedTuple):
    """A package and what it came to (yuan). ``outflow``: X, sisters included; a share below 1 or an amount."""

    package: Decimal
    charged: Decimal
    outflow: Decimal


def _year(package: str, charged: str, outflow: str) -> Year:
    x = Decimal(outflow)
    return Year(Decimal(package), Decimal(charged), x if x > 1 else round_fen(Decimal(charged) * x))


YEARS: dict[tuple[str, str], dict[int, Year]] = {
    (QX, RES): {
        2022: _year("272000000.00", "259118436.27", "0.302"),
        2023: _year("268000000.00", "276402917.45", "0.306"),
        2024: _year("286000000.00", "279311058.62", "0.297"),
        2025: _year("286543210.37", "300853209.85", "85264197.54"),
        2026: _year("300000000.00", "308977596.00", "0.315"),
    },
    (QX, EMP): {
        2022: _year("68000000.00", "64871205.33", "0.338"),
        2023: _year("67500000.00", "69402663.18", "0.347"),
        2024: _year("72000000.00", "70914387.06", "0.418"),
        2025: _year("74000000.00", "76902154.71", "0.352"),
        2026: _year("80000000.00", "76695300.00", "0.343"),
    },
    (YE, RES): {
        2022: _year("355000000.00", "312387450.19", "0.334"),
        2023: _year("322000000.00", "345906218.84", "0.342"),
        2024: _year("352000000.00", "358997730.52", "0.345"),
        2025: _year("370000000.00", "352916084.77", "0.351"),
        2026: _year("362000000.00", "373405116.00", "0.356"),
    },
    (YE, EMP): {
        2022: _year("95000000.00", "79624817.90", "0.372"),
        2023: _year("82000000.00", "88203379.41", "0.368"),
        2024: _year("91500000.00", "90118562.25", "0.376"),
        2025: _year("93500000.00", "95307941.08", "0.381"),
        2026: _year("97500000.00", "99204870.00", "0.379"),
    },
    (YW, RES): {
        2022: _year("288000000.00", "265872204.56", "0.371"),
        2023: _year("274000000.00", "287604493.15", "0.386"),
        2024: _year("300000000.00", "285000000.00", "135000000.00"),
        2025: _year("292000000.00", "289317640.29", "0.402"),
        2026: _year("297000000.00", "301882470.00", "0.396"),
    },
    (YW, EMP): {
        2022: _year("79000000.00", "69214035.72", "0.391"),
        2023: _year("70500000.00", "78960218.64", "0.397"),
        2024: _year("81000000.00", "79308816.97", "0.402"),
        2025: _year("81500000.00", "81500000.00", "0.394"),
        2026: _year("84000000.00", "86120335.00", "0.398"),
    },
    (HP, RES): {
        2022: _year("492000000.00", "411307722.48", "0.344"),
        2023: _year("422000000.00", "471386190.03", "0.349"),
        2024: _year("486000000.00", "493807351.66", "0.353"),
        2025: _year("505000000.00", "533194406.91", "0.361"),
        2026: _year("540000000.00", "552380160.00", "0.364"),
    },
    (HP, EMP): {
        2022: _year("129000000.00", "121005638.37", "0.379"),
        2023: _year("125500000.00", "130897251.60", "0.383"),
        2024: _year("136500000.00", "147602984.12", "0.388"),
        2025: _year("152000000.00", "134905327.44", "0.384"),
        2026: _year("139000000.00", "141773905.00", "0.386"),
    },
}

EARLIER: dict[tuple[str, str], Decimal] = {
    (QX, RES): Decimal("262104377.20"), (QX, EMP): Decimal("66012845.91"),
    (YE, RES): Decimal("345020916.34"), (YE, EMP): Decimal("92006473.85"),
    (YW, RES): Decimal("281033506.77"), (YW, EMP): Decimal("76018230.49"),
    (HP, RES): Decimal("478041287.15"), (HP, EMP): Decimal("124009562.63"),
}  # fmt: skip
"""What 2021 came to (yuan), before the claims data begin; earlier years shrink by :data:`EARLIER_GROWTH`."""
EARLIER_GROWTH = Decimal("1.048")

GROWTH: dict[int, dict[str, Decimal]] = {
    2022: {RES: Decimal("0.045"), EMP: Decimal("0.055")},
    2023: {RES: Decimal("0.042"), EMP: Decimal("0.052")},
    2024: {RES: Decimal("0.048"), EMP: Decimal("0.050")},
    2025: {RES: Decimal("0.040"), EMP: Decimal("0.046")},
    2026: {RES: Decimal("0.036"), EMP: Decimal("0.042")},
    2027: {RES: Decimal("0.035"), EMP: Decimal("0.040")},
}
APPROVED_ON = {
    2022: date(2022, 1, 12), 2023: date(2023, 2, 22), 2024: date(2024, 1, 11), 2025: date(2025, 2, 26),
    2026: date(2026, 1, 22),
}  # fmt: skip
"""When the packages of a year were approved; months before that are prepaid provisionally (A16)."""

SCORES: dict[tuple[str, int], str] = {
    (QX, 2022): "91.50", (QX, 2023): "92.40", (QX, 2024): "94.20", (QX, 2025): "93.00",
    (YE, 2022): "93.80", (YE, 2023): "90.60", (YE, 2024): "84.00", (YE, 2025): "92.70",
    (YW, 2022): "90.00", (YW, 2023): "91.20", (YW, 2024): "95.10", (YW, 2025): "93.40",
    (HP, 2022): "92.10", (HP, 2023): "90.30", (HP, 2024): "91.90",
}  # fmt: skip
"""Assessment scores; 云岭东部 2024 falls into a local grade with factor 0.95, 鹤坪 2025 is not there yet."""


@dataclass(frozen=True)
class Example17:
    """Worked example 17 and how it came about: a mid-year adjustment, late claims and refused claims."""

    initial_package: Decimal = Decimal("284000000.00")
    late_out_of_county: Decimal = Decimal("612345.67")
    late_settlements: int = 1036
    refused: tuple[tuple[str, str], ...] = (
        ("青稽〔2026〕12号", "104310.28"), ("青稽〔2026〕19号", "81256.35"), ("青稽〔2026〕23号", "45421.00"),
    )  # fmt: skip
    recovered: tuple[tuple[str, str], ...] = (("青稽〔2025〕61号", "312750.00"), ("青稽〔2025〕64号", "173450.00"))


EXAMPLE_17 = Example17()
OFFSETS_2024_WEST = (Month(2025, 7), Month(2025, 8), Month(2025, 9), Month(2025, 10))


def parts(alliance: str, fund: str, year: int) -> tuple[Decimal, Decimal, Decimal]:
    """S_in, out-of-county and at-sister payments (yuan) as the facts first say them."""
    figures = YEARS[(alliance, fund)][year]
    sisters = round_fen(figures.charged * SISTER_SHARE.get(alliance, Decimal(0)))
    return figures.charged - figures.outflow, figures.outflow - sisters, sisters


def earlier_years(alliance: str, fund: str, year: int) -> dict[int, tuple[Decimal, Decimal]]:
    """In-alliance and out-of-county payments (yuan) of the years before the data begin, as far as ``year`` needs them."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    total = EARLIER[(alliance, fund)]
    for earlier in range(2021, year - 5, -1):
        outside = round_fen(total * Decimal("0.31" if fund == RES else "0.35"))
        found[earlier] = (total - outside, outside)
        total = round_fen(total / EARLIER_GROWTH)
    return found
