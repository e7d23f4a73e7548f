"""The statement as data: what page, print, Word and xlsx all show, so that their figures cannot differ.

Every line carries the steps behind it (formula, inputs, clause); lines of a block add up to its total with a pocket
calculator. Reads the stored computation only; nothing is computed anew except sums of what is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from core.templatetags.fund import percent, signed, yuan
from rules.money import ZERO, round_fen
from settlement.frozen import MEASURES, YearInputs
from settlement.models import AdjustmentKind, Computation, SettlementVersion

WAN = Decimal(10000)
OUTCOMES = {"overrun": "超支", "surplus": "结余", "balanced": "平"}


@dataclass(frozen=True)
class StatementLine:
    """One printed line. ``sign`` is +, −, = or empty; ``steps`` are trace steps in their stored form."""

    key: str
    sign: str
    label: str
    amount: Decimal
    steps: list[dict[str, Any]] = field(default_factory=list)
    rows_text: str = ""
    rows: str = ""
    rows_url: str = ""

    @property
    def is_total(self) -> bool:
        return self.sign == "="

    @property
    def is_open(self) -> bool:
        """Whether its trace stands open from the start: the sharing, which is what people check first."""
        return self.key in ("fund_bears", "returned")

    @property
    def signed_amount(self) -> Decimal:
        return -self.amount if self.sign == "−" else self.amount


@dataclass(frozen=True)
class Block:
    """Lines under one heading; the last line is the total of the others."""

    title: str
    lines: list[StatementLine]


@dataclass(frozen=True)
class TierRow:
    label: str
    lower: Decimal
    upper: Decimal | None
    amount: Decimal
    rate: Decimal
    shared: Decimal
    rest: Decimal
    clause: str
    unconfirmed: bool


class Statement:
    """A settlement version ready to be shown. ``version`` must come ``with_places``."""

    def __init__(self, version: SettlementVersion) -> None:
        self.version = version
        self.computation: Computation = version.figures
        self.inputs = YearInputs.from_json(self.computation.inputs)
        self.result: Mapping[str, Any] = self.computation.result

    @property
    def outcome_text(self) -> str:
        return OUTCOMES[self.computation.outcome]

    @property
    def is_overrun(self) -> bool:
        return self.computation.outcome == "overrun"

    @property
    def is_surplus(self) -> bool:
        return self.computation.outcome == "surplus"

    @property
    def cash_text(self) -> str:
        return "应付医共体" if self.computation.cash >= 0 else "医共体应退"

    @property
    def ratio_text(self) -> str:
        return signed(percent(self.computation.ratio, 4))

    @property
    def scheme_text(self) -> str:
        return self.computation.policy_version.legal_basis

    @property
    def measure_text(self) -> str:
        return MEASURES[self.inputs.measure]

    @property
    def difference(self) -> Decimal:
        """The overrun or the surplus, never negative."""
        return Decimal(abs(self.computation.difference))

    @cached_property
    def blocks(self) -> list[Block]:
        return [Block("全年发生与打包总额", self._compared()), Block("从打包总额到清算现金", self._to_cash())]

    @cached_property
    def shown_blocks(self) -> list[Block]:
        """The blocks with the address of the rows behind each line, for the page."""
        query = urlencode({"year": self.inputs.year, "fund": self.inputs.fund_type, "q": self.version.alliance.name})
        package = reverse("budgets:package", args=[self.inputs.package_id])
        pages = {
            "facts": reverse("settlement:facts", args=[self.version.pk]),
            "package": f"{package}?version={self.inputs.package_number}",
            "prepaid": f"{reverse('budgets:prepayments')}?{query}",
            "": "",
        }
        return [
            Block(block.title, [replace(line, rows_url=pages[line.rows]) for line in block.lines])
            for block in self.blocks
        ]

    @property
    def lines(self) -> list[StatementLine]:
        return [line for block in self.blocks for line in block.lines]

    def line(self, key: str) -> StatementLine:
        return next(line for line in self.lines if line.key == key)

    @cached_property
    def tiers(self) -> list[TierRow]:
        return [
            TierRow(
                label=tier["label"],
                lower=Decimal(tier["lower"]),
                upper=None if tier["upper"] is None else Decimal(tier["upper"]),
                amount=Decimal(tier["amount"]),
                rate=Decimal(tier["rate"]),
                shared=Decimal(tier["shared"]),
                rest=Decimal(tier["rest"]),
                clause=tier["clause"],
                unconfirmed=tier["status"] != "confirmed",
            )
            for tier in self.result["share"]["tiers"]
        ]

    @property
    def tier_totals(self) -> dict[str, Decimal]:
        return {
            name: sum((getattr(tier, name) for tier in self.tiers), ZERO) for name in ("amount", "shared", "rest")
        }

    @property
    def unreasonable(self) -> Decimal:
        """The part of an overrun nobody accepted: wholly the alliance's, in no tier."""
        return Decimal(self.result["share"]["unreasonable"])

    @property
    def identities(self) -> list[dict[str, Any]]:
        return [
            {**item, "left": Decimal(item["left"]), "right": Decimal(item["right"])}
            for item in self.result["identities"]
        ]

    @property
    def notices(self) -> list[dict[str, str]]:
        return list(self.computation.notices)

    @property
    def remarks(self) -> list[str]:
        """What a reader must know beside the figures."""
        told = []
        if self.inputs.assumes_reasonable:
            told.append("超支的合理部分尚未认定，本试算暂按全部合理；未认定前不能复核。")
        if self.inputs.assumes_factor:
            told.append("考核得分尚未核实，本试算暂按考核系数 1.00；未核实前不能复核。")
        if self.inputs.measure != "fund_payable":
            told.append(f"本年金额口径：{self.measure_text}；打包总额应使用同一口径。")
        if self.unreasonable:
            told.append(f"超支中 {yuan(self.unreasonable)} 元未认定为合理，全部由医共体承担。")
        return told

    @property
    def premises(self) -> list[tuple[str, str]]:
        """Assessment and premises as label and text."""
        factor = Decimal(self.result["factor"])
        score = "未录入" if self.inputs.score is None else f"{self.inputs.score:f}"
        reserve = "0.00（方案未设）" if not self.inputs.reserve else yuan(self.inputs.reserve)
        return [
            ("考核得分 / 系数", f"{score} / {factor}" if self.result["assessment_target"] != "none" else f"{score} / 不作用"),
            ("考核依据", self.inputs.score_source or "—"),
            ("考核前留用 R", yuan(self.computation.retained)),
            ("考核预留 K", reserve),
            ("合理超支依据", self.inputs.reasonable_source or "—"),
            ("比例基数", self._ratio_base()),
            ("金额口径", self.measure_text),
            ("方案", f"{self.computation.policy_version.title}（{self.scheme_text}）"),
            ("打包总额", f"第 {self.inputs.package_number} 版，{self.inputs.package_approved_on or '—'} 审定"),
            ("数据", f"{len(self.inputs.months)} 个月、{self.inputs.settlements:,} 人次，截至 {self.inputs.data_to or '—'}"),
            ("备查：县内医共体外", f"{yuan(self.inputs.in_county_outside)}（不在打包范围）"),
            ("备查：突发公卫除外", yuan(self.inputs.excluded_emergency)),
        ]

    @property
    def waterfall(self) -> dict[str, Any]:
        """Steps of the chart in 万元."""
        steps = []
        for line in self.blocks[1].lines:
            if not line.amount and line.key not in ("package", "cash"):
                continue
            kind = "total" if line.sign in ("", "=") else "plus" if line.signed_amount > 0 else "minus"
            if line.key == "fund_bears":
                kind = "bad"
            steps.append({"name": CHART_NAMES.get(line.key, line.label), "value": _wan(line.signed_amount), "kind": kind})
        return {"steps": steps}

    @property
    def waterfall_text(self) -> str:
        parts = [f"{step['name']} {step['value']} 万元" for step in self.waterfall["steps"]]
        return "，".join(parts)

    def _compared(self) -> list[StatementLine]:
        c, over = self.computation, self.is_overrun
        share = self.result["share"]["trace"]
        last = StatementLine(
            "difference",
            "=",
            "超支 o = S − B" if over else "结余 = B − S" if self.is_surplus else "差额",
            self.difference,
            share[:2],
        )
        inside, outside = self._in_alliance(), self._outflow("+")
        charged = StatementLine("charged", "=", "全年发生 S", c.charged, self.result["trace"][:1])
        return [inside, outside, charged, self._package("−"), last] if over else [
            self._package(""),
            StatementLine("minus_in_alliance", "−", "减：医共体内基金应付额 S_in", c.in_alliance, inside.steps, inside.rows_text, "facts"),
            StatementLine("minus_outflow", "−", "减：县域外及兄弟医共体 X", c.outflow, outside.steps, outside.rows_text, "facts"),
            last,
        ]  # fmt: skip

    def _in_alliance(self) -> StatementLine:
        i = self.inputs
        inputs = [("各月事实合计", i.facts_in_alliance)]
        inputs += [(f"审核拒付 {item.source}", item.amount) for item in i.refused]
        text = "各月事实合计" + (" − 本年审核拒付" if i.refused else "")
        steps = [step(f"医共体内{self.measure_text}", text, inputs, i.in_alliance, self._clause("s_in"))]
        return StatementLine(
            "in_alliance", "", "医共体内基金应付额 S_in", i.in_alliance, steps, self._facts_text(), "facts"
        )

    def _outflow(self, sign: str) -> StatementLine:
        i = self.inputs
        inputs = [("县域外就医", i.out_of_county), ("兄弟医共体就医", i.at_sisters)]
        steps = [step("基金已在别处支付", "县域外就医 + 兄弟医共体就医", inputs, i.outflow, self._clause("s_in"))]
        label = "县域外及兄弟医共体 X" if sign == "+" else "减：县域外及兄弟医共体 X"
        return StatementLine("outflow", sign, label, i.outflow, steps, self._facts_text(), "facts")

    def _package(self, sign: str) -> StatementLine:
        i = self.inputs
        inputs = [("医共体内部分", i.package_in_alliance), ("县域外部分", i.package_out_of_county)]
        steps = [step("打包总额", "医共体内部分 + 县域外部分", inputs, i.package, self.scheme_text)]
        text = f"打包预算第 {i.package_number} 版，{i.package_approved_on or '—'} 审定"
        return StatementLine("package", sign, "打包总额 B（调整后）", i.package, steps, text, "package")

    def _to_cash(self) -> list[StatementLine]:
        c = self.computation
        lines = [self._package("")]
        share = self.result["share"]["trace"]
        if self.is_overrun:
            lines.append(StatementLine("fund_bears", "+", "加：基金分担 F", c.fund_bears, share))
            label, parts = "基金应承担合计 B + F", [("打包总额", c.package), ("基金分担", c.fund_bears)]
        elif self.is_surplus:
            lines.append(StatementLine("returned", "−", "减：返还统筹基金", c.returned, share))
            lines.append(self._assessed("forfeited", "减：考核扣减留用 R ×（1 − f）", c.forfeited))
            label = "基金应承担合计 S + R × f"
            parts = [("打包总额", c.package), ("返还统筹基金", -c.returned), ("考核扣减", -c.forfeited)]
        else:
            label, parts = "基金应承担合计", [("打包总额", c.package)]
        entitled = sum((line.signed_amount for line in lines), ZERO)
        lines.append(
            StatementLine(
                "entitled", "=", label, entitled, [step(label, "由上列各行相加", parts, entitled, self._clause("cash"))]
            )
        )
        lines.append(self._outflow("−"))
        lines.append(
            StatementLine(
                "treated_for_sisters",
                "+",
                "加：收治兄弟医共体参保人 T",
                c.treated_for_sisters,
                [step("收治兄弟医共体参保人", "各月事实合计", [], c.treated_for_sisters, self._clause("treated_for_sisters"))],
                self._facts_text(),
                "facts",
            )
        )
        lines += self._paid_lines()
        lines.append(self._assessed("reserve_forfeited", "减：考核预留未返还 K ×（1 − f）", c.reserve_forfeited))
        if c.payment_forfeited:
            lines.append(self._assessed("payment_forfeited", "减：考核扣减年终拨付款", c.payment_forfeited))
        cash_step = self.result["trace"][-1]
        lines.append(StatementLine("cash", "=", f"清算现金（{self.cash_text}）", c.cash, [cash_step]))
        return lines

    def _paid_lines(self) -> list[StatementLine]:
        c, i = self.computation, self.inputs
        paid = step("已预付", "基金账暂付款借方合计（各月到账预付）", [], c.prepaid, self._clause("prepaid"))
        other = step("本年其他已付", "已到账的月度结算等付款合计", [], c.other_payments, self._clause("other_payments"))
        items = [(f"{_kind(item.kind)} {item.origin_year} {item.source}", item.amount) for item in i.deductions]
        taken = step("其他扣减", "各笔相加" if items else "没有扣减", items, c.deductions, self._clause("deductions"))
        text = "；".join(f"{item.source}：{item.reason}" for item in i.deductions)
        return [
            StatementLine("prepaid", "−", "减：已预付 P", c.prepaid, [paid], "银行回单与暂付款明细", "prepaid"),
            StatementLine("other_payments", "−", "减：本年其他已付 M", c.other_payments, [other]),
            StatementLine("deductions", "−", "减：其他年度扣款及商定扣减 D", c.deductions, [taken], text),
        ]

    def _assessed(self, key: str, label: str, amount: Decimal) -> StatementLine:
        found = [s for s in self.result["trace"] if s["label"].startswith(("考核系数", "考核后", "考核扣减"))]
        target = self.result["assessment_target"]
        acts = {"forfeited": "retained_surplus", "reserve_forfeited": "reserve", "payment_forfeited": "whole_payment"}
        if target != acts[key]:
            reason = "考核系数不作用于此项" if key != "reserve_forfeited" or self.inputs.reserve else "方案未设考核预留"
            found = [step(label, reason, [], ZERO, self._clause("reserve_forfeited"))]
        return StatementLine(key, "−", label, amount, found)

    def _facts_text(self) -> str:
        i = self.inputs
        months = f"{i.months[0]} 至 {i.months[-1]}" if i.months else "—"
        return f"{months} 共 {i.settlements:,} 人次，冻结 {len(i.factsets)} 个月度版本 · 校验 {i.facts_fingerprint[:12]}"

    def _ratio_base(self) -> str:
        base = Decimal(self.result["share"]["ratio_base"])
        return "调整后打包总额" if base == self.computation.package else f"{yuan(base)}（方案另定）"

    def _clause(self, key: str) -> str:
        return next((line["clause"] for line in self.result["lines"] if line["key"] == key), "")


CHART_NAMES = {
    "package": "打包总额 B",
    "fund_bears": "基金分担 +F",
    "returned": "返还统筹",
    "forfeited": "考核扣减",
    "entitled": "应承担",
    "outflow": "县外就医 −X",
    "treated_for_sisters": "收治兄弟 +T",
    "prepaid": "已预付 −P",
    "other_payments": "其他已付 −M",
    "deductions": "其他扣款 −D",
    "reserve_forfeited": "预留未返",
    "payment_forfeited": "考核扣减",
    "cash": "清算现金",
}

COMPARED = (
    ("医共体内 S_in", "in_alliance"),
    ("县外及兄弟 X", "outflow"),
    ("全年发生 S", "charged"),
    ("打包总额 B", "package"),
    ("基金分担 F", "fund_bears"),
    ("医共体承担 A", "alliance_bears"),
    ("考核后留用 R × f", "retained_paid"),
    ("返还统筹基金", "returned"),
    ("收治兄弟 T", "treated_for_sisters"),
    ("已预付 P", "prepaid"),
    ("其他已付 M", "other_payments"),
    ("其他扣减 D", "deductions"),
    ("清算现金", "cash"),
)


def side_by_side(versions: Iterable[SettlementVersion]) -> list[dict[str, Any]]:
    """Rows of the comparison of versions (oldest first); lines that are zero in all of them are left out."""
    computations = [version.computation for version in versions if version.computation is not None]
    rows: list[dict[str, Any]] = [
        {
            "label": "超支（结余）率 / 落档",
            "values": [f"{signed(percent(one.ratio, 4))} {one.label}" for one in computations],
            "difference": "—",
        }
    ]
    for label, name in COMPARED:
        values = [getattr(one, name) for one in computations]
        if any(values) or name == "cash":
            rows.append(
                {
                    "label": label,
                    "values": values,
                    "difference": values[-1] - values[0],
                    "total": name == "cash",
                }
            )
    return rows


def step(
    label: str, expression: str, inputs: Iterable[tuple[str, Decimal]], value: Decimal, clause: str
) -> dict[str, Any]:
    """A trace step in its stored form, for sums that are only printed."""
    return {
        "label": label,
        "expression": expression,
        "inputs": [{"name": name, "value": str(amount)} for name, amount in inputs],
        "value": str(value),
        "clause": clause,
        "unit": "元",
        "status": "confirmed",
    }


def _kind(kind: str) -> str:
    """The name of an adjustment without the letter it enters."""
    return str(AdjustmentKind(kind).label).split("（")[0]


def _wan(amount: Decimal) -> str:
    return str(round_fen(amount / WAN))
