"""The register of people whose services the fund pays: entered, moved to another provider, ended, read from a workbook.

A person is known by the national code: points and what followed from them go along to the next provider. Whoever lost
the qualification is registered again only after the years of 医保发〔2024〕23号.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Physician, PhysicianKind, Qualification
from audits.reading.points import person_standings
from audits.services.deciding import text_problems
from core.access import may, require
from core.errors import Conflict, Problem, Refused
from core.models import Institution, User
from core.trail import record
from core.workbook import by_header, cell_text, read_sheets
from rules.points import ENDED

REGISTER = "audits.register_physicians"
CODE = re.compile(r"[A-Z]\d{12}")
NAME, DEPARTMENT, REASON = 40, 60, 300
MOST_ROWS = 5000
ONE_DAY = timedelta(days=1)
HEADER = {
    "机构编码": "institution", "国家医保代码": "code", "姓名": "name", "类别": "kind", "科室": "department", "登记日期": "valid_from",
}  # fmt: skip
SHEET = "医保医师名单"


def enter(actor: User, institution: Institution, wanted: Mapping[str, Any]) -> Physician:
    """Register a person at a provider. ``wanted``: code, name, kind, department, valid_from."""
    require(actor, REGISTER, institution)
    with transaction.atomic():
        code = str(wanted.get("code") or "").strip()
        held = _by_code([code]).get(code, [])
        anew = code in _ended_codes([code])
        problems = [*_value_problems(wanted), *_held_problems(institution, wanted, held, _banned(wanted, held), anew)]
        if problems:
            raise Refused(problems)
        made = _register(institution, wanted, held)
        _note(actor, made, f"登记{institution}{made.get_kind_display()}{made.name}（{made.code}），自 {made.valid_from} 起。")
        return made


def move(actor: User, physician: Physician, to: Institution, on: date | None, department: str = "") -> Physician:
    """Register a person at another provider from a day on; points and a running suspension go along."""
    require(actor, REGISTER, physician.institution)
    require(actor, REGISTER, to)
    with transaction.atomic():
        held = _locked_open(physician, "转移")
        problems = [*_leave_problems(held, on, "转移"), *text_problems("department", "科室", department, DEPARTMENT, 0)]
        if to.pk == held.institution_id:
            problems.append(Problem("to", str(to), f"{held.name}已在{to}。", "请选择另一机构。"))
        if on is not None and (ended := _banned({"code": held.code, "valid_from": on}, [held])):
            problems.append(ended)
        if problems or on is None:
            raise Refused(problems)
        held.valid_to = on - ONE_DAY
        held.save(update_fields=["valid_to"])
        made = Physician.objects.create(
            institution=to, code=held.code, name=held.name, kind=held.kind, department=department.strip(), valid_from=on
        )
        _note(actor, made, f"{held.get_kind_display()}{held.name}（{held.code}）自 {on} 起由{held.institution}转到{to}。")
        return made


def end(actor: User, physician: Physician, on: date | None, reason: str) -> Physician:
    """End a registration; ``on`` is its last day."""
    require(actor, REGISTER, physician.institution)
    with transaction.atomic():
        held = _locked_open(physician, "注销")
        problems = [*_leave_problems(held, on, "注销"), *text_problems("reason", "理由", reason, REASON, 4)]
        if problems:
            raise Refused(problems)
        held.valid_to = on
        held.save(update_fields=["valid_to"])
        _note(actor, held, f"注销{held.institution}{held.get_kind_display()}{held.name}（{held.code}），至 {on}：{reason.strip()}")
        return held


def read_list(actor: User, content: bytes, filename: str, visible: Mapping[str, Institution]) -> list[Physician]:
    """Register everybody of a workbook (columns of ``HEADER``) or nobody: every fault of every row at once.

    ``visible``: the providers the person sees, by code, with their county and pooling area.
    """
    sheets = read_sheets(content, filename)
    title = SHEET if SHEET in sheets else next(iter(sheets), "")
    rows = by_header(sheets.get(title, []), HEADER, title)
    if not rows or len(rows) > MOST_ROWS:
        text = f"名单有 {len(rows)} 人，最多 {MOST_ROWS} 人。" if rows else "名单里没有人员。"
        raise Refused([Problem("file", filename, text, "请在表头下面逐行填写。")])
    wanted = [(line, _cells(cells)) for line, cells in rows]
    with transaction.atomic():
        codes = [one["code"] for _line, one in wanted]
        held = _by_code(codes)
        problems = _list_problems(actor, wanted, visible, held)
        if problems:
            raise Refused(problems)
        made = [_register(visible[one["institution"]], one, held.get(one["code"], [])) for _line, one in wanted]
        places = {row.institution_id: row.institution for row in made}
        for key, place in places.items():
            here = [row for row in made if row.institution_id == key]
            data = {"codes": [row.code for row in here], "file": filename}
            record(actor, REGISTER, here[0], f"从名单登记{place}人员 {len(here)} 人。", data, place=place)
        return made


def _list_problems(
    actor: User, rows: Sequence[tuple[int, dict[str, Any]]], visible: Mapping[str, Institution],
    held: Mapping[str, list[Physician]],
) -> list[Problem]:  # fmt: skip
    problems: list[Problem] = []
    counted = Counter(one["code"] for _line, one in rows)
    standings = person_standings(list(held), timezone.localdate()) if held else {}
    rights: dict[str, Any] = {}
    ended = _ended_codes(list(held))
    for line, one in rows:
        found = _value_problems(one)
        if counted[one["code"]] > 1 and one["code"]:
            found.append(Problem("code", one["code"], f"国家医保代码“{one['code']}”在名单中有 {counted[one['code']]} 行。", "请只留一行。"))
        place = visible.get(one["institution"])
        if place is None:
            text = f"没有编码为“{one['institution']}”的机构，或不在您的管理范围内。"
            found.append(Problem("institution", one["institution"], text, "请核对机构编码。"))
        else:
            if place.code not in rights:
                rights[place.code] = may(actor, REGISTER, place)
            if not rights[place.code]:
                found.append(Problem("institution", place.code, rights[place.code].reason))
            now = standings.get(one["code"])
            ban = _ban_problem(one, now.may_register_from) if now is not None and now.state == ENDED else None
            found += _held_problems(place, one, held.get(one["code"], []), ban, one["code"] in ended)
        problems += [Problem(f"第 {line} 行", one.value, f"第 {line} 行：{one.text}", one.remedy) for one in found]
    return problems


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: cell_text(value) for name, value in cells.items()}
    kinds = {label: key for key, label in PhysicianKind.choices}
    day: date | None = None
    try:
        day = date.fromisoformat(texts["valid_from"][:10].replace("/", "-"))
    except ValueError:
        day = None
    return {**texts, "kind": kinds.get(texts["kind"], texts["kind"]), "valid_from": day, "typed_day": texts["valid_from"]}


def _value_problems(wanted: Mapping[str, Any]) -> list[Problem]:
    code, kind, since = str(wanted.get("code") or "").strip(), wanted.get("kind"), wanted.get("valid_from")
    today = timezone.localdate()
    problems = []
    if not CODE.fullmatch(code):
        text = f"国家医保代码“{code}”无效。" if code else "没有填写国家医保代码。"
        problems.append(Problem("code", code, text, "请填 1 位大写字母加 12 位数字，如 D990101000123。"))
    problems += text_problems("name", "姓名", str(wanted.get("name") or ""), NAME)
    problems += text_problems("department", "科室", str(wanted.get("department") or ""), DEPARTMENT, 0)
    if kind not in PhysicianKind.values:
        known = "、".join(PhysicianKind.labels)
        problems.append(Problem("kind", str(kind or ""), f"类别“{kind or ''}”无效。", f"可选：{known}。"))
    if since is None:
        typed = str(wanted.get("typed_day") or "")
        text = f"登记日期“{typed}”不是有效日期。" if typed else "没有填写登记日期。"
        problems.append(Problem("valid_from", typed, text, "请按 2026-01-31 填写。"))
    elif not date(2000, 1, 1) <= since <= today + timedelta(days=31):
        problems.append(Problem("valid_from", str(since), f"登记日期 {since} 早于 2000 年或晚于一个月后。", "请改正日期。"))
    return problems


def _held_problems(
    institution: Institution, wanted: Mapping[str, Any], held: Sequence[Physician], ban: Problem | None, anew: bool
) -> list[Problem]:
    """What stands against a new registration of a code that is or was registered; ``anew``: after an end."""
    problems = [ban] if ban is not None else []
    since = wanted.get("valid_from")
    for row in held:
        if row.name != str(wanted.get("name") or "").strip() and wanted.get("name"):
            text = f"国家医保代码“{row.code}”登记的姓名是{row.name}，填的是{wanted['name']}。"
            problems.append(Problem("name", str(wanted["name"]), text, "请核对代码和姓名。"))
            break
    for row in held:
        runs_on = since is not None and row.valid_from <= since and (row.valid_to is None or row.valid_to >= since)
        if (row.valid_to is None or runs_on) and ban is None and not anew:
            where = "本机构" if row.institution_id == institution.pk else str(row.institution)
            remedy = "请勿重复登记。" if row.institution_id == institution.pk else "请在其人员页面办理转移。"
            text = f"{row.name}（{row.code}）已在{where}登记（自 {row.valid_from} 起）。"
            problems.append(Problem("code", row.code, text, remedy))
    return problems


def _ended_codes(codes: Sequence[str]) -> set[str]:
    """Whose qualification was ended: they register anew (the years of the ban are asked separately)."""
    rows = Qualification.objects.filter(physician__code__in=codes, kind="ended", status="approved")
    return set(rows.exclude(lifted_by__status="approved").values_list("physician__code", flat=True))


def _banned(wanted: Mapping[str, Any], held: Sequence[Physician]) -> Problem | None:
    if not held:
        return None
    now = person_standings([held[0].code], timezone.localdate())[held[0].code]
    return _ban_problem(wanted, now.may_register_from) if now.state == ENDED else None


def _ban_problem(wanted: Mapping[str, Any], again: date | None) -> Problem | None:
    since = wanted.get("valid_from")
    if since is None or again is None or since >= again:
        return None
    text = f"该人员（{wanted['code']}）已达终止医保支付资格，{again} 起才可以再次登记备案，填的是 {since}。"
    return Problem("valid_from", str(since), text, "请在期满后登记；记分确有错误的，先撤销记分。")


def _register(institution: Institution, wanted: Mapping[str, Any], held: Sequence[Physician]) -> Physician:
    for row in held:
        if row.valid_to is None:
            row.valid_to = max(row.valid_from, wanted["valid_from"] - ONE_DAY)
            row.save(update_fields=["valid_to"])
    return Physician.objects.create(
        institution=institution, code=wanted["code"].strip(), name=wanted["name"].strip(), kind=wanted["kind"],
        department=str(wanted.get("department") or "").strip(), valid_from=wanted["valid_from"],
    )  # fmt: skip


def _leave_problems(row: Physician, on: date | None, act: str) -> list[Problem]:
    if on is None:
        return [Problem("on", "", f"没有填写{act}日期。", "请填写日期。")]
    if not row.valid_from < on <= timezone.localdate() + timedelta(days=31):
        text = f"{act}日期 {on} 不晚于登记日期 {row.valid_from}，或晚于一个月后。"
        return [Problem("on", str(on), text, "请改正日期。")]
    return []


def _by_code(codes: Sequence[str]) -> dict[str, list[Physician]]:
    """Every registration of the codes, locked, oldest first."""
    rows = Physician.objects.select_for_update(of=("self",), no_key=True).filter(code__in=[code for code in codes if code])
    found: dict[str, list[Physician]] = {}
    for row in rows.select_related("institution").order_by("code", "pk"):
        found.setdefault(row.code, []).append(row)
    return found


def _locked_open(physician: Physician, act: str) -> Physician:
    rows = Physician.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("institution__county__pooling_area").get(pk=physician.pk)
    if held.valid_to is not None:
        text = f"{held.name}在{held.institution}的登记已于 {held.valid_to} 结束，不能{act}。"
        raise Conflict([Problem("status", str(held.valid_to), text, "请在其现在的登记上办理。")])
    return held


def _note(actor: User, row: Physician, summary: str) -> None:
    data = {"code": row.code, "institution": row.institution.code, "from": row.valid_from, "to": row.valid_to}
    record(actor, REGISTER, row, summary, data, place=row.institution)
