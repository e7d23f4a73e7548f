"""The handbook's contents: written pages by slug, and what is generated from code, rules, schemes and the glossary.

Formulas are not written twice: each is the trace of the very function the site computes with, on a worked example.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.conf import settings

from rules import budget
from rules.forecast import development, estimate, replaying, season
from rules.prepayment import plan, terms_of
from rules.projection import PastYear, project_year, seasonal_share
from rules.scheme import Scheme, load_scheme, scheme_names
from rules.settlement import settle_year
from rules.trace import Trace

D = Decimal


@dataclass(frozen=True)
class Topic:
    """A written page: ``template`` is ``portal/help/<slug>.html``; ``url_name`` is the page it explains."""

    slug: str
    title: str
    summary: str
    people: str
    url_name: str = ""

    @property
    def template(self) -> str:
        return f"portal/help/{self.slug}.html"


@dataclass(frozen=True)
class Formula:
    """One formula with its worked example; ``anchor`` names it in the page's address."""

    anchor: str
    title: str
    text: str
    trace: Trace


@dataclass(frozen=True)
class Term:
    chinese: str
    identifier: str
    definition: str
    planned: bool


TOPICS: tuple[Topic, ...] = (
    Topic("home", "工作台与基金总览", "待办、期限、年末预测怎么看", "全部岗位", "portal:home"),
    Topic("import", "导入数据", "医保结算明细、月度事实表、基金月报的导入与更正", "基金经办", "claims:list"),
    Topic(
        "packages", "打包预算", "测算、协商、审定、年中调整、成员分配", "基金经办、基金复核、医共体财务", "budgets:list"
    ),
    Topic(
        "prepayments",
        "月度预付",
        "每月批次、暂缓、拨付文件与银行回单",
        "基金经办、基金复核、基金财务",
        "budgets:prepayments",
    ),
    Topic(
        "settlement",
        "年度清算",
        "清算单的形成、复核、确认、异议与更正",
        "基金经办、基金复核、医共体财务",
        "settlement:list",
    ),
    Topic(
        "submissions",
        "季度报表",
        "模板、上传、检查结果、报送、受理与对账",
        "医共体财务、基金经办、基金复核",
        "submissions:list",
    ),
    Topic(
        "audits",
        "稽核办案",
        "线索、案件、协议处理和行政处罚的状态与办理条件，办案期限，违规行为与罚则，记分",
        "稽核、稽核复核、法制审核、基金财务、医共体财务、成员单位",
        "audits:cases",
    ),
    Topic("calculator", "试算", "任意方案、打包总额与发生额的分担试算", "全部岗位", "settlement:calculator"),
    Topic("ledger", "基金账", "科目、试算平衡、凭证、结账", "基金财务、基金复核", "ledger:list"),
    Topic("jobs", "任务", "长时间任务的进度、中断与重跑", "全部岗位", "core:jobs"),
    Topic("parameters", "待核实参数", "录入正式取值并由另一人核实", "系统管理员、基金复核", "core:parameters"),
    Topic("accounts", "账号与岗位", "开户、授权、不相容岗位、离岗", "系统管理员"),
)
BY_SLUG = {topic.slug: topic for topic in TOPICS}


def formulas(scheme: Scheme | None = None) -> tuple[Formula, ...]:
    """Every formula with its clause, computed on worked examples under ``scheme`` (default: the shipped one)."""
    chosen = scheme or load_scheme()
    return _formulas_of(chosen)


@cache
def _formulas_of(scheme: Scheme) -> tuple[Formula, ...]:
    return tuple(_formulas(scheme))


def _formulas(scheme: Scheme) -> Iterator[Formula]:
    package, inside, outside = D("300000000.00"), D("224000000.00"), D("100000000.00")
    years = [
        budget.YearPayments(2022, D("180000000.00"), D("75000000.00")),
        budget.YearPayments(2023, D("190000000.00"), D("80000000.00")),
        budget.YearPayments(2024, D("198000000.00"), D("84000000.00")),
        budget.YearPayments(2025, D("205000000.00"), D("88000000.00")),
    ]
    sheet = budget.worksheet(year=2026, payments=years, revenue_budget_growth=D("0.04"), volume_allowance=D("0.01"))
    yield Formula(
        "package", "打包总额", "上年结算支付为基数，参照前三年增幅，增幅不超过统筹区收入预算增幅。", sheet.trace
    )
    share = budget.primary_share(D("36000000.00"), D("205000000.00"), floor=D("0.16"))
    yield Formula("primary-share", "基层支出占比", "基层医疗机构支出 ÷ 分母，不低于下限；分母为参数。", share.trace)
    if scheme.prepayment_cap is not None and scheme.prepayment_step is not None:
        planned = plan(D("286543210.37"), year=2026, terms=terms_of(scheme), planned_outflow=D("86543210.37"))
        text = "每月约 5%，全年合计不超过上限；末月取余额，不超一分。"
        yield Formula("prepayment", "月度预付", text, planned.trace)
    if scheme.brackets.overrun is not None:
        over = scheme.share(D("286543210.37"), D("301234567.89"))
        text = "超出打包总额的合理部分分段累计，各段按比例由基金与医共体分担。"
        yield Formula("overrun", "超支分担", text, over.trace)
    if scheme.brackets.surplus is not None:
        under = scheme.share(package, D("258000000.00"))
        text = "低于打包总额的部分分段累计，各段按比例留用，其余返还统筹基金。"
        yield Formula("surplus", "结余留用", text, under.trace)
    if scheme.brackets.overrun is not None and scheme.ratio_base == "adjusted_package":
        settled = settle_year(
            scheme,
            package=package,
            s_in=inside,
            outflow=outside,
            prepaid=D("180000000.00"),
            assumed_factor=D(1),
        )
        text = "现金 = S_in + T + R·f − A − K·(1 − f) − P − M − D；负数为追回。"
        yield Formula("cash", "年终清算现金", text, settled.trace)
    history = [
        PastYear(2024, dict(enumerate([D("22000000.00")] * 9 + [D("24000000.00")] * 3, 1))),
        PastYear(2025, dict(enumerate([D("23500000.00")] * 9 + [D("25000000.00")] * 3, 1))),
    ]
    known = seasonal_share(range(1, 10), history)
    text = "至今发生 ÷ 往年同期占比；不足两年完整数据不给区间。还没有月末保存的趋势预测时用它。仅供预警，不作支付依据。"
    yield Formula("projection", "年末预测（简单估计）", text, project_year(D("228900000.00"), known).trace)


def projection_method() -> dict[str, object]:
    """The constants of the stored projection as its page of the handbook names them (docs/adr/0037)."""
    return {
        "years_back": season.YEARS_BACK,
        "pool_years": season.POOL_YEARS,
        "window": development.WINDOW,
        "enough": development.ENOUGH,
        "level_months": estimate.LEVEL_MONTHS,
        "fade": estimate.FADE,
        "clip": estimate.CLIP,
        "reach": replaying.REACH,
        "enough_errors": replaying.ENOUGH_ERRORS,
    }


def other_schemes(shown: Scheme) -> list[Scheme]:
    """The other shipped schemes, for comparison on the calculator."""
    return [load_scheme(name) for name in scheme_names() if name != shown.name]


def glossary_file() -> Path:
    return Path(settings.BASE_DIR) / "docs" / "glossary.md"


@cache
def glossary() -> tuple[Term, ...]:
    """The terms of ``docs/glossary.md``; those of parts not built yet are marked ``planned``."""
    terms = []
    for line in glossary_file().read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] not in ("Chinese", "") and set(cells[0]) != {"-"}:
            chinese, identifier, definition = cells
            planned = identifier.startswith("(later)")
            terms.append(
                Term(chinese, identifier.removeprefix("(later)").replace("`", "").strip(), definition, planned)
            )
    return tuple(terms)
