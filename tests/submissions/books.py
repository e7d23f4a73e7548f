"""Workbooks as hospitals send them: filled with numbers that agree with each other, or with one thing changed."""

import io
import re
import zipfile
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from openpyxl import load_workbook

from submissions.declaration import parse_table, shipped_table
from submissions.periods import TablePeriod
from submissions.workbook import Expected, Prefill, PrefillMember, template_workbook

WORKBOOKS = Path(__file__).parents[1] / "workbooks"
PERIOD = TablePeriod.parse("2026Q3")
MEMBERS = (PrefillMember("M01", "青溪县人民医院", "县级医院"), PrefillMember("M02", "石桥镇卫生院", "乡镇卫生院"))
FUNDS = {"RES": 3, "EMP": 2}
YUAN = Decimal(10_000)


@dataclass
class Numbers:
    """What is typed, as the sheet shows it (万元): ``funds`` by fund type and row, ``members`` by (institution, fund type)."""

    funds: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    members: dict[tuple[str, str], dict[str, Decimal]] = field(default_factory=dict)


def prefill(**changes):
    return replace(Prefill("QX01", "青溪县医共体", "青溪县", "青溪县人民医院", PERIOD, 7, MEMBERS), **changes)


def expected(*tables, **changes):
    """What the upload must agree with; ``tables`` are the declarations that may be read (the shipped one)."""
    known = {(table.name, table.version): table for table in tables or (shipped_table(),)}
    members = frozenset(member.institution for member in MEMBERS)
    return replace(Expected("QX01", PERIOD, 7, members, lambda name, version: known.get((name, version))), **changes)


def good_numbers(members=("M01", "M02")):
    """Numbers in which every sum, level and member adds up; the first member is the lead hospital, the rest townships."""
    numbers = Numbers()
    for fund, scale in FUNDS.items():
        lines = {code: _member(scale * (6 if at == 0 else 2)) for at, code in enumerate(members)}
        numbers.members |= {(code, fund): line for code, line in lines.items()}
        numbers.funds[fund] = _fund(list(lines.values()), scale)
    both = numbers.funds.values()
    numbers.funds["ALL"] = {code: sum(rows[code] for rows in both) for code in numbers.funds["RES"]}
    return numbers


def _member(size):
    outpatient, chronic, inpatient = Decimal("101.10") * size, Decimal("40.20") * size, Decimal("300.50") * size
    outpatient_cost, inpatient_cost = (outpatient + chronic) * 2, inpatient * 2
    return {
        "outpatient_fund": outpatient, "chronic_fund": chronic, "inpatient_fund": inpatient,
        "spending": outpatient + chronic + inpatient, "visits": Decimal(9000 * size), "discharges": Decimal(700 * size),
        "bed_days": Decimal(5600 * size), "outpatient_cost": outpatient_cost, "inpatient_cost": inpatient_cost,
        "drug_cost": Decimal("250.10") * size,
    }  # fmt: skip


def _fund(lines, scale):
    def total(key):
        return sum(line[key] for line in lines)

    lead, rest = lines[0], lines[1:]
    primary = {key: sum((line[key] for line in rest), Decimal(0)) for key in ("spending", "visits", "discharges")}
    referred = Decimal("210.30") * scale
    inside, cost = total("spending"), total("outpatient_cost") + total("inpatient_cost")
    fifth = Decimal("120.40") * scale
    outside = referred * 4
    return {
        "1": Decimal(90_000 * scale), "2": (inside + outside) * 2, "2.1": inside + outside,
        "3": inside + outside, "4": inside, "4.1": total("outpatient_fund"), "4.2": total("chronic_fund"),
        "4.3": total("inpatient_fund"), "4.a": lead["spending"], "4.b": Decimal(0), "4.c": primary["spending"],
        "4.d": Decimal(0), "4.e": Decimal(0), "4.p": primary["spending"], "5": outside, "5.1": referred, "5.2": referred,
        "5.3": referred, "5.4": referred, "5.5": Decimal(0), "5.a": referred, "5.b": referred * 2, "5.c": referred,
        "7": total("visits"), "7.a": primary["visits"], "7.b": lead["visits"], "7.1": Decimal(2000 * scale),
        "8": total("discharges"), "8.a": primary["discharges"], "8.b": lead["discharges"], "8.o": Decimal(500 * scale),
        "8.1": total("bed_days"), "9": cost, "9.o": total("outpatient_cost"), "9.i": total("inpatient_cost"),
        "9.1": total("drug_cost"), "9.2": fifth, "9.3": fifth, "9.4": fifth, "9.5": cost - total("drug_cost") - fifth * 3,
        "9.6": inside + (cost - inside) / 2,
    }  # fmt: skip


def fill(content, table, numbers=None):
    """The template with ``numbers`` typed in; prefilled cells are left as they are."""
    book = load_workbook(io.BytesIO(content))
    sheet = book[table.sheets["members"]]
    keys = [column.key for column in table.member_columns]
    at_code, at_fund = keys.index("institution") + 1, keys.index("fund_type") + 1
    lines = {}
    for line in range(table.header_row + 1, sheet.max_row + 1):
        fund = {table.sheets["RES"]: "RES", table.sheets["EMP"]: "EMP"}[sheet.cell(line, at_fund).value]
        lines[sheet.cell(line, at_code).value, fund] = line
    numbers = numbers or good_numbers(tuple(dict.fromkeys(code for code, _fund in lines)))
    for key, line in lines.items():
        for column, value in numbers.members.get(key, {}).items():
            if column in keys:
                _type(sheet.cell(line, keys.index(column) + 1), value)
    for fund, rows in numbers.funds.items():
        for code, value in rows.items():
            if code in table.by_code:
                _type(book[table.sheets[fund]][table.cell(code)], value)
    return saved(book)


def _type(cell, value):
    if cell.value is None:
        cell.value = value


def filled(table=None, numbers=None, **changes):
    """A template of the shipped table (or another) filled so that nothing is wrong with it."""
    table = table or shipped_table()
    return fill(template_workbook(table, prefill(**changes)), table, numbers)


@cache
def full_book():
    """A filled workbook of the shipped table with nothing wrong."""
    return filled()


@cache
def small_table():
    """A table of a few rows, so that the workbooks kept in the repository stay small."""
    return parse_table((WORKBOOKS / "table.toml").read_text(encoding="utf-8"))


@cache
def small_book():
    """A filled workbook of the small table, without what only makes it larger: prompts, guide, formulas for the eye."""

    def slim(book):
        del book["填报说明"]
        book["原因分析"].delete_rows(small_table().header_row + 4, 60)
        for sheet in book.worksheets:
            sheet.data_validations.dataValidation = []
            for cell in list(sheet._cells.values()):
                if cell.data_type == "f":
                    cell.value = None

    return edited(filled(small_table()), slim)


def compact(content):
    """The package pressed hard and without its theme, for the files kept in the repository."""
    theme = rb"<(?:Override|Relationship)[^>]*theme1?\.xml[^>]*/>"
    parts = (r"\[Content_Types\]\.xml|xl/_rels/workbook\.xml\.rels", theme, b"")
    plain = (r"xl/.*\.xml", rb"&#([0-9]{3,});", lambda sign: chr(int(sign[1])).encode())
    empty = (r"xl/worksheets/.*", rb' t="n"|<row [^>]*></row>', b"")
    return repacked(content, replace_in=[parts, plain, empty], drop=("xl/theme/theme1.xml",))


def edited(content, change):
    """The workbook after ``change(book)``."""
    book = load_workbook(io.BytesIO(content))
    change(book)
    return saved(book)


def typed(content, **cells):
    """The workbook with values typed into cells of the residents' sheet: ``typed(content, C9="12万元")``."""

    def change(book):
        for place, value in cells.items():
            book["居民"][place] = value

    return edited(content, change)


def saved(book):
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(content, *, add=(), replace_in=(), drop=()):
    """The package with parts added, changed by (part, pattern, replacement) or dropped."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for member in old.namelist():
            part = old.read(member)
            for name, pattern, text in replace_in:
                if re.fullmatch(name, member):
                    part = re.sub(pattern, text, part)
            if member not in drop:
                new.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED, 9)
        for name, part in add:
            new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def bomb(megabytes=286):
    """A small file that unpacks to ``megabytes``: a sheet full of blanks."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(small_book())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
        with new.open("xl/worksheets/sheet99.xml", "w") as part:
            for _ in range(megabytes):
                part.write(b" " * 1024 * 1024)
    return out.getvalue()
