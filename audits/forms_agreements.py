"""Forms and filters of agreements, people, points and yearly checks. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from audits.forms_base import ALL, ListFilter, choice_line, day_line, text_area, text_line
from audits.models import AgreementState, PhysicianKind
from audits.reading.agreement_terms import Terms
from audits.reading.points import PERSON, PROVIDER
from core.forms import search_field
from rules.points import BANDS
from rules.trace import text_of
from rules.yearly_check import GRADES

ROW_STATES = [("proposed", "待审定"), ("approved", "已审定"), ("returned", "已退回")]
POINT_STATES = [("proposed", "待审定"), ("in_force", "生效"), ("returned", "已退回"), ("withdrawn", "已撤销")]


def whole_line(label: str, **given: Any) -> forms.IntegerField:
    words = {
        "required": f"没有填写{label}。", "invalid": f"{label}须填整数。", "min_value": f"{label}太小，请核对。",
        "max_value": f"{label}太大，请核对。",
    }  # fmt: skip
    given.setdefault("min_value", 0)
    given.setdefault("max_value", 9999)
    return forms.IntegerField(label=label, widget=forms.TextInput(attrs={"inputmode": "numeric"}), error_messages=words, **given)


class PlaceFilter(ListFilter):
    """A filter with the counties the person sees."""

    def __init__(self, *args: Any, counties: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()


class AgreementFilter(PlaceFilter):
    state = forms.ChoiceField(label="状态", required=False, choices=[ALL, *AgreementState.choices])
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2099)
    county = forms.ChoiceField(label="县（区）", required=False)
    waiting = forms.BooleanField(label="有待审定的变更", required=False)
    listed = forms.BooleanField(label="规定病种结算", required=False)
    q = search_field("编号、机构")


class PhysicianFilter(PlaceFilter):
    kind = forms.ChoiceField(label="类别", required=False, choices=[ALL, *PhysicianKind.choices])
    county = forms.ChoiceField(label="县（区）", required=False)
    held = forms.ChoiceField(label="登记", required=False, choices=[("", "在册"), ("ended", "已注销、转出"), ("all", "全部")])
    qualification = forms.ChoiceField(
        label="支付资格", required=False, choices=[ALL, ("suspended", "暂停"), ("ended", "终止")]
    )
    q = search_field("姓名、代码、机构")


class PointFilter(PlaceFilter):
    subject = forms.ChoiceField(label="对象", required=False, choices=[ALL, (PROVIDER, "机构"), (PERSON, "人员")])
    status = forms.ChoiceField(label="状态", required=False, choices=[ALL, *POINT_STATES])
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2099)
    county = forms.ChoiceField(label="县（区）", required=False)
    q = search_field("机构、人员、情形、案号")


class YearlyCheckFilter(PlaceFilter):
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2099)
    grade = forms.ChoiceField(label="等次", required=False, choices=[ALL, *((one.key, one.label) for one in GRADES)])
    status = forms.ChoiceField(label="状态", required=False, choices=[ALL, *ROW_STATES])
    county = forms.ChoiceField(label="县（区）", required=False)
    q = search_field("机构")


class InstitutionForm(forms.Form):
    """Which provider, before a form that depends on it."""

    institution = choice_line("机构")

    def __init__(self, *args: Any, institutions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].choices = [("", "请选择"), *institutions]  # type: ignore[attr-defined]


class AgreementForm(forms.Form):
    """An application; one field for each term and indicator of the version in force for the provider."""

    year = whole_line("年度")
    valid_from = day_line("起始日期")
    valid_to = day_line("期满日期")
    listed_disease = forms.BooleanField(label="开通门诊规定病种结算", required=False)
    limits = text_area(
        "非招标药品支付限额", 4, required=False, help_text="每行一种：医保编码，名称，单位，限额（元）。没有约定的不填"
    )
    reason = text_area("说明", 2, required=False)

    def __init__(self, *args: Any, asked: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for term in asked.terms:
            self.fields[f"term_{term.key}"] = text_area(term.label, 3, initial=term.text, help_text=term.clause)
        for one in asked.indicators:
            label = f"{one.label}（{one.unit}）"
            span = f"{text_of(one.lower)} 至 {text_of(one.upper)}；{one.clause}；建议值待核实"
            self.fields[f"indicator_{one.key}"] = text_line(label, 20, initial=text_of(one.target), help_text=span)

    @property
    def frame(self) -> list[Any]:
        return [self[name] for name in ("year", "valid_from", "valid_to", "listed_disease")]

    @property
    def term_fields(self) -> list[Any]:
        return [self[f"term_{one.key}"] for one in self.asked.terms]

    @property
    def indicator_fields(self) -> list[Any]:
        return [self[f"indicator_{one.key}"] for one in self.asked.indicators]

    def values(self) -> dict[str, Any]:
        """What :func:`audits.services.agreements.enter` asks for."""
        given = self.cleaned_data
        return {
            **{name: given.get(name) for name in ("year", "valid_from", "valid_to", "listed_disease", "limits", "reason")},
            "terms": {one.key: given.get(f"term_{one.key}") for one in self.asked.terms},
            "indicators": {one.key: given.get(f"indicator_{one.key}") for one in self.asked.indicators},
        }


class ChangeForm(forms.Form):
    """A change of an agreement; ``case`` one of the provider's."""

    kind = choice_line("变更事项")
    from_on = day_line("生效日期")
    until = day_line("截止日期", required=False, help_text="只用于中止和补充协议")
    case = choice_line("关联案件", required=False, empty="不关联")
    text = text_area("内容和理由", 4)
    file = forms.FileField(label="文件", required=False)

    def __init__(self, *args: Any, kinds: Sequence[Any], cases: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "请选择"), *kinds]  # type: ignore[attr-defined]
        self.fields["case"].choices = [("", "不关联"), *cases]  # type: ignore[attr-defined]


class PhysicianForm(forms.Form):
    institution = choice_line("机构")
    code = text_line("国家医保代码", 20, help_text="1 位大写字母加 12 位数字")
    name = text_line("姓名", 40)
    kind = choice_line("类别", PhysicianKind.choices)
    department = text_line("科室", 60, required=False)
    valid_from = day_line("登记日期")

    def __init__(self, *args: Any, institutions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].choices = [("", "请选择"), *institutions]  # type: ignore[attr-defined]


class PhysicianListForm(forms.Form):
    file = forms.FileField(label="名单（xlsx）", error_messages={"required": "没有选择文件。", "empty": "文件是空的。"})


class MoveForm(forms.Form):
    to = choice_line("转到")
    on = day_line("登记日期", help_text="自这一天起登记在新的机构")
    department = text_line("科室", 60, required=False)

    def __init__(self, *args: Any, institutions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [("", "请选择"), *institutions]  # type: ignore[attr-defined]


class EndForm(forms.Form):
    on = day_line("注销日期", help_text="登记的最后一天")
    reason = text_line("理由", 300)


class MonthsForm(forms.Form):
    months = whole_line("暂停月数", help_text="1 至 6 个月")
    from_on = day_line("起始日期")
    reason = text_area("理由", 2)


class PointForm(forms.Form):
    """Points of a provider, or of one of its people with a severity of the national bands."""

    physician = choice_line("人员", required=False, empty="对机构记分", help_text="选择人员的，按相关人员记分；不选的，按机构协议记分")
    band = choice_line(
        "人员情节", [(band.key, f"{band.label}（{band.lower}–{band.upper} 分）") for band in BANDS], required=False,
        empty="对机构记分不填",
    )  # fmt: skip
    severity = text_line("机构情形", 40, required=False, help_text="对机构记分时填写，如“分解住院”")
    points = whole_line("记分")
    on = day_line("记分日期", help_text="按自然年度累计，填处理决定的日期")
    clause = text_line("条款", 200, help_text="服务协议或者医保发〔2024〕23号的条款")
    reason = text_area("事由", 3)
    case = choice_line("关联案件", required=False, empty="不关联", help_text="只列出已作出协议处理决定的案件")

    def __init__(self, *args: Any, people: Sequence[Any], cases: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["physician"].choices = [("", "对机构记分"), *people]  # type: ignore[attr-defined]
        self.fields["case"].choices = [("", "不关联"), *cases]  # type: ignore[attr-defined]


class YearlyCheckForm(forms.Form):
    institution = choice_line("机构")
    year = whole_line("年度")
    score = forms.DecimalField(
        label="检查得分", max_digits=7, decimal_places=4, help_text="扣除协议记分折算分之前的得分，0 至 100",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"required": "没有填写检查得分。", "invalid": "检查得分须填数字。", "max_digits": "检查得分太大，请核对。"},
    )  # fmt: skip
    reason = text_area("说明", 3, required=False)

    def __init__(self, *args: Any, institutions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].choices = [("", "请选择"), *institutions]  # type: ignore[attr-defined]


def agreement_initial(year: int, today: date) -> dict[str, Any]:
    """The whole of the year, from today where it has begun."""
    first = date(year, 1, 1)
    return {"year": year, "valid_from": today if year == today.year else first, "valid_to": date(year, 12, 31)}
