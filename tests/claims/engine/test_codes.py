"""Every code of the catalogue: a row that breaks it and nothing else, and a row just on the right side of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims.engine.check import check_file
from claims.engine.codes import BY_CODE, CATALOGUE, Severity
from claims.engine.columns import BY_NAME
from claims.engine.findings import CheckResult
from tests.claims.engine.conftest import KEY, REFERENCE, clinic, codes_by_line, reversal, stay, stored, write_csv

ACROSS_ROWS = {"C02", "C03", "C26", "C27"}  # need other rows: also in test_crossing

WRONG: list[tuple[str, dict[str, str]]] = [
    ("C01", stay(settlement_id="")),
    ("C01", stay(settlement_id="S" * 31)),
    ("C04", stay(person_id="")),
    ("C04", stay(person_id="  ")),
    ("C05", stay(sex="3")),
    ("C06", stay(birth_date="1970-02-30")),
    ("C06", stay(birth_date="2026-09-02")),
    ("C07", stay(fund_type="999")),
    ("C07", stay(fund_type="")),
    ("C08", stay(insured_county="110101", institution_area="990101")),
    ("C08", stay(insured_county="990102")),
    ("C09", stay(institution_code="")),
    ("C10", stay(institution_code="H99010199999")),
    ("C10", stay(institution_code="H99010199999", institution_area="")),
    ("C10", stay(institution_code="H99010199999", institution_area="本县")),
    ("C11", stay(visit_type="99")),
    ("C11", stay(visit_type="")),
    ("C12", stay(admission_date="2026-02-30")),
    ("C12", clinic(discharge_date="昨天")),
    ("C13", stay(admission_date="2026-09-06", bed_days="")),
    ("C14", stay(admission_date="")),
    ("C14", stay(visit_type="52", discharge_date="", bed_days="")),
    ("C15", stay(settled_on="")),
    ("C15", stay(settled_on="2026-13-01")),
    ("C15", stay(settled_on="0026-09-05", birth_date="")),
    ("C16", stay(settled_on="2026-10-01")),
    ("C17", stay(group_code="", group_weight="")),
    ("C17", stay(method="dip", group_code="", group_weight="")),
    ("C18", stay(group_code="ZZ99")),
    ("C19", stay(group_weight="0")),
    ("C19", stay(group_weight="-0.5")),
    ("C19", stay(group_weight="0.81255")),
    ("C19", stay(group_weight="重")),
    ("C20", stay(bed_days="6")),
    ("C20", stay(bed_days="1.5")),
    ("C20", stay(bed_days="-1")),
    ("C21", stay(total_cost="1,000.00")),
    ("C21", stay(eligible_cost="900.001")),
    ("C21", stay(total_cost="")),
    ("C21", stay(pooled_fund_paid="")),
    ("C21", stay(drug_cost="10000000")),
    ("C21", stay(drug_cost="nan")),
    ("C22", stay(drug_cost="300.01")),
    ("C23", stay(eligible_cost="1000.01")),
    ("C24", stay(eligible_cost="599.99")),
    ("C25", stay(outflow_kind="8")),
    ("C25", stay(referral="sideways")),
    ("C25", stay(public_health_emergency="2")),
    ("C28", stay(visit_id="")),
    ("C29", stay(method="按心情")),
    ("C30", stay(cash_paid="195.02", person_total="295.02")),
    ("C30", stay(fund_total="700.02")),
    ("C30", stay(person_total="294.98")),
    ("C31", stay(drug_cost="-0.01")),
    ("C31", stay(cash_paid="-195.00", personal_account_paid="490.00", person_total="295.00")),
]

RIGHT: list[tuple[str, dict[str, str]]] = [
    ("C01", stay(settlement_id="S" * 30)),
    ("C04", stay(person_id="P1")),
    ("C05", stay(sex="9")),
    ("C05", stay(sex="女")),
    ("C05", stay(sex="")),
    ("C06", stay(birth_date="2026-09-01")),
    ("C06", stay(birth_date="")),
    ("C07", stay(fund_type="城乡居民基本医疗保险")),
    ("C07", stay(fund_type="340")),
    ("C08", stay(insured_county=" 990101 ")),
    ("C09", stay(institution_code="", settlement_kind="1", institution_name="某某市医院", institution_area="110101")),
    ("C10", stay(institution_code="H11010100001", institution_area="110101")),
    ("C10", stay(institution_code="某某市医院", institution_area="", outflow_kind="emergency")),
    ("C10", stay(institution_code="某某市医院", settlement_kind="中心报销")),
    ("C11", stay(visit_type="2101")),
    ("C11", clinic(visit_type="门诊慢特病")),
    ("C12", stay(admission_date="20260901")),
    ("C12", stay(admission_date="2026/9/1")),
    ("C12", stay(admission_date="2026年9月1日")),
    ("C13", stay(admission_date="2026-09-05", bed_days="1")),
    ("C14", clinic(admission_date="", discharge_date="")),
    ("C15", stay(settled_on="2026-09-05T23:59:59")),
    ("C16", stay(settled_on="2026-09-30 23:59:59")),
    ("C17", stay(method="bed_day", group_code="", group_weight="")),
    ("C17", clinic(method="drg")),
    ("C18", stay(group_code="BR23", group_weight="")),
    ("C19", stay(group_weight="0.0001")),
    ("C20", stay(bed_days="5")),
    ("C20", stay(bed_days="0")),
    ("C21", stay(eligible_cost=" 900 ")),
    ("C21", stay(hospital_borne="", cash_paid="200.00", person_total="300.00")),
    ("C21", stay(drug_cost="300.0000")),
    ("C22", stay(drug_cost="0", tcm_cost="0")),
    ("C23", stay(eligible_cost="1000.00")),
    ("C24", stay(eligible_cost="600.00")),
    ("C25", stay(outflow_kind="转诊", referral="上转", public_health_emergency="1")),
    ("C28", clinic(visit_id="")),
    ("C29", stay(method="按病种分值")),
    ("C29", stay(method="")),
    ("C30", stay(cash_paid="195.01", person_total="295.01")),
    ("C30", stay(fund_total="", person_total="")),
    ("C31", stay(cash_paid="0", personal_account_paid="295.00")),
]


def _pairs() -> tuple[list[tuple[str, dict[str, str]]], list[tuple[str, dict[str, str]]]]:
    """Rows that need another row in the same file, wrong and right."""
    twin, original, halved, fine = stay(), stay(), stay(), stay()
    wrong = [
        ("", twin), ("C02", {**stay(), "settlement_id": twin["settlement_id"]}),
        ("C26", reversal(original, reversal_of="NOWHERE")), ("C26", reversal(original, reversal_of="")),
        ("", halved), ("C27", reversal(halved, total_cost="-500.00", cash_paid="304.99", person_total="", drug_cost="0",
                                       exam_cost="0", eligible_cost="-400.00")),
    ]  # fmt: skip
    wrong[-1][1].update(pooled_fund_paid="-300.00", cash_paid="5.00", fund_total="-400.00", person_total="-95.00")
    return wrong, [("", fine), ("C26", reversal(fine)), ("C02", stay())]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckResult]:
    """One file of wrong rows, one of right rows, each checked once."""
    folder = tmp_path_factory.mktemp("codes")
    wrong, right = _pairs()
    results = {}
    for name, rows in (("wrong", WRONG + wrong), ("right", RIGHT + right)):
        path = write_csv(folder / f"{name}.csv", [row for _, row in rows])
        results[name] = check_file(path, REFERENCE, [], KEY, folder / name, admit_bad_rows=True)
    return results


WRONG_CASES = [(line, code) for line, (code, _) in enumerate(WRONG + _pairs()[0], start=2)]


@pytest.mark.parametrize(("line", "code"), WRONG_CASES, ids=[f"{code or 'sound'}-line{line}" for line, code in WRONG_CASES])
def test_a_wrong_row_is_found_by_its_code_and_by_no_other(outcome: dict[str, CheckResult], line: int, code: str) -> None:
    assert codes_by_line(outcome["wrong"]).get(line, set()) == ({code} if code else set())


def test_right_rows_raise_nothing(outcome: dict[str, CheckResult]) -> None:
    assert codes_by_line(outcome["right"]) == {}
    assert outcome["right"].rejected == 0
    assert outcome["right"].good == outcome["right"].rows


def test_no_code_is_without_a_wrong_and_a_right_row() -> None:
    wrong, right = _pairs()
    everything = {code.code for code in CATALOGUE}
    assert {code for code, _ in WRONG + wrong if code} | {"C03"} == everything
    assert {code for code, _ in RIGHT + right if code} | {"C03", "C27"} == everything  # those two: test_crossing


def test_a_soft_finding_keeps_its_row(outcome: dict[str, CheckResult]) -> None:
    soft = [entry for entry in outcome["wrong"].findings if entry.code.severity is Severity.SOFT]
    assert [entry.code.code for entry in soft] == ["C24"]
    sound = sum(1 for code, _ in WRONG + _pairs()[0] if code in ("", "C24"))
    assert outcome["wrong"].good == sound


def test_the_catalogue_is_complete_and_every_text_is_there() -> None:
    assert [code.code for code in CATALOGUE] == [f"C{number:02d}" for number in range(1, 32)]
    assert len({code.bit for code in CATALOGUE}) == len(CATALOGUE)
    for code in CATALOGUE:
        assert code.title and code.explanation and code.remedy
        assert set(code.columns) <= set(BY_NAME), code.code


def test_an_issue_names_line_header_value_and_remedy(outcome: dict[str, CheckResult]) -> None:
    line = 2 + next(index for index, (_, row) in enumerate(WRONG) if row["eligible_cost"] == "900.001")
    (issue,) = [
        issue for entry in outcome["wrong"].findings for issue in entry.issues if issue.line == line and issue.code == "C21"
    ]
    assert (issue.column, issue.value) == ("eligible_cost", "900.001")
    assert issue.remedy == BY_CODE["C21"].remedy


def test_only_the_first_rows_of_a_code_are_listed_but_all_are_counted(check) -> None:
    from claims.engine.refusals import Limits

    rows = [stay(sex="x") for _ in range(30)]
    result = check(rows, admit_bad_rows=True, limits=Limits(issues_per_code=10))
    (entry,) = result.findings
    assert (entry.rows, len(entry.issues)) == (30, 10)
    assert [issue.line for issue in entry.issues] == list(range(2, 12))
    assert entry.total_cost == 30 * 1000


def test_without_a_catalogue_or_group_settlement_groups_are_not_asked_for(check) -> None:
    rows = [stay(group_code="", group_weight=""), stay(group_code="ZZ99")]
    assert check(rows, groups=None, settles_by_groups=False).findings == ()


def test_the_longest_prefix_of_a_visit_type_wins(check) -> None:
    rows = [stay(visit_type="2101"), stay(visit_type="210401")]
    result = check(rows, visit_types={"21": "inpatient", "2104": "chronic"})
    assert [row["visit_type"] for row in stored(result)] == ["inpatient", "chronic"]
    assert [row["visit_code"] for row in stored(result)] == ["2101", "210401"]


def test_the_place_of_the_rules_is_sql_an_auditor_can_read() -> None:
    from claims.engine.rules import predicates

    with_sql = set(predicates(REFERENCE))
    assert with_sql | ACROSS_ROWS == {code.code for code in CATALOGUE}


def test_files_are_written_only_for_rows_that_are_kept(outcome: dict[str, CheckResult], tmp_path: Path) -> None:
    for result in outcome.values():
        assert sum(file.rows for file in result.files) == result.good
        assert (result.rejects.rows if result.rejects else 0) == result.rejected
