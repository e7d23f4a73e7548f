"""The check of a whole file: read, rule, pseudonymise, report everything wrong, write good and rejected rows aside.

Nothing here touches the application's database or the lake: the result names files in ``workdir`` which the caller
moves into the lake and its manifest when it accepts the import, or throws away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from claims.engine import crossing, lake
from claims.engine.codes import BY_CODE, REJECTING
from claims.engine.columns import Matched, match_headers
from claims.engine.findings import CheckResult, MonthTouched, MutualAidFinding, collect_findings, missing_columns_text
from claims.engine.pseudonyms import load_persons
from claims.engine.reading import Source, broken_rows, open_source, quoted_path
from claims.engine.reference import MutualAid, Reference
from claims.engine.refusals import Limits, Reason, Refusal, RefusedFileError
from claims.engine.rules import load_reference, staging_sql
from rules.money import from_fen

Progress = Callable[[int, int, str], None]


def check_file(
    path: Path,
    reference: Reference,
    held_files: Sequence[Path],
    key: bytes,
    workdir: Path,
    progress: Progress | None = None,
    *,
    admit_bad_rows: bool = False,
    limits: Limits | None = None,
) -> CheckResult:
    """Check one extract against the rules of claims-extract and write its rows aside.

    ``held_files``: the county's files in the lake that stay (not those this import supersedes). ``key``: the secret of
    the pseudonyms, at least 16 bytes. ``workdir``: an empty directory of this import; on return it holds only the
    files the result names. ``progress(done, of, text)``. ``admit_bad_rows``: take the file in spite of more than 5 %
    bad rows (an officer's decision). Amounts in yuan. A refusal of the whole file is in the result, not raised.
    """
    limits = limits or Limits()
    workdir.mkdir(parents=True, exist_ok=True)
    scratch = workdir / "scratch"
    scratch.mkdir()
    tell = progress or (lambda done, total, text: None)
    try:
        return _Check(path, reference, held_files, key, workdir, scratch, tell, limits, admit_bad_rows).run()
    except RefusedFileError as refused:
        return CheckResult(refusal=refused.refusal)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Check:
    """One run over one file; holds the connection and what was learnt so far."""

    def __init__(
        self,
        path: Path,
        reference: Reference,
        held: Sequence[Path],
        key: bytes,
        workdir: Path,
        scratch: Path,
        progress: Progress,
        limits: Limits,
        admit: bool,
    ) -> None:
        self.path, self.reference, self.held, self.key = path, reference, held, key
        self.workdir, self.scratch, self.progress, self.limits, self.admit = workdir, scratch, progress, limits, admit

    def run(self) -> CheckResult:
        import duckdb

        self.progress(1, 100, "识别编码与格式")
        source = open_source(self.path, self.scratch, self.limits)
        matched = match_headers(source.headers)
        if not matched.usable:
            text, found = missing_columns_text(matched)
            raise RefusedFileError(Reason.WRONG_COLUMNS, text, "请按导出模板补齐列名后重新导出。", found)
        connection = duckdb.connect()
        try:
            connection.execute(
                f"SET memory_limit = '{self.limits.memory}'; SET threads = {self.limits.threads};"
                f" SET temp_directory = {quoted_path(self.scratch / 'spill')}"
            )
            return self._checked(connection, source, matched)
        finally:
            connection.close()

    def _checked(self, connection: Any, source: Source, matched: Matched) -> CheckResult:
        self.progress(5, 100, "读取并逐行校验")
        self._stage(connection, source, matched)
        rows = connection.execute("SELECT count(*) FROM stage").fetchall()[0][0]
        self._refuse_foreign(connection, rows)
        self.progress(60, 100, "查重、比对已入库数据、核对冲销")
        finding = self._settle_balance(connection)
        reading = finding.used
        load_persons(connection, self.key)
        crossing.mark_repeats(connection)
        crossing.mark_held(connection, self.held, reading)
        crossing.mark_reversals(connection, self.held, reading)
        crossing.fetch_raw(connection, matched, source)
        self.progress(70, 100, "汇总差错")
        totals = self._totals(connection)
        lake.gather_faulty(connection, source.first_line)
        findings = collect_findings(connection, matched, self.limits.issues_per_code)
        rejects = lake.write_rejects(connection, matched, self.workdir)
        refusal = self._too_many_bad(totals["rejected"], rows)
        files: list[lake.LakeFile] = []
        months = self._months(connection)
        if refusal is None:
            self.progress(75, 100, "写入合格数据")
            files = lake.write_good(connection, reading, source.first_line, self.workdir, months)
        lake.sync_folder(self.workdir)
        self.progress(100, 100, "校验完成")
        touched = tuple(
            MonthTouched(f.county, f.month, f.rows, f.late, f.total_cost, f.pooled_fund_paid) for f in files
        )
        return CheckResult(
            refusal=refusal,
            kind=source.kind,
            encoding=source.encoding,
            unused_headers=matched.unused,
            rows=rows,
            findings=findings,
            months=touched,
            files=tuple(files),
            rejects=rejects,
            mutual_aid=finding,
            notes=(*source.notes, finding.text),
            **totals,
        )

    def _stage(self, connection: Any, source: Source, matched: Matched) -> None:
        import duckdb

        load_reference(connection, self.reference)
        try:
            connection.execute(f"CREATE TABLE stage AS {staging_sql(matched, source, self.reference)}")
        except duckdb.InvalidInputException:
            places = broken_rows(connection, source)
            shown = "；".join(f"第 {line} 行{what}" for line, what in places)
            raise RefusedFileError(
                Reason.BROKEN_ROWS,
                f"有行无法按 {len(source.headers)} 列拆开：{shown}。",
                "含分隔符、引号或换行的文字须加英文双引号；请重新导出。",
                tuple(f"{line}" for line, _ in places),
            ) from None
        rows = connection.execute("SELECT count(*) FROM stage").fetchall()[0][0]
        if not rows:
            raise RefusedFileError(Reason.EMPTY, "文件只有表头，没有数据行。", "请检查导出条件后重新导出。")
        if rows > self.limits.rows:
            raise RefusedFileError(
                Reason.TOO_LARGE, f"文件有 {rows} 行，超过限额 {self.limits.rows} 行。", "请按月份分开导出。"
            )

    def _refuse_foreign(self, connection: Any, rows: int) -> None:
        """Most rows of another county or time: the wrong file was chosen, not many wrong rows."""
        reference = self.reference
        if reference.declared_county:
            counts = connection.execute(
                "SELECT coalesce(insured_county, '（空）'), count(*) FROM stage GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
            own = dict(counts).get(reference.declared_county, 0)
            if own * 2 < rows:
                found = tuple(f"{county}：{count} 行" for county, count in counts[:10])
                raise RefusedFileError(
                    Reason.WRONG_COUNTY,
                    f"申报的县是 {reference.declared_county}，文件 {rows} 行中只有 {own} 行属于该县。",
                    "请核对所选的县或文件。",
                    found,
                )
        inside = f"settled_on BETWEEN DATE '{reference.period_from}' AND DATE '{reference.period_to}'"
        dated, own = connection.execute(f"SELECT count(settled_on), count(*) FILTER ({inside}) FROM stage").fetchall()[
            0
        ]
        if own * 2 < dated:
            months = connection.execute(
                "SELECT strftime(settled_on, '%Y-%m'), count(*) FROM stage WHERE settled_on IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
            raise RefusedFileError(
                Reason.WRONG_PERIOD,
                f"申报期间是 {reference.period_from} 至 {reference.period_to}，有结算时间的 {dated} 行中只有 {own} 行在期间内。",
                "请核对所选的期间或文件。",
                tuple(f"{month}：{count} 行" for month, count in months[:12]),
            )

    def _settle_balance(self, connection: Any) -> MutualAidFinding:
        """C30 under the reading of the pooling area, or under the one that balances more rows."""
        inside, beside, both = connection.execute(
            "SELECT count(*) FILTER (unbalanced_inside), count(*) FILTER (unbalanced_beside),"
            " count(*) FILTER (unbalanced_inside AND unbalanced_beside) FROM stage"
        ).fetchall()[0]
        used = self.reference.mutual_aid
        chosen = used is None
        if used is None:
            used = MutualAid.BESIDE if beside < inside else MutualAid.INSIDE
            connection.execute(f"UPDATE stage SET mask = mask | {BY_CODE['C30'].bit} WHERE unbalanced_{used.value}")
        unbalanced = inside if used is MutualAid.INSIDE else beside
        return MutualAidFinding(used, chosen, unbalanced, unbalanced - both)

    def _totals(self, connection: Any) -> dict[str, Any]:
        bad = f"mask & {REJECTING} <> 0 AND NOT skip"
        row = connection.execute(
            f"""SELECT count(*) FILTER ({lake.KEPT}), count(*) FILTER ({bad}), count(*) FILTER (skip),
            count(*) FILTER (late AND {lake.KEPT}), count(*) FILTER ({bad} AND total_cost IS NULL),
            sum(total_cost), sum(total_cost) FILTER ({lake.KEPT}), sum(total_cost) FILTER ({bad}),
            sum(pooled_fund_paid) FILTER ({bad}) FROM stage"""
        ).fetchall()[0]
        counts = dict(
            zip(("good", "rejected", "identical", "late", "rejected_unknown"), map(int, row[:5]), strict=True)
        )
        names = ("total_cost", "good_cost", "rejected_cost", "rejected_pooled")
        return counts | {name: from_fen(int(fen or 0)) for name, fen in zip(names, row[5:], strict=True)}

    def _too_many_bad(self, rejected: int, rows: int) -> Refusal | None:
        if self.admit or rejected <= rows * self.limits.bad_share:
            return None
        share = f"{rejected / rows:.1%}"
        return Refusal(
            Reason.TOO_MANY_BAD_ROWS,
            f"{rows} 行中有 {rejected} 行差错（{share}），超过 {self.limits.bad_share:.0%}。",
            "请按差错报告更正后重新导出；确需先行导入的，由经办人写明理由后接收。",
        )

    def _months(self, connection: Any) -> list[tuple[str, Any, int]]:
        rows = connection.execute(
            f"""SELECT insured_county, CAST(date_trunc('month', settled_on) AS DATE), count(*)
            FROM stage WHERE {lake.KEPT} GROUP BY 1, 2 ORDER BY 1, 2"""
        ).fetchall()
        return [(str(county), first_day, int(count)) for county, first_day, count in rows]
