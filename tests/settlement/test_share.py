"""试算: every golden case through rules, command, API and page with the same fen; wrong input explained and kept."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from core.errors import Refused
from core.templatetags.fund import yuan
from settlement.trial import share_trial
from tests.rules.golden_cases import share_cases

CASES = share_cases()
SHARE = "/api/v1/share/"


def ids(case):
    return case.id


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_golden_cases_pass_through_the_rules(case):
    result = share_trial(case.scheme, case.package, case.charged, case.reasonable_overrun).result
    assert (result.fund_bears, result.alliance_bears, result.alliance_keeps, result.returned_to_fund) == (
        case.fund_bears, case.alliance_bears, case.alliance_keeps, case.returned_to_fund,
    )  # fmt: skip
    assert result.label == case.label


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_golden_cases_pass_through_the_command(case):
    out = StringIO()
    options = [f"--scheme={case.scheme}", f"--package={case.package}", f"--charged={case.charged}", "--json"]
    if case.reasonable_overrun is not None:
        options.append(f"--reasonable={case.reasonable_overrun}")
    call_command("share", *options, stdout=out)
    answer = json.loads(out.getvalue())
    _same_fen(case, answer)


def test_the_golden_cases_pass_through_the_api(world, client_of):
    client = client_of(world.nobody)
    for case in CASES:
        asked = {"scheme": case.scheme, "package": str(case.package), "charged": str(case.charged)}
        if case.reasonable_overrun is not None:
            asked["reasonable"] = str(case.reasonable_overrun)
        answer = client.post(SHARE, json.dumps(asked), content_type="application/json")
        assert answer.status_code == 200, case.id
        _same_fen(case, answer.json())


def test_the_golden_cases_pass_through_the_page(world, client_of):
    client = client_of(world.member)
    for case in CASES:
        asked = {"scheme": case.scheme, "package": str(case.package), "charged": str(case.charged)}
        if case.reasonable_overrun is not None:
            asked["reasonable"] = str(case.reasonable_overrun)
        page = client.get(reverse("settlement:calculator"), asked)
        assert page.status_code == 200, case.id
        _same_fen(case, page.context["trial"].as_json())
        text = page.content.decode()
        shown = (case.fund_bears, case.alliance_bears) if case.outcome == "overrun" else (
            case.alliance_keeps, case.returned_to_fund
        )  # fmt: skip
        assert all(yuan(amount) in text for amount in shown), case.id


def _same_fen(case, answer):
    assert answer["outcome"] == case.outcome and answer["label"] == case.label
    for name in ("fund_bears", "alliance_bears", "alliance_keeps", "returned_to_fund"):
        assert Decimal(answer[name]) == getattr(case, name), (case.id, name)
    tiers = [(tier["label"], Decimal(tier["amount"]), Decimal(tier["shared"])) for tier in answer["tiers"]]
    filled = [(label, amount, shared) for label, amount, shared in tiers if amount]
    assert filled == [(tier.label, tier.amount, tier.shared) for tier in case.tiers if tier.amount]


def test_the_address_of_a_result_can_be_passed_on(world, client_of):
    address = f"{reverse('settlement:calculator')}?scheme=jiangxi-2022&package=300,000,000.00&charged=324000000"
    for person in (world.officer, world.hospital, world.observer):
        page = client_of(person).get(address)
        assert page.context["trial"].result.fund_bears == Decimal("17400000.00")


def test_wrong_input_is_explained_and_kept(world, client_of):
    page = client_of(world.officer).get(
        reverse("settlement:calculator"), {"scheme": "jiangxi-2022", "package": "三亿", "charged": "-5"}
    )
    assert page.status_code == 422
    assert [problem.field for problem in page.context["problems"]] == ["打包总额 B", "全年发生 S"]
    assert 'value="三亿"' in page.content.decode() and 'value="-5"' in page.content.decode()


def test_a_reasonable_part_above_the_overrun_is_refused_by_every_door(world, client_of):
    asked = {"scheme": "jiangxi-2022", "package": "300000000", "charged": "310000000", "reasonable": "10000000.01"}
    page = client_of(world.officer).get(reverse("settlement:calculator"), asked)
    assert page.status_code == 422 and "不能大于超支额" in page.content.decode()
    answer = client_of(world.officer).post(SHARE, json.dumps(asked), content_type="application/json")
    assert answer.status_code == 422 and "不能大于超支额" in answer.json()["problems"][0]["text"]
    with pytest.raises(CommandError, match="不能大于超支额"):
        call_command(
            "share", "--package=300000000", "--charged=310000000", "--reasonable=10000000.01", stdout=StringIO()
        )


def test_a_score_gives_its_factor_and_one_without_a_grade_names_who_supplies_it():
    trial = share_trial("jiangxi-2022", Decimal("300000000"), Decimal("285000000"), None, Decimal("93"))
    assert trial.factor == 1 and trial.retained_paid == Decimal("12000000.00") and trial.forfeited == 0
    with pytest.raises(Refused, match="医保部门商财政、卫生健康部门"):
        share_trial("jiangxi-2022", Decimal("300000000"), Decimal("285000000"), None, Decimal("84"))


def test_the_missing_digit_is_shown_on_every_overrun(world, client_of):
    page = client_of(world.observer).get(
        reverse("settlement:calculator"), {"scheme": "jiangxi-2022", "package": "300000000", "charged": "309000000"}
    )
    assert "待核实" in page.content.decode()
    out = StringIO()
    call_command("share", "--package=300000000", "--charged=309000000", stdout=out)
    assert "待核实：超支O1 比例 取 80%" in out.getvalue()


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(CommandError, match="jiangxi-2022"):
        call_command("share", "--scheme=nowhere", "--package=1", "--charged=1", stdout=StringIO())
    with pytest.raises(CommandError, match="不是数字"):
        call_command("share", "--package=abc", "--charged=1", stdout=StringIO())
