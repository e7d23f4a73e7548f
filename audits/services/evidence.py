"""Evidence: taken in by two officers of the case, dealt with after registration, withdrawn with a reason; never changed."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from audits.models import Case, CaseOfficer, Evidence, EvidenceKind, EvidenceNote
from audits.parameters import limit_due
from audits.reading.evidence import HANDLED, WITHDRAWN
from audits.services.steps import begin, finish
from audits.states import Act
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import StoredFile, User
from core.trail import record

OPEN = "audits.open_evidence"
REGISTRATION = "evidence_registration"
NAME, NOTE, PLACE = 120, 300, 120
SHORTEST = 4


def add_evidence(
    actor: User,
    case: Case,
    *,
    kind: str,
    name: str,
    file: StoredFile,
    collected_on: date | None,
    collected_by: User | None,
    witnessed_by: User | None,
    place: str = "",
    note: str = "",
    third_party: str = "",
    registered: bool = False,
) -> Evidence:
    """Keep one piece with the hash of its file. ``registered``: registered before seizure (先行登记保存), to be dealt with
    within the limit of working days from the day it was taken (行政处罚法 第五十六条). Raises ``Refused`` with every fault."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.COLLECT)
        problems = [
            *_texts(kind, name, note, place, third_party), *_day(collected_on),
            *_takers(held, collected_by, witnessed_by, collected_on), *_same_file(held, file),
        ]  # fmt: skip
        if problems or collected_on is None or collected_by is None or witnessed_by is None:
            raise Refused(problems)
        until = limit_due(REGISTRATION, held.at, collected_on) if registered else None
        made = Evidence.objects.create(
            case=held,
            number=(held.evidence.aggregate(last=Max("number"))["last"] or 0) + 1,
            kind=kind,
            name=name.strip(),
            note=note.strip(),
            file=file,
            sha256=file.sha256,
            collected_on=collected_on,
            collected_at_place=place.strip(),
            collected_by=collected_by,
            witnessed_by=witnessed_by,
            third_party=third_party.strip(),
            registered_until=until,
            added_by=actor,
            added_at=timezone.now(),
        )
        summary = f"案件 {held.number} 登记证据 {made.number}“{made.name}”，校验值 {made.sha256[:16]}"
        summary += f"，先行登记保存，须于 {until} 前处理" if until else ""
        data = {"evidence": made.pk, "sha256": made.sha256, "registered_until": str(until or "")}
        finish(actor, held, step, summary, data=data, until=until)
        return made


def handle(actor: User, evidence: Evidence, text: str) -> EvidenceNote:
    """Say how a piece registered before seizure was dealt with, once; after the limit it is taken and marked late."""
    with transaction.atomic():
        held, step = begin(actor, evidence.case, Act.COLLECT)
        if evidence.registered_until is None:
            raise Refused([Problem("evidence", str(evidence), f"{evidence}没有先行登记保存，不需要处理。")])
        _need_text(text, "处理情况", "如解除保存、转为证据、予以没收")
        _no_note(evidence, HANDLED)
        late = timezone.localdate() > evidence.registered_until
        made = _note(actor, evidence, HANDLED, text)
        summary = f"案件 {held.number} 处理登记保存的{evidence}{'（逾期）' if late else ''}：{text.strip()}"
        finish(actor, held, step, summary, reason=text, data={"evidence": evidence.pk, "late": late})
        return made


def withdraw(actor: User, evidence: Evidence, reason: str) -> EvidenceNote:
    """No longer stand on a piece, with the reason; the piece and its file stay."""
    with transaction.atomic():
        held, step = begin(actor, evidence.case, Act.COLLECT)
        _need_text(reason, "不再采用的理由", "如来源不合法、与案件无关")
        _no_note(evidence, WITHDRAWN)
        made = _note(actor, evidence, WITHDRAWN, reason)
        summary = f"案件 {held.number} 不再采用{evidence}：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, data={"evidence": evidence.pk})
        return made


@transaction.atomic
def note_opened(actor: User, evidence: Evidence, what: str) -> None:
    """Say who opened a piece of evidence (R-068); ``what`` is 查看 or 下载."""
    require(actor, OPEN, evidence.case.at)
    record(actor, OPEN, evidence.case, f"{what}案件 {evidence.case.number} {evidence}", {"evidence": evidence.pk}, place=evidence.case.at)


def _texts(kind: str, name: str, note: str, place: str, third_party: str) -> list[Problem]:
    problems = []
    if kind not in EvidenceKind.values:
        problems.append(Problem("kind", kind, "没有选择证据种类。", "请从列表中选择。"))
    if not name.strip():
        problems.append(Problem("name", "", "没有填写证据名称。", "请写明是什么材料，如“8 月住院病历复印件（38 份）”。"))
    for field, label, text, most in (
        ("name", "证据名称", name, NAME), ("note", "说明", note, NOTE), ("place", "取得地点", place, PLACE),
        ("third_party", "第三方", third_party, PLACE),
    ):  # fmt: skip
        if len(text.strip()) > most:
            problems.append(Problem(field, text.strip()[:20], f"{label}超过 {most} 个字。", "请缩短。"))
    return problems


def _day(collected_on: date | None) -> list[Problem]:
    today = timezone.localdate()
    if collected_on is None:
        return [Problem("collected_on", "", "没有填写取得日期。", "请填实际取得证据的日期。")]
    if collected_on > today:
        return [Problem("collected_on", str(collected_on), f"取得日期 {collected_on} 还没有到。", "请填实际取得证据的日期。")]
    return []


def _takers(case: Case, first: User | None, second: User | None, day: date | None) -> list[Problem]:
    """Two different officers of the case on the day; what was taken before filing counts from the filing day on."""
    problems = []
    on = max(day, case.filed_on) if day is not None else timezone.localdate()
    held = CaseOfficer.objects.filter(Q(until__isnull=True) | Q(until__gte=on), case=case, since__lte=on).select_related("user")
    people = {row.user_id: row.user for row in held}
    named = "、".join(str(user) for user in people.values()) or "无"
    for field, label, user in (("collected_by", "取证人", first), ("witnessed_by", "共同取证人", second)):
        if user is None:
            problems.append(Problem(field, "", f"没有选择{label}。", "取证须由本案两名办案人员进行。"))
        elif user.pk not in people:
            text = f"{label}{user}在 {on} 不是本案办案人员（{named}）。"
            problems.append(Problem(field, str(user), text, "请选择本案办案人员，或由复核先指定办案人员。"))
    if first is not None and second is not None and first.pk == second.pk:
        text = f"取证人和共同取证人都是{first}。"
        problems.append(Problem("witnessed_by", str(second), text, "取证不得少于两人，请选择另一名办案人员。"))
    return problems


def _same_file(case: Case, file: StoredFile) -> list[Problem]:
    same = case.evidence.filter(sha256=file.sha256).exclude(notes__kind=WITHDRAWN).first()
    if same is None:
        return []
    return [Problem("file", file.name, f"这份文件与{same}内容完全相同，已登记。", "请在认定事实时引用已有证据。")]


def _need_text(text: str, label: str, example: str) -> None:
    length = len(text.strip())
    if not SHORTEST <= length <= NOTE:
        told = f"没有写明{label}。" if length < SHORTEST else f"{label}超过 {NOTE} 个字。"
        raise Refused([Problem("text", text.strip()[:20], told, f"请写 {SHORTEST}–{NOTE} 个字，{example}。")])


def _no_note(evidence: Evidence, kind: str) -> None:
    found = evidence.notes.filter(kind__in=[kind, WITHDRAWN]).select_related("by").first()
    if found is not None:
        text = f"{evidence}已由{found.by}登记“{found.get_kind_display()}”。"
        raise Conflict([Problem("evidence", str(evidence), text, "请刷新页面查看最新情况。")])


def _note(actor: User, evidence: Evidence, kind: str, text: str) -> EvidenceNote:
    return EvidenceNote.objects.create(evidence=evidence, kind=kind, text=text.strip(), by=actor, at=timezone.now())
