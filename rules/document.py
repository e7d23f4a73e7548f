"""The written form of a scheme: which parameters exist, and reading and writing them as TOML.

A parameter is a table with ``value``, ``clause`` and ``status`` (and ``wording`` or ``note``); nothing is accepted
without its clause and status. Reading collects every problem in the document before refusing it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.errors import RuleError, RuleProblem
from rules.specification import META, OPTIONAL_META, ROWS, SPEC, Kind, RowSpec
from rules.trace import CONFIRMED, UNCONFIRMED, percent, text_of

Document = dict[str, Any]
ParameterValue = Decimal | int | str | bool | date | tuple[str, ...]
STATUSES = (CONFIRMED, UNCONFIRMED)
RATE_DECIMALS = 6


class SchemeError(RuleError):
    """A scheme document that cannot be used; ``problems`` lists everything wrong with it."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a scheme, with the clause it rests on and whether an official document confirms it."""

    key: str
    title: str
    value: ParameterValue
    unit: str
    text: str
    clause: str
    status: str
    legal_basis: str
    wording: str = ""
    note: str = ""

    @property
    def confirmed(self) -> bool:
        return self.status == CONFIRMED


def parse(text: str) -> Document:
    """The document of a TOML text, numbers as Decimal; SchemeError when it is no TOML."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, InvalidOperation) as error:
        raise SchemeError.one("文件", "", f"方案文件不是有效的TOML格式:{error}", "请检查该行的书写") from error


def at(document: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None when absent."""
    node: Any = document
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def value_of(document: Mapping[str, Any], key: str) -> Any:
    """The value of a scalar parameter, None when the document does not set it."""
    leaf = at(document, key)
    return None if leaf is None else normalised(SPEC[key], leaf["value"])


def clause_of(document: Mapping[str, Any], key: str) -> str:
    leaf = at(document, key)
    return "" if leaf is None else str(leaf["clause"])


def status_of(document: Mapping[str, Any], key: str) -> str:
    leaf = at(document, key)
    return CONFIRMED if leaf is None else str(leaf["status"])


def normalised(kind: Kind, value: Any) -> Any:
    """The value in the type its kind stands for; ValueError with the reason in Chinese when it does not fit."""
    match kind.kind:
        case "ratio":
            return _ratio(value)
        case "score" | "number":
            number = _decimal(value)
            if kind.kind == "score" and not 0 <= number <= 100:
                raise ValueError("须在0到100之间")
            return number
        case "count":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError("须为正整数")
            return value
        case "flag":
            if not isinstance(value, bool):
                raise ValueError("须为 true 或 false")
            return value
        case "date":
            if type(value) is not date:
                raise ValueError("须为日期(如 2022-12-28)")
            return value
        case "choice":
            if value not in (kind.choices or {}):
                raise ValueError(f"须为以下之一:{'、'.join(kind.choices or {})}")
            return value
        case _:
            unknown = [] if isinstance(value, (list, tuple)) else [value]
            unknown += [item for item in value if item not in (kind.choices or {})] if not unknown else []
            if unknown or not value or len(set(value)) != len(value):
                raise ValueError(f"须为不重复的列表,可选:{'、'.join(kind.choices or {})}")
            return tuple(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)) or not Decimal(value).is_finite():
        raise ValueError("须为十进制数")
    number = Decimal(value)
    if number != round(number, RATE_DECIMALS):
        raise ValueError(f"最多{RATE_DECIMALS}位小数")
    return number


def _ratio(value: Any) -> Decimal:
    number = _decimal(value)
    if number < 0:
        raise ValueError("比例不能为负数")
    if number > 1:
        raise ValueError("比例不能大于1(即100%)")
    return number


def display(kind: Kind, value: Any) -> tuple[str, str]:
    """The value as (text, unit) for people."""
    match kind.kind:
        case "ratio":
            return percent(value), "比例"
        case "score":
            return f"{text_of(value)}分", "分"
        case "number":
            return text_of(value), ""
        case "count":
            return str(value), "年"
        case "flag":
            return ("是" if value else "否"), ""
        case "date":
            return value.isoformat(), "日期"
        case "choice":
            return (kind.choices or {})[value], ""
        case _:
            return "、".join((kind.choices or {})[item] for item in value), ""


def check_form(document: Mapping[str, Any]) -> list[RuleProblem]:
    """Everything wrong with the form of a document: missing, unknown or ill-typed entries, clauses and statuses."""
    problems: list[RuleProblem] = []
    for key, title in (META | OPTIONAL_META).items():
        _check_meta(problems, document, key, title)
    for key, kind in SPEC.items():
        _check_leaf(problems, document, key, kind)
    for spec in ROWS:
        for place, row in _rows(problems, document, spec):
            _check_row(problems, spec, place, row)
    known = set(META) | set(OPTIONAL_META) | set(SPEC) | {spec.path for spec in ROWS}
    for path in _paths(document, known):
        problems.append(RuleProblem(path, "", f"不认识的参数:{path}", "请检查拼写,或删除该参数"))
    return problems


def _check_meta(problems: list[RuleProblem], document: Mapping[str, Any], key: str, title: str) -> None:
    value = document.get(key)
    if value is None and key in OPTIONAL_META:
        return
    if key == "issued":
        if type(value) is not date:
            problems.append(RuleProblem(key, str(value), f"{title}不是日期", "请按“2022-12-28”填写"))
    elif not isinstance(value, str) or not value.strip():
        problems.append(RuleProblem(key, "" if value is None else str(value), f"缺少{title}", "请填写"))


def _check_leaf(problems: list[RuleProblem], document: Mapping[str, Any], key: str, kind: Kind) -> None:
    leaf = at(document, key)
    if leaf is None:
        if kind.required:
            problems.append(RuleProblem(key, "", f"缺少参数“{kind.title}”", "请依据文件填写值、条款和状态"))
        return
    if not isinstance(leaf, Mapping) or "value" not in leaf:
        problems.append(RuleProblem(key, str(leaf), f"“{kind.title}”须写明 value、clause、status", "请补全"))
        return
    _check_value(problems, key, kind, leaf["value"], kind.title)
    _check_source(problems, key, kind.title, leaf, ("status",))
    _check_extra(problems, key, leaf, {"value", "clause", "status", "wording", "note", "basis"})


def _check_value(problems: list[RuleProblem], key: str, kind: Kind, value: Any, title: str) -> None:
    try:
        normalised(kind, value)
    except ValueError as error:
        problems.append(RuleProblem(key, str(value), f"“{title}”{error},现为{value}", "请按文件改正"))


def _check_source(
    problems: list[RuleProblem], key: str, title: str, leaf: Mapping[str, Any], statuses: tuple[str, ...]
) -> None:
    if not isinstance(leaf.get("clause"), str) or not leaf["clause"].strip():
        problems.append(RuleProblem(key, "", f"“{title}”没有写明条款", "请填写文件条款(clause)"))
    for name in statuses:
        if leaf.get(name) not in STATUSES:
            text = f"“{title}”的状态{name}须为 confirmed 或 待核实,现为{leaf.get(name)}"
            problems.append(RuleProblem(key, str(leaf.get(name)), text, "请改正状态"))


def _check_extra(problems: list[RuleProblem], key: str, leaf: Mapping[str, Any], known: set[str]) -> None:
    for name in sorted(set(leaf) - known):
        problems.append(RuleProblem(f"{key}.{name}", str(leaf[name]), f"不认识的参数:{key}.{name}", "请检查拼写"))


def _rows(
    problems: list[RuleProblem], document: Mapping[str, Any], spec: RowSpec
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = at(document, spec.path)
    if rows is None:
        return
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows) or not rows:
        problems.append(RuleProblem(spec.path, "", f"{spec.path}须为表格列表(不能为空)", "请按其他方案的写法改正"))
        return
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        label = row.get(spec.label)
        if not isinstance(label, str) or not label.strip() or "." in label:
            text = f"{spec.title}第{number}行没有有效的{spec.label}"
            problems.append(RuleProblem(spec.path, str(label), text, "请填写"))
            label = f"第{number}行"
        elif label in seen:
            problems.append(RuleProblem(spec.path, label, f"{spec.title}“{label}”重复", "请改名或删除"))
        seen.add(label)
        yield f"{spec.prefix}.{label}", row


def _check_row(problems: list[RuleProblem], spec: RowSpec, place: str, row: Mapping[str, Any]) -> None:
    title = f"{spec.title}{place.rpartition('.')[2]}"
    for name, (kind, _) in spec.fields.items():
        if name in row:
            _check_value(problems, f"{place}.{name}", kind, row[name], f"{title}{kind.title}")
        elif name not in spec.optional:
            problems.append(RuleProblem(f"{place}.{name}", "", f"“{title}”缺少{kind.title}", "请补全"))
    for name in spec.texts:
        if not isinstance(row.get(name), str) or not row[name].strip():
            problems.append(RuleProblem(f"{place}.{name}", "", f"“{title}”缺少{name}", "请补全"))
    statuses = tuple(dict.fromkeys(status for _, status in spec.fields.values()))
    _check_source(problems, place, title, row, statuses)
    known = {*spec.fields, *spec.texts, *statuses, spec.label, "clause", "wording", "note", "basis"}
    _check_extra(problems, place, row, known)


def _paths(node: Mapping[str, Any], known: set[str], prefix: str = "") -> Iterator[str]:
    for name, child in node.items():
        path = f"{prefix}{name}"
        if path in known:
            continue
        if isinstance(child, Mapping) and any(other.startswith(f"{path}.") for other in known):
            yield from _paths(child, known, f"{path}.")
        else:
            yield path


def parameters(document: Mapping[str, Any]) -> list[Parameter]:
    """Every parameter of a checked document, in the order of the specification."""
    found: list[Parameter] = []
    for key, kind in SPEC.items():
        leaf = at(document, key)
        if leaf is not None:
            found.append(_parameter(document, key, kind.title, kind, leaf["value"], leaf, "status"))
    for spec in ROWS:
        for row in at(document, spec.path) or ():
            place = f"{spec.prefix}.{row[spec.label]}"
            for name, (kind, status) in spec.fields.items():
                if name in row:
                    title = f"{spec.title}{row.get('title', row[spec.label])} {kind.title}"
                    found.append(_parameter(document, f"{place}.{name}", title, kind, row[name], row, status))
    return found


def _parameter(
    document: Mapping[str, Any], key: str, title: str, kind: Kind, value: Any, leaf: Mapping[str, Any], status: str
) -> Parameter:
    normal = normalised(kind, value)
    text, unit = display(kind, normal)
    basis = str(leaf.get("basis", document["legal_basis"]))
    wording, note = str(leaf.get("wording", "")), str(leaf.get("note", ""))
    return Parameter(key, title, normal, unit, text, str(leaf["clause"]), str(leaf[status]), basis, wording, note)


def locate(document: Document, key: str) -> tuple[dict[str, Any], str, str, Kind] | None:
    """Where a parameter lives: its table, the name of the value and of the status in it, its kind. None if unknown."""
    if key in SPEC:
        leaf = at(document, key)
        return None if leaf is None else (leaf, "value", "status", SPEC[key])
    for spec in ROWS:
        for row in at(document, spec.path) or ():
            name = key.removeprefix(f"{spec.prefix}.{row[spec.label]}.")
            if name != key and name in spec.fields:
                kind, status = spec.fields[name]
                return row, name, status, kind
    return None


def dump(document: Mapping[str, Any]) -> str:
    """The document as TOML text that ``parse`` reads back unchanged."""
    lines: list[str] = []
    tables: list[tuple[str, Mapping[str, Any]]] = []
    lists: list[tuple[str, list[Mapping[str, Any]]]] = []
    _collect("", document, lines, tables, lists)
    for path, table in tables:
        lines += ["", f"[{path}]", *(f"{name} = {_literal(value)}" for name, value in table.items())]
    for path, rows in lists:
        for row in rows:
            lines += ["", f"[[{path}]]", *(f"{name} = {_literal(value)}" for name, value in row.items())]
    return "\n".join(lines) + "\n"


def _collect(
    prefix: str,
    node: Mapping[str, Any],
    lines: list[str],
    tables: list[tuple[str, Mapping[str, Any]]],
    lists: list[tuple[str, list[Mapping[str, Any]]]],
) -> None:
    for name, child in node.items():
        path = f"{prefix}{name}"
        if isinstance(child, Mapping):
            if "value" in child:
                tables.append((path, child))
            else:
                _collect(f"{path}.", child, lines, tables, lists)
        elif isinstance(child, list) and child and isinstance(child[0], Mapping):
            lists.append((path, child))
        else:
            lines.append(f"{path} = {_literal(child)}")


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = text_of(value)
        return text if "." in text else f"{text}.0"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
