"""Forms of evidence, findings, claim lines, statements and hearings. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from audits.forms_base import (
    ListFilter,
    choice_line,
    day_line,
    money_line,
    text_area,
    text_line,
)
from audits.models import Case, EvidenceKind, StatementKind
from audits.reading.evidence import pieces
from audits.services.findings import violations
from audits.services.hearings import hosts
from audits.services.lines import counties_of
from audits.services.statements import OUTCOMES, Point
from claims.reading import VISIT_CHOICES
from core.forms import FilesField
from core.models import FundType

POINT = "point-"


class OneFile(forms.FileField):
    """A single file; kind, size and content are judged when it is stored."""

    def __init__(self, label: str, help_text: str = "") -> None:
        words = {"required": f"没有选择{label}。", "invalid": f"没有选择{label}。"}
        super().__init__(label=label, allow_empty_file=True, max_length=200, help_text=help_text, error_messages=words)


class EvidenceForm(forms.Form):
    kind = choice_line("种类", EvidenceKind.choices)
    name = text_line("名称", 120)
    file = OneFile("文件", "PDF、图片、Word、Excel 等，不超过 50 MB；登记后不能更换")
    collected_on = day_line("取得日期")
    place = text_line("取得地点", 120, required=False)
    collected_by = choice_line("取证人")
    witnessed_by = choice_line("共同取证人")
    third_party = text_line("第三方", 120, required=False, help_text="由第三方提供或鉴定的，写明名称")
    note = text_line("说明", 300, required=False)
    registered = forms.BooleanField(label="先行登记保存（7 个工作日内处理）", required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = case.officers.select_related("user").order_by("-leads", "pk")
        people = {str(row.user_id): str(row.user) for row in rows}
        for name in ("collected_by", "witnessed_by"):
            self.fields[name].choices = [("", "请选择"), *people.items()]  # type: ignore[attr-defined]


class NoteForm(forms.Form):
    text = text_line("说明", 300, widget=forms.Textarea(attrs={"rows": 3}))


class FindingForm(forms.Form):
    act = choice_line("违规行为")
    clause = text_line("条款", 200, required=False, help_text="不填即按目录：选择违规行为后由系统填入")
    acted_from = day_line("行为起")
    acted_to = day_line("行为止")
    text = text_area("事实", 5)
    evidence = forms.MultipleChoiceField(label="证据", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        acts = [(act.key, f"{act.label}（{act.clause}）") for act in violations(case)]
        self.fields["act"].choices = [("", "请选择"), *acts]  # type: ignore[attr-defined]
        self.fields["evidence"].choices = [  # type: ignore[attr-defined]
            (str(piece.pk), str(piece))
            for piece in pieces(case)
            if not any(note.kind == "withdrawn" for note in piece.notes.all())
        ]


class ReasonForm(forms.Form):
    reason = text_line("理由", 300, widget=forms.Textarea(attrs={"rows": 3}))


class LowerForm(ReasonForm):
    amount = money_line("核减后金额")
    field_order = ["amount", "reason"]


class PickFilter(ListFilter):
    """Which claims of the party are shown."""

    county = forms.ChoiceField(label="参保县（区）", required=False)
    settlement_id = forms.CharField(label="结算单号", required=False, max_length=60)
    person = forms.CharField(label="参保人（化名）", required=False, max_length=64)
    diagnosis = forms.CharField(label="诊断编码", required=False, max_length=20)
    visit_type = forms.ChoiceField(label="就医类别", required=False)
    fund_type = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FundType.choices])

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counties = {county.code: county for county in counties_of(case)}
        own = case.county.code
        order = sorted(self.counties.values(), key=lambda county: (county.code != own, county.code))
        self.fields["county"].choices = [(county.code, county.name) for county in order]  # type: ignore[attr-defined]
        self.fields["visit_type"].choices = [("", "全部"), *VISIT_CHOICES]  # type: ignore[attr-defined]


class UploadForm(forms.Form):
    file = OneFile("文件")


class HandForm(forms.Form):
    """A claim of a month without an extract."""

    county = choice_line("参保县（区）")
    settlement_id = text_line("结算单号", 60)
    settled_on = day_line("结算日期")
    fund_type = choice_line("险种", FundType.choices)
    visit_type = choice_line("就医类别", required=False)
    paid = money_line("基金支付")
    amount = money_line("认定金额")
    own = forms.BooleanField(label="本医共体参保人", required=False)
    note = text_line("说明", 200, required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counties = {county.code: county for county in counties_of(case)}
        self.fields["county"].choices = [(code, county.name) for code, county in self.counties.items()]  # type: ignore[attr-defined]
        self.fields["visit_type"].choices = [("", "未注明"), *VISIT_CHOICES]  # type: ignore[attr-defined]


class StatementForm(forms.Form):
    """The provider's statement: of each finding agreed or not, and as a whole."""

    kind = choice_line("类别", [(StatementKind.STATEMENT.value, "陈述申辩"), (StatementKind.APPEAL.value, "申诉")])
    text = text_area("总的意见", 5)
    files = FilesField()  # type: ignore[assignment]

    def __init__(self, *args: Any, findings: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.findings = findings
        for finding in findings:
            options = [("", "不表示意见"), ("yes", "认可"), ("no", "有异议")]
            self.fields[f"{POINT}{finding.pk}"] = forms.ChoiceField(label=f"事实 {finding.number} 意见", required=False, choices=options)
            self.fields[f"{POINT}{finding.pk}-text"] = forms.CharField(
                label=f"事实 {finding.number} 理由", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
            )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each finding with its two fields."""
        return [
            {"finding": one, "said": self[f"{POINT}{one.pk}"], "text": self[f"{POINT}{one.pk}-text"]} for one in self.findings
        ]

    def points(self) -> list[Point]:
        """What was said, of the findings anything was said of."""
        found = []
        for finding in self.findings:
            said = self.cleaned_data.get(f"{POINT}{finding.pk}") or ""
            text = self.cleaned_data.get(f"{POINT}{finding.pk}-text") or ""
            if said or text.strip():
                found.append(Point(finding.pk, said == "yes", text))
        return found


class AgreeForm(forms.Form):
    text = text_area("意见", 2, required=False)
    files = FilesField()  # type: ignore[assignment]


class HearingRequestForm(forms.Form):
    text = text_area("请求和理由", 3)
    files = FilesField()  # type: ignore[assignment]


class ReplyForm(forms.Form):
    outcome = choice_line("采纳情况", list(OUTCOMES.items()))
    text = text_area("理由", 4)


class AnnounceForm(forms.Form):
    held_on = day_line("听证日期")
    place = text_line("地点", 120)
    host = choice_line("主持人")

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(user.pk): user for user in hosts(case)}
        self.fields["host"].choices = [("", "请选择"), *((key, str(user)) for key, user in self.people.items())]  # type: ignore[attr-defined]


class HoldForm(forms.Form):
    held_on = day_line("举行日期")
    participants = text_line("参加人", 500)
    conclusion = text_area("听证意见", 4)
    file = OneFile("听证笔录")
