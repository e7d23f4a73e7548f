"""What a version computed: the frozen inputs, the result and its trace. Append-only; a refresh adds a row.

``inputs`` holds every term of the one year-end formula with its source, the fact versions and the scheme as frozen;
from it alone and the frozen scheme the same fen must come out again. ``digest`` covers the row and stands in the trail.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import models

from core.fields import MoneyField

MONEY_NAMES = (
    "package", "in_alliance", "outflow", "charged", "treated_for_sisters", "fund_bears", "alliance_bears", "retained",
    "returned", "retained_paid", "forfeited", "reserve", "reserve_forfeited", "payment_forfeited", "prepaid",
    "other_payments", "deductions", "cash",
)  # fmt: skip


class Computation(models.Model):
    """One computation of a settlement version; all amounts in yuan, letters of domain formula in the labels."""

    version = models.ForeignKey("settlement.SettlementVersion", models.PROTECT, related_name="computations")
    number = models.PositiveSmallIntegerField("次序")
    computed_at = models.DateTimeField("计算时间")
    computed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="计算人")
    fingerprint = models.CharField("输入指纹", max_length=64)
    digest = models.CharField("校验值", max_length=64)
    data_to = models.DateField("数据截至", null=True)
    policy_version = models.ForeignKey("core.PolicyVersion", models.PROTECT, related_name="+", verbose_name="方案")
    inputs = models.JSONField("冻结的输入")
    result = models.JSONField("计算结果")
    notices = models.JSONField("待核实提示", default=list)
    open_points = models.JSONField("复核前须补齐", default=list)
    outcome = models.CharField("结果", max_length=10)
    label = models.CharField("落档", max_length=40)
    ratio = models.DecimalField("超支（结余）率", max_digits=12, decimal_places=6)
    package = MoneyField("打包总额 B")
    in_alliance = MoneyField("医共体内基金应付额 S_in")
    outflow = MoneyField("县域外及兄弟医共体 X")
    charged = MoneyField("全年发生 S")
    treated_for_sisters = MoneyField("收治兄弟医共体参保人 T")
    fund_bears = MoneyField("基金分担 F")
    alliance_bears = MoneyField("医共体承担 A")
    retained = MoneyField("考核前留用 R")
    returned = MoneyField("返还统筹基金")
    retained_paid = MoneyField("考核后留用 R·f")
    forfeited = MoneyField("考核扣减留用")
    reserve = MoneyField("考核预留金 K")
    reserve_forfeited = MoneyField("考核扣减预留金 K·(1−f)")
    payment_forfeited = MoneyField("考核扣减年终拨付款")
    prepaid = MoneyField("已预付 P")
    other_payments = MoneyField("本年其他已付 M")
    deductions = MoneyField("其他扣减 D")
    cash = MoneyField("清算现金")

    class Meta:
        verbose_name = "清算计算"
        verbose_name_plural = "清算计算"
        ordering = ["version", "number"]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="settlement_computation_once"),
            models.CheckConstraint(
                condition=models.Q(charged=models.F("in_alliance") + models.F("outflow")), name="charged_is_the_sum"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} 第 {self.number} 次计算"

    @property
    def difference(self) -> Any:
        """S − B in yuan: positive is an overrun."""
        return self.charged - self.package

    def computed_digest(self) -> str:
        """The sha-256 this row must carry: canonical JSON of all it says."""
        content: dict[str, Any] = {
            "version": self.version_id,
            "number": self.number,
            "fingerprint": self.fingerprint,
            "data_to": None if self.data_to is None else str(self.data_to),
            "policy_version": self.policy_version_id,
            "inputs": self.inputs,
            "result": self.result,
            "notices": self.notices,
            "open_points": self.open_points,
            "outcome": self.outcome,
            "label": self.label,
            "ratio": format(self.ratio, ".6f"),
            **{name: str(getattr(self, name)) for name in MONEY_NAMES},
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
