"""The map of places: dated membership without overlap, one lead hospital, shares that make one."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core import places
from core.access import NotAllowed
from core.errors import Refused
from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    Membership,
    PoolingArea,
    TownshipRule,
    TrailEvent,
    WorkdayOverride,
)
from tests.world import START

NEW_YEAR = date(2027, 1, 1)
EVE = NEW_YEAR - timedelta(days=1)


def refusal(act, *given):
    with pytest.raises(Refused) as refused:
        act(*given)
    return {problem.field: problem.text for problem in refused.value.problems}


def membership_of(institution):
    return Membership.objects.get(institution=institution)


def test_a_member_moves_to_another_alliance_of_the_county_from_one_day_to_the_next(world):
    clinic = _institution(world.yunling, "H99010200088")
    first = places.save_membership(world.admin, Membership(alliance=world.east, institution=clinic, valid_from=START))
    move = Membership(alliance=world.west, institution=clinic, valid_from=NEW_YEAR)
    assert "同一时间已在云岭县东部医共体" in refusal(places.save_membership, world.admin, move)["valid_from"]
    first.valid_to = EVE
    places.save_membership(world.admin, first)
    assert places.save_membership(world.admin, move).pk
    assert list(Institution.objects.members_of(world.east, NEW_YEAR).filter(pk=clinic.pk)) == []


def test_an_alliance_has_one_lead_hospital_at_a_time(world):
    second = Membership(alliance=world.alliance, institution=world.outsider, is_lead=True, valid_from=NEW_YEAR)
    assert "牵头医院已是青溪县人民医院" in refusal(places.save_membership, world.admin, second)["is_lead"]
    lead = membership_of(world.lead)
    lead.valid_to = EVE
    places.save_membership(world.admin, lead)
    places.save_membership(world.admin, second)
    assert world.alliance.lead_hospital(EVE) == world.lead
    assert world.alliance.lead_hospital(NEW_YEAR) == world.outsider


def test_a_member_comes_from_the_county_of_its_alliance(world):
    stray = Membership(alliance=world.east, institution=world.outsider, valid_from=START)
    assert "机构在青溪县" in refusal(places.save_membership, world.admin, stray)["institution"]


def test_a_membership_stays_within_the_life_of_its_alliance_and_keeps_its_parties(world):
    early = Membership(alliance=world.alliance, institution=world.outsider, valid_from=date(2019, 1, 1))
    assert "存续期" in refusal(places.save_membership, world.admin, early)["valid_from"]
    held = membership_of(world.township)
    held.institution = world.outsider
    assert "不能改换" in refusal(places.save_membership, world.admin, held)["institution"]


def test_periods_never_run_backwards(world):
    held = membership_of(world.township)
    held.valid_to = START - timedelta(days=1)
    assert "早于" in refusal(places.save_membership, world.admin, held)["valid_to"]


def test_an_alliance_ends_only_after_its_members_and_a_county_after_its_alliances(world):
    world.alliance.valid_to = EVE
    assert "还有成员单位" in refusal(places.save_alliance, world.admin, world.alliance)["valid_to"]
    Membership.objects.filter(alliance=world.alliance).update(valid_to=EVE)
    places.save_alliance(world.admin, world.alliance)
    world.yunling.valid_to = EVE
    assert "还有医共体" in refusal(places.save_county, world.admin, world.yunling)["valid_to"]
    world.qingxi.valid_to, world.qingxi.successor = EVE, world.yunling
    places.save_county(world.admin, world.qingxi)


def test_a_merged_county_names_its_day_and_a_successor_of_the_same_area(world):
    world.qingxi.successor = world.foreign_county
    found = refusal(places.save_county, world.admin, world.qingxi)
    assert "本统筹区" in found["successor"]
    assert "须填停用日期" in found["valid_to"]


@pytest.mark.parametrize("code", ["99010", "9901011", "99010a", "", "990102"])
def test_a_county_has_six_digits_of_its_own(world, code):
    county = County(pooling_area=world.area, code=code, name="松河县", valid_from=START)
    assert "code" in refusal(places.save_county, world.admin, county)


@pytest.mark.parametrize("code", ["H9901", "99010100001H", "h99010100009", "H99010100001"])
def test_an_institution_has_a_national_code_of_its_own(world, code):
    given = Institution(county=world.qingxi, code=code, name="新院", kind="general", grade=2)
    assert "code" in refusal(places.save_institution, world.admin, given)


def test_places_do_not_change_what_is_above_them(world):
    world.qingxi.pooling_area = world.foreign_area
    with pytest.raises(NotAllowed):
        places.save_county(world.admin, world.qingxi)
    world.alliance.county = world.yunling
    assert "另一县（区）" in refusal(places.save_alliance, world.admin, world.alliance)["county"]
    world.lead.county = world.yunling
    assert "不能改县（区）" in refusal(places.save_institution, world.admin, world.lead)["county"]


@pytest.mark.parametrize("person", ["officer", "reviewer", "finance", "hospital", "stranger_officer"])
def test_only_administrators_change_places(world, person):
    actor = getattr(world, person)
    acts = [
        (places.save_county, world.qingxi),
        (places.save_alliance, world.alliance),
        (places.save_institution, world.lead),
        (places.save_membership, membership_of(world.lead)),
        (places.save_pooling_area, world.area),
        (places.save_workday, WorkdayOverride(day=NEW_YEAR, is_working=False, note="x")),
    ]
    for act, given in acts:
        with pytest.raises(NotAllowed):
            act(actor, given)
    with pytest.raises(NotAllowed):
        places.set_agreed_shares(actor, world.yunling, 2031, {world.east: Decimal(1)})


def test_an_administrator_of_another_city_changes_nothing_here(world):
    from core.models import Role, RoleGrant, User

    RoleGrant.objects.create(
        user=world.nobody, role=Role.ADMINISTRATOR, pooling_area=world.foreign_area, valid_from=START
    )
    with pytest.raises(NotAllowed):
        places.save_county(User.objects.get(pk=world.nobody.pk), world.qingxi)


def test_a_change_notes_old_and_new_and_no_change_notes_nothing(world):
    before = TrailEvent.objects.count()
    places.save_institution(world.admin, world.lead)
    assert TrailEvent.objects.count() == before
    world.lead.name = "青溪县第一人民医院"
    places.save_institution(world.admin, world.lead)
    noted = TrailEvent.objects.latest("pk")
    assert noted.data == {"before": {"name": "青溪县人民医院"}, "after": {"name": "青溪县第一人民医院"}}


def test_a_township_belongs_to_one_alliance_a_day(world):
    rule = TownshipRule(alliance=world.east, township_code="990102101", township_name="东溪镇", valid_from=START)
    places.save_township_rule(world.admin, rule)
    second = TownshipRule(alliance=world.west, township_code="990102101", township_name="东溪镇", valid_from=NEW_YEAR)
    assert "已归云岭县东部医共体" in refusal(places.save_township_rule, world.admin, second)["valid_from"]
    rule.valid_to = EVE
    places.save_township_rule(world.admin, rule)
    assert places.save_township_rule(world.admin, second).pk
    second.township_code = "990102102"
    assert "不能改换乡镇" in refusal(places.save_township_rule, world.admin, second)["township_code"]
    wrong = TownshipRule(alliance=world.east, township_code="东溪", township_name="东溪镇", valid_from=START)
    assert "乡镇代码" in refusal(places.save_township_rule, world.admin, wrong)["township_code"]


def test_agreed_shares_make_exactly_one(world):
    set_shares = lambda *shares: places.set_agreed_shares(  # noqa: E731
        world.admin, world.yunling, 2031, dict(zip((world.east, world.west), map(Decimal, shares), strict=True))
    )
    assert [row.share for row in set_shares("0.612345", "0.387655")] == [Decimal("0.612345"), Decimal("0.387655")]
    for wrong in (("0.6", "0.400001"), ("0.6", "0.3")):
        assert "须等于 1" in refusal(set_shares, *wrong)[""]
    for wrong in (("1.2", "-0.2"), ("1", "0"), ("0.6123456", "0.3876544")):
        assert any("最多六位小数" in text for text in refusal(set_shares, *wrong).values())
    assert sum(AgreedShare.objects.filter(year=2031).values_list("share", flat=True)) == 1


def test_agreed_shares_name_every_alliance_of_the_year_and_no_other(world):
    one = {world.east: Decimal(1)}
    assert "没有填写云岭县西部医共体" in str(refusal(places.set_agreed_shares, world.admin, world.yunling, 2031, one))
    Membership.objects.filter(alliance=world.west).update(valid_to=date(2030, 12, 31))
    Alliance.objects.filter(pk=world.west.pk).update(valid_to=date(2030, 12, 31))
    assert places.set_agreed_shares(world.admin, world.yunling, 2031, one)
    foreign = {world.east: Decimal("0.5"), world.alliance: Decimal("0.5")}
    assert "不属于云岭县" in str(refusal(places.set_agreed_shares, world.admin, world.yunling, 2031, foreign))


def test_a_shifted_day_needs_its_notice_and_is_entered_once(world):
    day = WorkdayOverride(day=NEW_YEAR, is_working=False, note=" ")
    assert "没有填写依据" in refusal(places.save_workday, world.admin, day)["note"]
    day.note = "国办发明电〔2026〕9号"
    places.save_workday(world.admin, day)
    again = WorkdayOverride(day=NEW_YEAR, is_working=True, note="x")
    assert "day" in refusal(places.save_workday, world.admin, again)


def test_a_pooling_area_keeps_its_code_and_may_change_its_name(world):
    world.area.name, world.area.code = "澜川市（新）", "999999"
    places.save_pooling_area(world.admin, world.area)
    held = PoolingArea.objects.get(pk=world.area.pk)
    assert (held.name, held.code) == ("澜川市（新）", "990100")
    world.area.name = " "
    assert "没有填写名称" in refusal(places.save_pooling_area, world.admin, world.area)["name"]


def _institution(county, code):
    return Institution.objects.create(county=county, code=code, name=f"机构{code}", kind="township", grade=1)
