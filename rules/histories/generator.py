"""Ten years of invented fund spending, the same on every machine: what a projection is judged by.

Everything is drawn from ``random.Random`` whole numbers and carried in Decimal, so no machine's floating point matters.
Number of settlements × average amount, by place, fund type, part and service, with: drift that differs by city, place
and year; a Spring Festival that moves between January and February; the epidemic of 2020 and the uneven rebound of
2023; local lockdowns; case payment from a month on; price changes; new hospital wings that draw patients back; an
alliance's boundary moved mid-year; double billing and its reversal; out-of-county claims known up to three months late.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from rules.histories.table import (
    FUND_TYPES,
    IN_ALLIANCE,
    INPATIENT,
    OUT_OF_COUNTY,
    OUTPATIENT,
    PARTS,
    SERVICES,
    FactRow,
)
from rules.money import round_fen
from rules.periods import Month, months_between

ONE = Decimal(1)
TWELVE = 12
_BITS = 20
_RANGE = Decimal(2**_BITS)
_STRETCH = Decimal("1.414214")
Settings = Mapping[str, Any]


@cache
def settings() -> Settings:
    """The committed seeds and magnitudes; every number but whole ones is a Decimal."""
    text = files("rules.histories").joinpath("seeds.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def held_years() -> tuple[int, ...]:
    """The years a model must not have been fitted to."""
    return tuple(settings()["held_years"])


def generated_rows() -> list[FactRow]:
    """The shipped histories as a fact table, city by city."""
    return [row for number in range(len(settings()["city"])) for row in city_rows(number)]


def city_rows(number: int) -> list[FactRow]:
    """The fact table of one city (0 is the first of the seeds file)."""
    return list(_City(settings(), settings()["city"][number]).rows())


class _Draws:
    """Draws in Decimal from whole numbers only."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: Decimal | int, high: Decimal | int) -> Decimal:
        return low + (high - low) * self._random.getrandbits(_BITS) / _RANGE

    def normal(self) -> Decimal:
        """About standard normal: six uniform draws, stretched to a variance of one."""
        drawn = sum(self._random.getrandbits(_BITS) for _ in range(6))
        return (Decimal(drawn) / _RANGE - 3) * _STRETCH

    def factor(self, spread: Decimal) -> Decimal:
        """A log-normal factor around one."""
        return (spread * self.normal()).exp()

    def happens(self, chance: Decimal) -> bool:
        return self.uniform(0, 1) < chance

    def month(self, first: Month, last: Month) -> Month:
        months = months_between(first, last)
        return months[self._random.randrange(len(months))]


class _Base(NamedTuple):
    """Settlements and average yuan a month at the start, of a part and service."""

    count: Decimal
    average: Decimal


@dataclass
class _Place:
    """What an alliance is and what befalls it."""

    name: str
    bases: dict[tuple[str, str, str], _Base]
    season: dict[str, list[Decimal]]
    severity: Decimal
    price: tuple[Month, Decimal] | None
    wing: tuple[Month, Decimal, Decimal] | None
    lockdown: tuple[Month, Decimal] | None
    boundary: tuple[Month, Decimal] | None
    lag_tilt: list[Decimal]
    noise: Decimal


class _City:
    def __init__(self, given: Settings, city: Settings) -> None:
        self.given, self.city = given, city
        self.draws = _Draws(city["seed"])
        self.first, self.last = Month(given["first_year"], 1), Month(given["last_year"], 12)
        self.months = months_between(self.first, self.last)
        self.years = range(self.first.year, self.last.year + 1)
        self.shocks = {
            (year, fund): given["growth"]["city_year_spread"] * self.draws.normal()
            for year in self.years
            for fund in FUND_TYPES
        }
        self.case_payment = Month.parse(city["case_payment_from"])

    def rows(self) -> Iterator[FactRow]:
        for county in range(1, self.city["counties"] + 1):
            for number in (1, 2):
                place = self._place(county, number)
                for fund in FUND_TYPES:
                    yield from self._fund(place, fund)

    def _place(self, county: int, number: int) -> _Place:
        draws, events = self.draws, self.given["events"]
        insured = draws.uniform(90_000, 420_000)
        employees = insured * draws.uniform(Decimal("0.08"), Decimal("0.14"))
        return _Place(
            name=f"{self.city['area']}{county}县第{number}医共体",
            bases=self._bases(insured, employees),
            season={
                service: [factor * draws.factor(self.given["season"]["place_spread"]) for factor in factors]
                for service, factors in self.given["season"].items()
                if service in SERVICES
            },
            severity=draws.uniform(Decimal("0.75"), Decimal("1.25")),
            price=self._price(events),
            wing=self._wing(events),
            lockdown=self._lockdown(events),
            boundary=self._boundary(county, number),
            lag_tilt=[draws.factor(self.given["lag"]["place_spread"]) for _ in range(4)],
            noise=max(Decimal("0.7"), (Decimal(200_000) / insured).sqrt()),
        )

    def _bases(self, insured: Decimal, employees: Decimal) -> dict[tuple[str, str, str], _Base]:
        """Residents: 20 % admitted a year, of whom 20–27 % outside the county at three times the fund's cost."""
        draws, found = self.draws, {}
        for fund, heads in (("RES", insured), ("EMP", employees)):
            employee = fund == "EMP"
            admitted = heads * draws.uniform(Decimal("0.155"), Decimal("0.19")) / TWELVE
            away = draws.uniform(Decimal("0.17"), Decimal("0.26"))
            inside = draws.uniform(2300, 3100) * (Decimal("1.9") if employee else ONE)
            visits = heads * draws.uniform(Decimal("2.2"), Decimal("3.2")) / TWELVE
            seen = draws.uniform(55, 90) * (Decimal("2.6") if employee else ONE)
            found[fund, IN_ALLIANCE, INPATIENT] = _Base(admitted * (1 - away), inside)
            found[fund, OUT_OF_COUNTY, INPATIENT] = _Base(
                admitted * away, inside * draws.uniform(Decimal("1.9"), Decimal("2.6"))
            )
            found[fund, IN_ALLIANCE, OUTPATIENT] = _Base(visits, seen)
            found[fund, OUT_OF_COUNTY, OUTPATIENT] = _Base(
                visits * draws.uniform(Decimal("0.03"), Decimal("0.07")), seen * draws.uniform(2, 4)
            )
        return found

    def _price(self, events: Settings) -> tuple[Month, Decimal] | None:
        month = self.draws.month(self.first.plus(12), self.last.plus(-4))
        change = self.draws.uniform(events["price_change_low"], events["price_change_high"])
        return (month, 1 + change) if self.draws.happens(events["price_change_chance"]) else None

    def _wing(self, events: Settings) -> tuple[Month, Decimal, Decimal] | None:
        year = self.draws.month(self.first.plus(12), self.last).year
        month = self.draws.month(Month(year, 3), Month(year, 10))
        rise = self.draws.uniform(events["wing_rise_low"], events["wing_rise_high"])
        outflow = self.draws.uniform(events["wing_outflow_low"], events["wing_outflow_high"])
        return (month, rise, outflow) if self.draws.happens(events["wing_chance"]) else None

    def _lockdown(self, events: Settings) -> tuple[Month, Decimal] | None:
        month = self.draws.month(Month(2020, 10), Month(2022, 11))
        dip = self.draws.uniform(events["lockdown_dip_low"], events["lockdown_dip_high"])
        return (month, dip) if self.draws.happens(events["lockdown_chance"]) else None

    def _boundary(self, county: int, number: int) -> tuple[Month, Decimal] | None:
        if self.city.get("boundary_county") != county:
            return None
        share = self.city["boundary_share"]
        return Month.parse(self.city["boundary_from"]), 1 - share if number == 1 else 1 + share

    def _fund(self, place: _Place, fund: str) -> Iterator[FactRow]:
        spread = self.given["growth"]["place_year_spread"]
        own = {year: spread * self.draws.normal() for year in self.years}
        for part in PARTS:
            for service in SERVICES:
                yield from self._series(place, fund, part, service, own)

    def _series(
        self, place: _Place, fund: str, part: str, service: str, own: Mapping[int, Decimal]
    ) -> Iterator[FactRow]:
        draws, growth, noise = self.draws, self.given["growth"], self.given["noise"]
        base = place.bases[fund, part, service]
        away = part == OUT_OF_COUNTY
        count_spread = noise["out_of_county_count" if away else "count"] * place.noise
        average_spread = noise["out_of_county_average" if away else "average"] * place.noise
        if fund == "EMP":
            count_spread, average_spread = count_spread * Decimal("1.5"), average_spread * Decimal("1.5")
        drift = growth[f"{service}_count"] + (growth["out_of_county"] if away else 0)
        volume = price = Decimal(0)
        owed = [Decimal(0), Decimal(0)]
        for month in self.months:
            shock = self.shocks[month.year, fund] + own[month.year]
            volume += (drift + shock * Decimal("0.7")) / TWELVE + growth["monthly_walk"] * draws.normal()
            price += (growth["average"] + shock * Decimal("0.3")) / TWELVE
            count = base.count * volume.exp() * self._volume(place, part, service, month) * draws.factor(count_spread)
            average = base.average * price.exp() * self._price_at(place, service, month)
            average *= draws.factor(average_spread)
            amount = count * average
            wrong = self._wrong(part, amount, owed)
            settlements = int(count * (1 + wrong / amount))
            yield from self._known(place, fund, part, service, month, settlements, round_fen(amount + wrong))

    def _wrong(self, part: str, amount: Decimal, owed: list[Decimal]) -> Decimal:
        """Billed twice this month, or taken back: what was billed twice goes one or two months later."""
        events, draws = self.given["events"], self.draws
        back = owed.pop(0)
        owed.append(Decimal(0))
        twice = Decimal(0)
        if draws.happens(events["double_billing_chance_month"]):
            twice = amount * draws.uniform(events["double_billing_low"], events["double_billing_high"])
            owed[0 if draws.happens(Decimal("0.6")) else 1] += twice
        if part == OUT_OF_COUNTY and draws.happens(events["reversal_chance_month"]):
            back += amount * draws.uniform(Decimal("0.5"), Decimal("1.3"))
        return twice - back

    def _volume(self, place: _Place, part: str, service: str, month: Month) -> Decimal:
        factor = place.season[service][month.month - 1] * self._festival(month)
        course = self.given["epidemic"].get(str(month.year))
        if course:
            factor *= max(ONE + (course[month.month - 1] - 1) * place.severity, Decimal("0.2"))
        if service == INPATIENT and month >= self.case_payment and part == IN_ALLIANCE:
            factor *= Decimal("1.03")
        if place.lockdown and place.lockdown[0] == month:
            factor *= place.lockdown[1]
        if place.boundary and month >= place.boundary[0]:
            factor *= place.boundary[1]
        if place.wing and month >= place.wing[0] and service == INPATIENT:
            opened, rise, outflow = place.wing
            since = (month.year - opened.year) * TWELVE + month.month - opened.month + 1
            ramp = min(ONE, Decimal(since) / self.given["events"]["wing_ramp_months"])
            factor *= 1 + (rise if part == IN_ALLIANCE else outflow) * ramp
        return factor

    def _price_at(self, place: _Place, service: str, month: Month) -> Decimal:
        factor = Decimal("0.96") if service == INPATIENT and month >= self.case_payment else ONE
        if place.price and month >= place.price[0]:
            factor *= place.price[1]
        return factor

    def _festival(self, month: Month) -> Decimal:
        season = self.given["season"]
        day: date = self.given["festival"][str(month.year)]
        begins, ends = (
            day - timedelta(days=season["festival_days_before"]),
            day + timedelta(days=season["festival_days_after"]),
        )
        days = (month.last_day - month.first_day).days + 1
        dip = _overlap(month, begins, ends)
        back = _overlap(month, ends + timedelta(days=1), ends + timedelta(days=season["rebound_days"]))
        return 1 - season["festival_dip"] * dip / days + season["rebound"] * back / days

    def _known(
        self, place: _Place, fund: str, part: str, service: str, month: Month, settlements: int, yuan: Decimal
    ) -> Iterator[FactRow]:
        """The month spread over the months in which it became known; the last takes the rest."""
        shares = self._lag(place, part, service, month)
        count_left, yuan_left = settlements, yuan
        for lag, share in enumerate(shares):
            last = lag == len(shares) - 1
            count = count_left if last else int(settlements * share)
            amount = yuan_left if last else round_fen(yuan * share)
            count_left, yuan_left = count_left - count, yuan_left - amount
            if count or amount:
                known = month.plus(lag)
                yield FactRow(self.city["area"], place.name, fund, month, known, part, service, count, amount)

    def _lag(self, place: _Place, part: str, service: str, month: Month) -> Sequence[Decimal]:
        lag, draws = self.given["lag"], self.draws
        if part == IN_ALLIANCE:
            return list(lag["in_alliance"])
        first, last = lag[f"out_of_county_{service}_first"], lag[f"out_of_county_{service}_last"]
        way = Decimal(month.year * TWELVE + month.month - self.first.year * TWELVE - 1) / (len(self.months) - 1)
        raw = [
            (early + (late - early) * way) * tilt * draws.factor(lag["month_spread"])
            for early, late, tilt in zip(first, last, place.lag_tilt, strict=True)
        ]
        if draws.happens(lag["stuck_chance_month"]):
            raw[1], raw[0] = raw[0] + raw[1], Decimal(0)
        whole = sum(raw, Decimal(0))
        return [share / whole for share in raw]


def _overlap(month: Month, begins: date, ends: date) -> int:
    """Days of a month that lie in a span, both ends included."""
    return max(0, (min(month.last_day, ends) - max(month.first_day, begins)).days + 1)
