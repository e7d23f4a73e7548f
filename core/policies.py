"""Adopted schemes: entering a document, approving it, confirming single values, and the scheme in force on a day.

The TOML in ``rules/schemes`` is the shipped original; services use only what a pooling area adopted here. An official
value for a 待核实 parameter is entered with its document by one person and confirmed by another (A1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import PolicyParameter, PolicyVersion, PoolingArea, StoredFile, User
from core.models.places import Place, pooling_area_of
from core.trail import record
from rules.document import SchemeError
from rules.scheme import Scheme
from rules.trace import CONFIRMED


@dataclass(frozen=True)
class SchemeInForce:
    """The adopted version, the scheme with its confirmed values, and those values (key → value)."""

    version: PolicyVersion
    scheme: Scheme
    confirmed: dict[str, str]

    def frozen(self) -> dict[str, Any]:
        """What a settlement keeps so that it can be recomputed: the version and the values laid over it."""
        return {"policy_version": self.version.pk, "sha256": self.version.sha256, "confirmed": self.confirmed}


def enter_version(
    actor: User, area: PoolingArea, document: str, valid_from: date, valid_to: date | None = None
) -> PolicyVersion:
    """Enter a scheme document for a pooling area; another person approves it. Lists everything wrong with it."""
    require(actor, "core.enter_policy", area)
    try:
        scheme = Scheme.from_toml(document)
    except SchemeError as error:
        raise Refused([Problem(p.field, p.value, p.text, p.remedy) for p in error.problems]) from error
    if valid_to is not None and valid_to < valid_from:
        raise Refused([Problem("valid_to", str(valid_to), "停用日期早于启用日期。", "请改正日期。")])
    with transaction.atomic():
        version = PolicyVersion.objects.create(
            pooling_area=area,
            scheme_name=scheme.name,
            title=scheme.title,
            legal_basis=scheme.legal_basis,
            document=document,
            sha256=hashlib.sha256(document.encode()).hexdigest(),
            valid_from=valid_from,
            valid_to=valid_to,
            entered_by=actor,
        )
        record(actor, "core.enter_policy", version, f"录入政策版本“{version}”", {"sha256": version.sha256})
        return version


def approve_version(actor: User, version: PolicyVersion) -> PolicyVersion:
    """A fund reviewer puts an entered version in force; the former version of the area ends the day before."""
    require(actor, "core.approve_policy", version.pooling_area)
    with transaction.atomic():
        version = PolicyVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        different_person(actor, version.entered_by, "审定政策版本")
        if version.approved_at is not None:
            raise Conflict(f"该政策版本已由{version.approved_by}审定。")
        version.approved_by, version.approved_at = actor, timezone.now()
        version.save(update_fields=["approved_by", "approved_at"])
        record(actor, "core.approve_policy", version, f"审定政策版本“{version}”")
        return version


def enter_value(
    actor: User,
    version: PolicyVersion,
    key: str,
    value: str,
    document_title: str,
    document_file: StoredFile | None = None,
) -> PolicyParameter:
    """Enter the official value of one parameter with the document it stands in; a reviewer confirms it."""
    require(actor, "core.enter_policy", version.pooling_area)
    problems = []
    if not document_title.strip():
        problems.append(Problem("document_title", "", "没有填写正式文件。", "请填写文号和标题。"))
    try:
        _with_values(Scheme.from_toml(version.document), {key: value})
    except ValueError as error:
        problems.append(Problem("value", value, f"参数“{key}”不能取这个值：{error}", "请按正式文件填写。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        entered = PolicyParameter.objects.create(
            policy_version=version,
            key=key,
            value=value,
            document_title=document_title.strip(),
            document_file=document_file,
            entered_by=actor,
        )
        record(
            actor,
            "core.enter_policy",
            entered,
            f"录入参数 {key} = {value}，依据《{entered.document_title}》",
            place=version.pooling_area,
        )
        return entered


def confirm_value(actor: User, entered: PolicyParameter) -> PolicyParameter:
    """A fund reviewer confirms an entered value against its document; from now on it is in force."""
    require(actor, "core.confirm_parameter", entered.policy_version.pooling_area)
    with transaction.atomic():
        entered = PolicyParameter.objects.select_for_update(no_key=True).get(pk=entered.pk)
        different_person(actor, entered.entered_by, "核实政策参数")
        if entered.confirmed_at is not None:
            raise Conflict(f"该参数已由{entered.confirmed_by}核实。")
        entered.confirmed_by, entered.confirmed_at = actor, timezone.now()
        entered.save(update_fields=["confirmed_by", "confirmed_at"])
        record(
            actor,
            "core.confirm_parameter",
            entered,
            f"核实参数 {entered.key} = {entered.value}",
            place=entered.policy_version.pooling_area,
        )
        return entered


def scheme_in_force(place: Place, on: date) -> SchemeInForce:
    """The approved scheme of the place's pooling area on ``on``; refuses where none is in force."""
    area = pooling_area_of(place)
    version = PolicyVersion.objects.approved_on(on).filter(pooling_area=area).order_by("-valid_from", "-pk").first()
    if version is None:
        raise Refused(
            [
                Problem(
                    "scheme", str(on), f"{area}在 {on} 没有已审定的打包方案。", "请管理员录入政策版本并由基金复核审定。"
                )
            ]
        )
    return effective(version)


def effective(version: PolicyVersion) -> SchemeInForce:
    """A version with its confirmed values laid over the document."""
    confirmed: dict[str, str] = {}
    for entered in version.entered_parameters.filter(confirmed_at__isnull=False).order_by("confirmed_at", "pk"):
        confirmed[entered.key] = entered.value
    return SchemeInForce(version, _scheme_of(version.document, confirmed), confirmed)


def thaw(frozen: dict[str, Any]) -> Scheme:
    """The scheme exactly as a settlement froze it; refuses if the document was changed since."""
    version = PolicyVersion.objects.get(pk=frozen["policy_version"])
    if hashlib.sha256(version.document.encode()).hexdigest() != frozen["sha256"]:
        raise Refused(f"政策版本 {version.pk} 的全文与结算时的校验值不符。")
    return _scheme_of(version.document, frozen["confirmed"])


def unconfirmed(version: PolicyVersion) -> list[Any]:
    """Parameters of the version in force that are still 待核实."""
    return list(effective(version).scheme.unconfirmed())


def _scheme_of(document: str, confirmed: dict[str, str]) -> Scheme:
    return _read(document, tuple(sorted(confirmed.items())))


@lru_cache(maxsize=64)
def _read(document: str, confirmed: tuple[tuple[str, str], ...]) -> Scheme:
    """Reading a document takes 10 ms, a page asks several times, and neither texts nor schemes ever change."""
    return _with_values(Scheme.from_toml(document), dict(confirmed))


def _with_values(scheme: Scheme, values: dict[str, str]) -> Scheme:
    if not values:
        return scheme
    return scheme.with_parameters({key: (value, CONFIRMED) for key, value in values.items()})
