"""Formulas of a workbook: those we write for the eye, and results put back behind others' formulas."""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial

from submissions.declaration import Row, Table
from submissions.workbook.scan import Result, sheet_parts

WORDING = {
    "current_balance": "{2}*{months}/12-{3}",
    "year_balance": "{2}-{3}",
    "balance_rate": "({2}*{months}/12-{3})/{2}*100",
    "average_outpatient_cost": "{9.o}*10000/{7}",
    "average_inpatient_cost": "{9.i}*10000/{8}",
    "cost_per_bed_day": "{9.i}*10000/{8.1}",
    "length_of_stay": "{8.1}/{8}",
    "drug_share": "{9.1}/{9}*100",
    "actual_reimbursement": "{4}/{9}*100",
    "inpatient_rate": "({8}+{8.o})/{1}*100",
    "in_alliance_rate": "{8}/({8}+{8.o})*100",
    "primary_share": "{4.p}/{4}*100",
    "outflow_share": "{5}/{3}*100",
}
"""The formulas of :mod:`rules.quarterly` in a spreadsheet's words; rows by code in braces."""
_BRACES = re.compile(r"\{([^}]+)\}")


def derived_formula(table: Table, row: Row, kind: str, months: int) -> str:
    """A derived row for the eye; empty where this version of the table lacks a row it needs."""
    wording = WORDING.get(row.formula, "").replace("{months}", str(months))
    used = list(dict.fromkeys(_BRACES.findall(wording)))
    if not used or not set(used) <= set(table.by_code):
        return ""
    blank = ",".join(f'{table.cell(code, kind)}=""' for code in used)
    return f'=IFERROR(IF(OR({blank}),"",{_BRACES.sub(lambda match: table.cell(match[1], kind), wording)}),"")'


def change_formula(table: Table, row: Row) -> str:
    """增减%: against the same period last year, blank where either is missing or last year is zero."""
    now, last = table.cell(row.code), table.cell(row.code, "last")
    return f'=IFERROR(IF(OR({now}="",{last}=""),"",({now}-{last})/ABS({last})*100),"")'


def execution_formula(table: Table, row: Row) -> str:
    now, budget = table.cell(row.code), table.cell(row.code, "budget")
    return f'=IFERROR(IF(OR({now}="",{budget}=""),"",{now}/{budget}*100),"")'


_FORMULA_CELL = re.compile(
    rb'<c r="(?P<cell>[A-Z]+[0-9]+)"(?P<style>[^>]*)>(?P<formula><f[^>]*?(?:/>|>[^<]*</f>))(?:<v ?/>|<v></v>)?</c>'
)


def with_results(content: bytes, results: dict[str, dict[str, Result]]) -> bytes:
    """The workbook with the results put back behind their formulas: saving by openpyxl drops them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        titles = {part: title for title, part in sheet_parts(book).items()}
        for member in book.infolist():
            xml = book.read(member)
            if known := results.get(titles.get(member.filename, "")):
                xml = _FORMULA_CELL.sub(partial(_put_back, known), xml)
            new.writestr(member.filename, xml)
    return out.getvalue()


def _put_back(known: dict[str, Result], match: re.Match[bytes]) -> bytes:
    result = known.get(match["cell"].decode())
    if result is None:
        return match[0]
    text = result.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()
    kind = b"" if result.kind == "n" else f' t="{result.kind}"'.encode()
    style = re.sub(rb' t="[^"]*"', b"", match["style"])
    return b'<c r="%b"%b%b>%b<v>%b</v></c>' % (match["cell"], style, kind, match["formula"], text)
