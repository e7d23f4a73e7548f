"""What must hold between the parameters of a scheme: tiers without gap or overlap, complete bounds, lawful dates.

Checks run on whatever part of the document is well-formed, so that one reading lists every problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rules import document as written
from rules.assessment import Grade, grade_problems
from rules.brackets import DEAD_BAND_LABEL, Tier
from rules.document import check_form
from rules.errors import RuleProblem
from rules.specification import ROWS, SPEC, RowSpec
from rules.trace import percent

SIDES = {"overrun": "超支", "surplus": "结余"}


def rows_of(document: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """The rows of a list in the document, empty when it is absent."""
    return written.at(document, path) or []


def dead_band_tier(document: Mapping[str, Any], side: str, next_inclusive: bool) -> Tier | None:
    """The dead band as the first tier of its side, None without one."""
    width = written.value_of(document, f"{side}.dead_band")
    if width is None:
        return None
    rate = f"{side}.dead_band_rate"
    return Tier(
        DEAD_BAND_LABEL,
        Decimal(0),
        width,
        written.value_of(document, rate),
        False,
        not next_inclusive,
        written.clause_of(document, rate),
        rate_status=written.status_of(document, rate),
        bounds_status=written.status_of(document, f"{side}.dead_band"),
    )


def problems_of(document: Mapping[str, Any]) -> list[RuleProblem]:
    """Every problem of a document, of form and of substance."""
    problems = check_form(document)
    _check_dates(problems, document)
    if not any(written.at(document, f"{side}.tiers") for side in SIDES):
        problems.append(RuleProblem("tiers", "", "方案没有任何超支或结余分档", "请至少写明一侧的分档"))
    for side in SIDES:
        _check_side(problems, document, side)
    _check_prepayment(problems, document)
    _check_grades(problems, document)
    _check_split(problems, document)
    return problems


def _valid(document: Mapping[str, Any], key: str) -> Any:
    """The value of a scalar parameter when it is well-formed, else None (its form is reported elsewhere)."""
    try:
        return written.value_of(document, key)
    except (ValueError, KeyError, TypeError):
        return None


def _valid_rows(document: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """Well-formed rows of a list; rows with a problem of form are left out."""
    spec = next(spec for spec in ROWS if spec.path == path)
    rows = written.at(document, path)
    return [row for row in rows if _is_valid(spec, row)] if isinstance(rows, list) else []


def _is_valid(spec: RowSpec, row: Any) -> bool:
    if not isinstance(row, Mapping) or spec.label not in row:
        return False
    try:
        for name, (kind, _) in spec.fields.items():
            if name in row:
                written.normalised(kind, row[name])
            elif name not in spec.optional:
                return False
    except ValueError:
        return False
    return True


def _check_dates(problems: list[RuleProblem], document: Mapping[str, Any]) -> None:
    start, end = _valid(document, "validity.from"), _valid(document, "validity.to")
    if start and end and end < start:
        text = f"失效日期{end}早于生效日期{start}"
        problems.append(RuleProblem("validity.to", str(end), text, "请改正日期"))


def _check_side(problems: list[RuleProblem], document: Mapping[str, Any], side: str) -> None:
    title = SIDES[side]
    band, rate = (written.at(document, f"{side}.{name}") for name in ("dead_band", "dead_band_rate"))
    if (band is None) != (rate is None):
        text = f"{title}侧的带宽(dead_band)与带内比例(dead_band_rate)须同时写明"
        problems.append(RuleProblem(f"{side}.dead_band", "", text, "请补全或一并删除"))
    rows = _valid_rows(document, f"{side}.tiers")
    complete = rows_of(document, f"{side}.tiers")
    if not rows or len(rows) != len(complete):
        return
    rows = sorted(rows, key=lambda row: Decimal(row["lower"]))
    start = _valid(document, f"{side}.dead_band") or Decimal(0)
    if rows[0]["lower"] != start:
        text = f"{title}侧第一档“{rows[0]['label']}”应从{percent(start)}起,现为{percent(Decimal(rows[0]['lower']))}"
        problems.append(RuleProblem(f"{side}.{rows[0]['label']}.lower", str(rows[0]["lower"]), text, "请补上缺口"))
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        _check_tier(problems, side, row, following)


def _check_tier(
    problems: list[RuleProblem], side: str, row: Mapping[str, Any], following: Mapping[str, Any] | None
) -> None:
    title, label, key = SIDES[side], row["label"], f"{side}.{row['label']}"
    upper = row.get("upper")
    if label == DEAD_BAND_LABEL:
        problems.append(RuleProblem(key, label, f"“{DEAD_BAND_LABEL}”是保留名称,不能用作档名", "请改名"))
    if upper is not None and upper <= row["lower"]:
        text = f"{title}侧“{label}”档上限{percent(Decimal(upper))}须大于下限{percent(Decimal(row['lower']))}"
        problems.append(RuleProblem(f"{key}.upper", str(upper), text, "请改正界限"))
    if following is None:
        if upper is not None:
            text = f"{title}侧最后一档“{label}”须无上限,否则超过{percent(Decimal(upper))}的部分没有规定"
            problems.append(RuleProblem(f"{key}.upper", str(upper), text, "请补上最后一档"))
        return
    if upper is None:
        text = f"{title}侧“{label}”档没有上限,却不是最后一档"
        problems.append(RuleProblem(f"{key}.upper", "", text, "请写明上限"))
        return
    bound, start, other = Decimal(upper), Decimal(following["lower"]), following["label"]
    if start < bound:
        text = f"{title}侧“{label}”档与“{other}”档重叠({percent(start)}至{percent(bound)})"
        problems.append(RuleProblem(f"{side}.{other}.lower", str(start), text, "请改正界限"))
    elif start > bound:
        text = f"{title}侧“{label}”档与“{other}”档之间有缺口({percent(bound)}至{percent(start)})"
        problems.append(RuleProblem(f"{side}.{other}.lower", str(start), text, "请补上缺口"))
    elif bool(row.get("upper_inclusive", False)) == bool(following["lower_inclusive"]):
        state = "同时属于" if following["lower_inclusive"] else "不属于"
        text = f"{title}侧界限{percent(bound)}{state}“{label}”档和“{other}”档"
        problems.append(RuleProblem(f"{key}.upper_inclusive", str(bound), text, "请只让一档包含该界限"))


def _check_prepayment(problems: list[RuleProblem], document: Mapping[str, Any]) -> None:
    cap, step = _valid(document, "prepayment.cap"), _valid(document, "prepayment.step")
    present = [written.at(document, f"prepayment.{name}") is not None for name in ("cap", "step")]
    if present[0] != present[1]:
        text = "预付上限与每月预付比例须同时写明"
        problems.append(RuleProblem("prepayment", "", text, f"请补全“{SPEC['prepayment.cap'].title}”或每月比例"))
    elif cap is not None and step is not None and step > cap:
        text = f"每月预付比例{percent(step)}大于预付上限{percent(cap)}"
        problems.append(RuleProblem("prepayment.step", str(step), text, "请改正"))


def _check_grades(problems: list[RuleProblem], document: Mapping[str, Any]) -> None:
    grades = [
        Grade(
            row["label"],
            Decimal(row["lower"]),
            Decimal(row["upper"]),
            row["lower_inclusive"],
            row["upper_inclusive"],
            Decimal(row["factor"]),
            "",
        )
        for row in _valid_rows(document, "assessment.grades")
    ]
    problems += grade_problems(grades)


def _check_split(problems: list[RuleProblem], document: Mapping[str, Any]) -> None:
    rows = _valid_rows(document, "retained_split")
    total = sum((Decimal(row["share"]) for row in rows), Decimal(0))
    if rows and len(rows) == len(rows_of(document, "retained_split")) and total != 1:
        text = f"留用结余分配比例合计须为100%,现为{percent(total)}"
        problems.append(RuleProblem("retained_split", str(total), text, "请改正各方比例"))
