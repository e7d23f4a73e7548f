"""Attempts to learn what is not one's own: a case before its notice, leads, evidence, the other track, another county."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.test import Client
from rest_framework.routers import DefaultRouter

from audits.api import register
from audits.models import Case, Evidence, FindingLine, Lead, PartyKind, Track
from audits.services import cases, findings, tracks
from audits.states import Act, TrackKind, TrackState
from audits.urls import urlpatterns
from core.accounts import grant_problems
from core.models import Notice, Role, RoleGrant, User
from tests.audits import ground

pytestmark = pytest.mark.django_db
SECRETS = {
    "lead": "群众实名举报住院不出院", "evidence": "第三方检验报告原件", "third_party": "某某司法鉴定所", "line": "内部核对备注",
    "suspend": "等待公安机关反馈线索", "trim": "复核发现计算重复需剔除",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def strangers(world: Any) -> list[User]:
    """Who has nothing to do with a case of Qingxi's township centre that nobody was told of."""
    village = ground.person("village_post", "村卫生室", Role.MEMBER_INSTITUTION, world.village)
    people = ground.crew(world)
    return [world.member, world.hospital, village, world.sister_hospital, people.other_county_auditor, world.nobody]


def secret_case(world: Any) -> Case:
    """Under investigation, with something in every place that must not be seen."""
    lead = ground.lead_in(world, detail=SECRETS["lead"])
    case = ground.investigated(world, lead=lead)
    ground.evidence(world, case, b"third", name=SECRETS["evidence"], third_party=SECRETS["third_party"])
    FindingLine.objects.filter(finding__case=case).update(note=SECRETS["line"])
    people = ground.crew(world)
    cases.suspend(people.reviewer, case, SECRETS["suspend"])
    cases.resume(people.reviewer, ground.again(case), SECRETS["suspend"])
    return ground.again(case)


def addresses(case: Case, lead: Lead) -> list[str]:
    """Every page that names a row, with the ids of this case and the likely ones of its parts."""
    found = []
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        if "<" not in route or route.startswith(("agreements", "leads/from")):
            continue
        first = lead.pk if route.startswith("leads/") else case.pk
        for kind in ("agreement", "penalty"):
            filled = route.replace("<int:pk>", str(first)).replace("<slug:kind>", kind).replace("<slug:act>", "notify")
            found.append("/audits/" + re.sub(r"<\w+:\w+>", "1", filled))
    return sorted(set(found))


def told(response: Any) -> str:
    """What an answer says, workbooks included."""
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content).decode("utf-8", "replace")
    if "spreadsheet" in response.get("Content-Type", ""):
        from openpyxl import load_workbook

        book = load_workbook(io.BytesIO(response.content))
        return "\n".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    return str(response.content.decode("utf-8", "replace"))


def lists() -> list[str]:
    pages = [f"/audits/{route}" for pattern in urlpatterns if "<" not in (route := str(pattern.pattern))]
    return [*pages, "/", "/notices/"]


def prefixes() -> list[str]:
    router = DefaultRouter()
    register(router)
    return [prefix for prefix, _viewset, _name in router.registry]


def test_a_case_before_its_notice_exists_for_no_stranger(world: Any) -> None:
    case, lead = secret_case(world), Lead.objects.get()
    for user in strangers(world):
        client = signed_in(user)
        for address in addresses(case, lead):
            answer = client.get(address)
            text = told(answer) if answer.status_code == 200 else ""
            assert answer.status_code in (403, 404, 405), (user.username, address, answer.status_code)
            assert case.number not in text and not any(secret in text for secret in SECRETS.values()), address
        for address in [*lists(), f"/search/?q={case.number}"]:
            text = told(client.get(address))
            shown = text.replace(f'value="{case.number}"', "").replace(f"“{case.number}”", "")
            assert "重复收费" not in shown or "fine-trial" in address, (user.username, address)
            assert not any(secret in text for secret in SECRETS.values()), (user.username, address)
        for prefix in prefixes():
            answer = client.get(f"/api/v1/{prefix}/")
            text = told(answer)
            assert case.number not in text and lead.number not in text, (user.username, prefix)
            for pk in {
                case.pk,
                lead.pk,
                *Evidence.objects.values_list("pk", flat=True),
                *case.findings.values_list("pk", flat=True),
            }:
                if prefix.startswith(("audit-", "case-")):
                    assert client.get(f"/api/v1/{prefix}/{pk}/").status_code in (403, 404), (user.username, prefix, pk)
    assert not Notice.objects.filter(user__in=strangers(world)).exists()


def crawled(client: Client, start: str, most: int = 120) -> dict[str, str]:
    """Every page of audits that can be reached from one by its links; what each says."""
    waiting, seen = [start, "/audits/cases/", "/audits/cases.xlsx", "/notices/", "/"], dict[str, str]()
    while waiting and len(seen) < most:
        address = waiting.pop(0)
        if address in seen:
            continue
        answer = client.get(address)
        seen[address] = told(answer) if answer.status_code == 200 else ""
        waiting += [link for link in re.findall(r'href="(/audits/[^"#]*)"', seen[address]) if link not in seen]
    return seen


def test_a_party_reads_no_lead_evidence_note_or_second_track_anywhere(world: Any) -> None:
    case, people = secret_case(world), ground.crew(world)
    cases.submit(people.officer, case)
    cases.pass_first(people.reviewer, ground.again(case), list(TrackKind.values), SECRETS["trim"])
    agreement = case.tracks.get(kind=TrackKind.AGREEMENT)
    ground.onward(world, agreement, TrackState.RE_REVIEW)
    line = FindingLine.objects.filter(finding__case=case).first()
    assert line is not None
    findings.drop_lines(people.second, ground.again(case), [line.pk], SECRETS["trim"])
    tracks.pass_re(people.second, ground.fresh(agreement), SECRETS["trim"])
    hidden = [*SECRETS.values(), Lead.objects.get().number, line.settlement_id]
    for user in (world.member, world.hospital):
        client = signed_in(user)
        pages = crawled(client, case.get_absolute_url())
        assert len(pages) > 8
        api = {prefix: told(client.get(f"/api/v1/{prefix}/")) for prefix in prefixes()}
        detail = {
            f"{prefix}/{case.pk}": told(client.get(f"/api/v1/{prefix}/{case.pk}/"))
            for prefix in ("audit-cases", "case-money")
        }
        rows = {"lines": told(client.get(f"/api/v1/audit-findings/{case.findings.get().pk}/lines/"))}
        acts = {"acts": told(client.get(f"/api/v1/audit-cases/{case.pk}/acts/"))}
        said = {"notices": "\n".join(Notice.objects.filter(user=user).values_list("text", flat=True))}
        for where, text in {**pages, **api, **detail, **rows, **acts, **said}.items():
            for secret in hidden:
                assert secret not in text, (user.username, where, secret)
        assert "行政处罚" not in pages[case.get_absolute_url()]
        assert client.get("/api/v1/audit-tracks/").json()["count"] == 1
        assert client.get("/api/v1/audit-tracks/", {"state": TrackState.TO_DECIDE}).status_code == 422
        assert client.get("/api/v1/audit-evidence/").json()["count"] == 0
        penalty = Track.objects.get(kind=TrackKind.PENALTY)
        assert client.get(f"/api/v1/audit-tracks/{penalty.pk}/").status_code == 404


def test_a_second_post_elsewhere_opens_no_case_of_ones_own_hospital(world: Any) -> None:
    case = secret_case(world)
    RoleGrant.objects.create(user=world.member, role=Role.OBSERVER, valid_from="2020-01-01", county=world.yunling)
    client = signed_in(world.member)
    assert client.get(case.get_absolute_url()).status_code == 404
    assert not Case.objects.visible_to(world.member).exists() and not Lead.objects.visible_to(world.member).exists()
    assert client.get("/api/v1/audit-evidence/").json()["count"] == 0


def test_nobody_is_given_an_audit_post_over_the_provider_she_works_for(world: Any) -> None:
    for role in (Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER):
        found = grant_problems(world.member, role, world.qingxi, ground.TODAY, None)
        assert "不相容" in str(found[0])
        assert grant_problems(world.member, role, world.yunling, ground.TODAY, None) == []


def test_a_case_of_a_person_is_never_a_hospitals_to_see(world: Any) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    Case.objects.filter(pk=track.case_id).update(party_kind=PartyKind.PERSON)
    for user in (world.member, world.hospital):
        assert signed_in(user).get(track.case.get_absolute_url()).status_code == 404


def test_an_auditor_of_another_county_acts_on_nothing_here(world: Any) -> None:
    case = secret_case(world)
    client = signed_in(ground.crew(world).other_county_auditor)
    for act in Act.values:
        assert client.post(f"/audits/cases/{case.pk}/do/{act}/", {"reason": ground.REASON}).status_code == 404
        assert client.post(f"/api/v1/audit-cases/{case.pk}/{act.replace('_', '-')}/", {}).status_code in (404, 405)
