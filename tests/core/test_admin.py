"""后台: administrators configure their own places through the services; refusals show in the form."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib import admin
from django.urls import reverse

from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    Membership,
    Parameter,
    PolicyVersion,
    RoleGrant,
    TownshipRule,
    TrailEvent,
    User,
    WorkdayOverride,
)
from tests.world import START

MODELS = sorted(model._meta.model_name for model in admin.site._registry if model._meta.app_label == "core")


def url(name, *args):
    return reverse(f"admin:core_{name}", args=args)


@pytest.fixture
def office(world, client_of):
    return client_of(world.admin)


def errors(response):
    assert response.status_code == 200, "the form was accepted"
    form = response.context["adminform"].form
    return " ".join(text for texts in form.errors.values() for text in texts)


def test_only_configuration_is_registered():
    assert sorted(
        ["agreedshare", "alliance", "county", "institution", "membership", "parameter", "policyversion", "poolingarea",
         "rolegrant", "townshiprule", "user", "workdayoverride"]
    ) == MODELS  # fmt: skip
    kept_out = {"ledger", "settlement", "budgets", "auth", "axes", "otp_totp"}
    assert not {model._meta.app_label for model in admin.site._registry} & kept_out


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_form_opens_for_an_administrator(office, model):
    assert office.get(url(f"{model}_changelist")).status_code == 200
    assert office.get(url(f"{model}_changelist"), {"q": "青溪"}).status_code == 200
    assert office.get(url(f"{model}_add")).status_code == (403 if model == "poolingarea" else 200)


@pytest.mark.parametrize("person", ["officer", "reviewer", "hospital", "observer", "nobody", "stranger_officer"])
def test_nobody_else_gets_in_even_with_a_staff_flag(world, client_of, person):
    user = getattr(world, person)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    response = client_of(user).get(reverse("admin:index"))
    assert response.status_code == 302
    assert client_of(user).get(response.url).url == "/"


def test_an_administrator_whose_post_has_ended_is_out_at_once(world, client_of):
    RoleGrant.objects.filter(user=world.admin).update(valid_to=date(2020, 12, 31))
    assert client_of(world.admin).get(reverse("admin:index")).status_code == 302


def test_a_signed_out_visitor_comes_to_the_one_login(client, db):
    response = client.get(reverse("admin:index"), follow=True)
    assert response.request["PATH_INFO"] == reverse("core:login")


def test_an_administrator_sees_only_her_own_pooling_area(world, office):
    for model, foreign in (
        ("county", world.foreign_county.name),
        ("alliance", world.foreign_alliance.name),
        ("institution", "邻江县人民医院"),
        ("membership", "邻江县人民医院"),
        ("rolegrant", "外市经办"),
        ("user", "外市经办"),
        ("poolingarea", world.foreign_area.name),
    ):
        page = office.get(url(f"{model}_changelist")).content.decode()
        assert foreign not in page, model
        assert world.foreign_county.name not in page, model
    assert office.get(url("county_change", world.foreign_county.pk)).status_code == 302
    assert office.get(url("county_change", world.qingxi.pk)).status_code == 200


def test_places_of_a_foreign_area_cannot_be_chosen(world, office):
    page = office.get(url("alliance_add")).content.decode()
    assert world.qingxi.name in page
    assert world.foreign_county.name not in page
    response = office.post(
        url("alliance_add"),
        {"county": world.foreign_county.pk, "code": "X1", "name": "外", "valid_from": "2026-01-01", "valid_to": ""},
    )
    assert errors(response)
    assert not Alliance.objects.filter(code="X1").exists()


def test_nothing_can_be_deleted(world, office):
    for model, pk in (
        ("county", world.qingxi.pk),
        ("user", world.officer.pk),
        ("membership", Membership.objects.first().pk),
    ):
        assert office.post(url(f"{model}_delete", pk), {"post": "yes"}).status_code == 403
    page = office.get(url("county_changelist")).content.decode()
    assert "delete_selected" not in page


def test_a_county_is_saved_with_its_trace(world, office):
    response = office.post(
        url("county_add"),
        {
            "pooling_area": world.area.pk,
            "code": "990103",
            "name": "松河县",
            "valid_from": "2026-01-01",
            "valid_to": "",
            "successor": "",
        },
    )
    assert response.status_code == 302
    county = County.objects.get(code="990103")
    event = TrailEvent.objects.latest("pk")
    assert (event.actor, event.subject_id, event.summary) == (world.admin, str(county.pk), "新增县（区）：松河县")


def test_what_a_service_refuses_is_told_beside_the_field_and_keeps_what_was_typed(world, office):
    response = office.post(
        url("county_add"),
        {
            "pooling_area": world.area.pk,
            "code": "99-3",
            "name": "松河县",
            "valid_from": "2026-01-01",
            "valid_to": "",
            "successor": "",
        },
    )
    assert "区划代码“99-3”不合规则" in response.context["adminform"].form.errors["code"][0]
    assert "松河县" in response.content.decode()
    assert not County.objects.filter(name="松河县").exists()


def test_an_institution_can_be_entered_and_join_its_alliance(world, office):
    response = office.post(
        url("institution_add"),
        {
            "county": world.qingxi.pk,
            "code": "H99010100099",
            "name": "云台镇卫生院",
            "kind": "township",
            "grade": 1,
            "ownership": "public",
        },
    )
    assert response.status_code == 302
    centre = Institution.objects.get(code="H99010100099")
    given = {"alliance": world.alliance.pk, "institution": centre.pk, "valid_from": "2026-01-01", "valid_to": ""}
    assert office.post(url("membership_add"), given).status_code == 302
    assert "同一时间已在" in errors(office.post(url("membership_add"), given))


def test_a_second_lead_hospital_is_refused_in_the_form(world, office):
    membership = Membership.objects.get(institution=world.township)
    response = office.post(
        url("membership_change", membership.pk), {"is_lead": "on", "valid_from": "2020-01-01", "valid_to": ""}
    )
    assert "牵头医院已是青溪县人民医院" in errors(response)


def test_shares_of_a_county_are_set_together(world, office):
    given = {"county": world.yunling.pk, "year": 2031, "shares": "YL-E 0.55\nYL-W 0.45"}
    assert office.post(url("agreedshare_add"), given).status_code == 302
    found = AgreedShare.objects.filter(year=2031).order_by("alliance__code")
    assert [row.share for row in found] == [Decimal("0.55"), Decimal("0.45")]
    again = office.post(url("agreedshare_add"), {**given, "shares": "YL-E 0.5\nYL-W 0.5"})
    assert again.status_code == 302
    assert AgreedShare.objects.filter(year=2031).count() == 2


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ("YL-E 0.5\nYL-W 0.4", "合计为 0.9"),
        ("YL-E 1", "没有填写云岭县西部医共体的份额"),
        ("YL-E 0.5\nQX 0.5", "没有编号为“QX”的医共体"),
        ("YL-E half\nYL-W 0.5", "不是“编号 份额”"),
    ],
)
def test_shares_that_do_not_fit_are_refused_in_the_form(world, office, shares, said):
    response = office.post(url("agreedshare_add"), {"county": world.yunling.pk, "year": 2031, "shares": shares})
    assert said in errors(response)
    assert not AgreedShare.objects.filter(year=2031).exists()


def test_a_township_belongs_to_one_alliance_at_a_time(world, office):
    given = {
        "alliance": world.east.pk,
        "township_code": "990102101",
        "township_name": "东溪镇",
        "valid_from": "2026-01-01",
        "valid_to": "",
    }
    assert office.post(url("townshiprule_add"), given).status_code == 302
    assert "同一时间已归云岭县东部医共体" in errors(
        office.post(url("townshiprule_add"), {**given, "alliance": world.west.pk})
    )
    assert TownshipRule.objects.count() == 1


def test_an_account_is_opened_with_a_password_shown_once(world, office):
    response = office.post(
        url("user_add"),
        {"username": "li.na", "full_name": "李娜", "employer": "澜川市医保局", "area": world.area.pk, "county": ""},
        follow=True,
    )
    user = User.objects.get(username="li.na")
    assert user.must_change_password
    told = " ".join(str(message) for message in response.context["messages"])
    password = told.partition("一次性密码：")[2].partition("。")[0]
    assert user.check_password(password)
    assert password not in office.get(url("user_changelist")).content.decode()


def test_a_user_name_in_use_is_refused_in_the_form(world, office):
    response = office.post(
        url("user_add"),
        {"username": "OFFICER", "full_name": "某人", "employer": "", "area": world.area.pk, "county": ""},
    )
    assert "用户名已被使用" in errors(response)


def test_a_post_is_granted_to_another_and_ended_but_not_changed(world, office):
    given = {
        "user": world.nobody.pk, "role": "observer", "pooling_area": world.area.pk, "county": "", "alliance": "",
        "institution": "", "valid_from": "2026-01-01", "valid_to": "",
    }  # fmt: skip
    assert office.post(url("rolegrant_add"), given).status_code == 302
    grant = RoleGrant.objects.get(user=world.nobody)
    assert (grant.granted_by, grant.place) == (world.admin, world.area)
    response = office.post(url("rolegrant_change", grant.pk), {"role": "administrator", "valid_to": "2026-12-31"})
    assert response.status_code == 302
    grant.refresh_from_db()
    assert (grant.role, grant.valid_to) == ("observer", date(2026, 12, 31))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": "admin"}, "不能给自己授予岗位"),
        ({"user": "officer", "role": "fund_reviewer"}, "不相容"),
        ({"role": "hospital_finance"}, "须授予在医共体上"),
        ({"county": "qingxi"}, "只选一个"),
        ({"pooling_area": None}, "只选一个"),
    ],
)
def test_a_grant_that_may_not_be_is_refused_in_the_form(world, office, change, said):
    given = {"user": world.nobody.pk, "role": "observer", "pooling_area": world.area.pk, "valid_from": "2026-01-01"}
    for name, value in change.items():
        given[name] = getattr(world, value).pk if name in ("user", "county") else value
    response = office.post(url("rolegrant_add"), {name: value for name, value in given.items() if value is not None})
    assert said in errors(response)


def test_a_leaver_is_disabled_with_a_reason(world, office):
    change = url("user_change", world.officer.pk)
    given = {"full_name": "林晓岚", "employer": "", "area": world.area.pk, "county": "", "reason": ""}
    assert "没有填写停用原因" in errors(office.post(change, given))
    assert office.post(change, {**given, "reason": "调离"}).status_code == 302
    world.officer.refresh_from_db()
    assert not world.officer.is_active
    assert office.post(change, {**given, "is_active": "on"}).status_code == 302
    world.officer.refresh_from_db()
    assert world.officer.is_active
    assert not world.officer.grants.filter(valid_to=None).exists()


def test_a_new_password_is_given_from_the_list(world, office):
    response = office.post(
        url("user_changelist"), {"action": "give_new_password", "_selected_action": [world.officer.pk]}, follow=True
    )
    told = " ".join(str(message) for message in response.context["messages"])
    world.officer.refresh_from_db()
    assert world.officer.must_change_password
    assert world.officer.check_password(told.partition("一次性密码：")[2].partition("。")[0])


def test_people_of_a_foreign_area_cannot_be_reached_from_the_list(world, office):
    before = world.stranger_officer.password
    office.post(
        url("user_changelist"), {"action": "give_new_password", "_selected_action": [world.stranger_officer.pk]}
    )
    world.stranger_officer.refresh_from_db()
    assert world.stranger_officer.password == before


def test_a_policy_version_is_entered_and_waits_for_its_approval(world, office, client_of):
    given = {"pooling_area": world.area.pk, "shipped": "ningde-2019", "valid_from": "2027-01-01", "valid_to": ""}
    assert office.post(url("policyversion_add"), given).status_code == 302
    version = PolicyVersion.objects.get(scheme_name="ningde-2019")
    assert (version.entered_by, version.approved_by) == (world.admin, None)
    assert office.get(url("policyversion_change", version.pk)).status_code == 200


def test_a_faulty_scheme_document_is_refused_with_its_problems(world, office):
    from django.core.files.uploadedfile import SimpleUploadedFile

    for content, said in ((b"name = 'x'", "方案"), (b"\xff\xfe", "UTF-8"), (b"[[[", "TOML")):
        file = SimpleUploadedFile("scheme.toml", content)
        response = office.post(
            url("policyversion_add"), {"pooling_area": world.area.pk, "file": file, "valid_from": "2027-01-01"}
        )
        assert said in errors(response)
    assert PolicyVersion.objects.count() == 1


def test_a_single_parameter_is_entered_and_checked_by_its_kind(world, office):
    given = {
        "key": "budgets.primary_share_floor", "pooling_area": world.area.pk, "county": "", "value": "1.8",
        "clause": "澜医保〔2026〕1号", "valid_from": "2026-01-01", "valid_to": "",
    }  # fmt: skip
    assert "须在 0 到 1 之间" in errors(office.post(url("parameter_add"), given))
    assert office.post(url("parameter_add"), {**given, "value": "0.18"}).status_code == 302
    assert Parameter.objects.get().status == "unconfirmed"


def test_a_shifted_working_day_is_entered_with_its_notice(world, office):
    given = {"day": "2027-02-14", "is_working": "on", "note": ""}
    assert errors(office.post(url("workdayoverride_add"), given))
    assert office.post(url("workdayoverride_add"), {**given, "note": "国办发明电〔2026〕9号"}).status_code == 302
    assert WorkdayOverride.objects.get().is_working


def test_a_county_administrator_keeps_to_the_county(world, client_of):
    user = User.objects.create_user(username="county.admin", full_name="县管理员", must_change_password=False)
    RoleGrant.objects.create(user=user, role="administrator", county=world.qingxi, valid_from=START)
    client = client_of(user)
    page = client.get(url("institution_changelist")).content.decode()
    assert "青溪县人民医院" in page
    assert "云岭县人民医院" not in page
    given = {
        "county": world.qingxi.pk,
        "code": "H99010100098",
        "name": "县办",
        "kind": "township",
        "grade": 1,
        "ownership": "public",
    }
    assert client.post(url("institution_add"), given).status_code == 302
    assert errors(client.post(url("institution_add"), {**given, "county": world.yunling.pk, "code": "H99010200098"}))
    county = {
        "pooling_area": world.area.pk,
        "code": "990101",
        "name": "青溪市",
        "valid_from": "2020-01-01",
        "valid_to": "",
    }
    assert errors(client.post(url("county_change", world.qingxi.pk), county))
    assert County.objects.get(code="990101").name == "青溪县"
