"""What a backup must hold of the lake, and the totals of lake and facts that a restore must show again."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Q, Sum

from claims.models import FactSet, LakeFile, MonthlyFact, lake_root
from core.registries import KeptFile


def kept_files() -> Iterator[KeptFile]:
    """Every file of the manifest, replaced ones included: they are what was known when."""
    folder = lake_root().name
    for name, sha256 in LakeFile.objects.order_by("pk").values_list("name", "sha256"):
        yield KeptFile(f"{folder}/{name}", sha256, f"数据湖文件 {name}")


def control_sums() -> dict[str, str]:
    """Rows and pooled-fund yuan of the live lake; settlements, billed and payable yuan of the current facts."""
    lake = LakeFile.objects.live().aggregate(files=Count("pk"), rows=Sum("rows"), pooled=Sum("pooled_fund_paid"))
    facts = MonthlyFact.objects.filter(factset__current=True).aggregate(
        rows=Count("pk"), settlements=Sum("settlements"), billed=Sum("pooled_fund_paid"), payable=Sum("fund_payable")
    )
    versions = FactSet.objects.aggregate(all=Count("pk"), current=Count("pk", filter=Q(current=True)))
    return {
        "数据湖": f"文件 {lake['files']} 个，{lake['rows'] or 0} 行，统筹支出 {lake['pooled'] or 0} 元",
        "月度事实": f"版本 {versions['all']} 个（现行 {versions['current']}），现行 {facts['rows']} 行，"
        f"{facts['settlements'] or 0} 人次，记账 {facts['billed'] or 0} 元，应付 {facts['payable'] or 0} 元",
    }
