"""Notices by e-mail: chosen by each person, each sent exactly once, none lost, nothing in them but words and a link."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from core import jobs, mailing
from core.errors import Conflict, Refused
from core.jobs import enqueue, run_now
from core.models import Job, MailDelivery, MessagePreference, Notice, NoticeKind, TrailEvent
from core.notices import kind_of, notify, notify_role

FRIDAY = "2026-06-05 10:00:00+08:00"
WARNING = "/monitoring/warnings/7/"


@pytest.fixture(autouse=True)
def _server(settings, monkeypatch):
    settings.EMAIL_HOST, settings.SITE_URL = "smtp.test", "https://fund.example.cn/"
    settings.DEFAULT_FROM_EMAIL = "fund@example.cn"
    monkeypatch.setattr(jobs, "_wake", lambda job_id: None)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(FRIDAY, tick=False) as travelled:
        yield travelled


@pytest.fixture
def addressed(world):
    for user in (world.officer, world.hospital):
        user.email = f"{user.username}@example.cn"
        user.save()
    return world


def tick():
    """What the clock does: look, and run the job it asks for."""
    mailing.look_for_mail()
    job = Job.objects.unfinished().filter(name=mailing.JOB).first()
    return run_now(job) if job is not None else None


def states():
    return sorted(MailDelivery.objects.values_list("state", flat=True))


# --- who gets what ---------------------------------------------------------------------------------------------------


def test_a_warning_goes_out_at_once_with_its_words_and_link_only(addressed):
    notify([addressed.hospital, addressed.reviewer], "青溪县住院次均费用红色预警，请答复。", WARNING)
    assert "已发送 1 封" in tick().outcome
    (sent,) = mail.outbox
    assert sent.to == ["hospital@example.cn"]
    assert "青溪县住院次均费用红色预警" in sent.subject
    assert "https://fund.example.cn/monitoring/warnings/7/" in sent.body
    assert sent.from_email == "fund@example.cn"
    assert tick() is None and len(mail.outbox) == 1


def test_nothing_is_planned_where_no_mail_server_is_named(addressed, settings):
    settings.EMAIL_HOST = ""
    notify([addressed.hospital], "预警", WARNING)
    assert not MailDelivery.objects.exists() and tick() is None
    assert Notice.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [(WARNING, "warning"), ("/submissions/3/", "report"), ("/budgets/5/", "task"), ("/monitoring/runs/2026-05/", "task"),
     ("/elsewhere/", "other"), ("", "other")],
)  # fmt: skip
def test_the_kind_of_a_notice_is_known_by_its_link(url, kind):
    assert kind_of(url) == kind


def test_the_caller_may_name_the_kind_itself(addressed):
    notify_role(["fund_officer"], addressed.area, "月报已出具", "/monitoring/warnings/1/", kind=NoticeKind.REPORT)
    assert set(Notice.objects.values_list("kind", flat=True)) == {"report"}


def test_the_digest_waits_for_eight_on_the_next_working_day(addressed, clock):
    notify([addressed.hospital], "季度报表待报送", "/submissions/3/")
    notify([addressed.hospital], "季度报表即将到期", "/submissions/4/")
    assert tick() is None
    for moment in ("2026-06-06 09:00:00+08:00", "2026-06-08 07:59:00+08:00"):  # a Saturday; Monday before eight
        clock.move_to(moment)
        assert tick() is None
    clock.move_to("2026-06-08 08:00:00+08:00")
    tick()
    (sent,) = mail.outbox
    assert "通知汇总：2 条" in sent.subject
    assert "季度报表待报送" in sent.body and "季度报表即将到期" in sent.body
    clock.move_to("2026-06-09 08:05:00+08:00")
    assert tick() is None and states() == ["sent", "sent"]


def test_what_comes_after_eight_waits_for_the_next_morning(addressed, clock):
    clock.move_to("2026-06-08 08:30:00+08:00")
    notify([addressed.hospital], "季度报表待报送", "/submissions/3/")
    assert tick() is None
    clock.move_to("2026-06-09 08:00:00+08:00")
    tick()
    assert len(mail.outbox) == 1


def test_a_digest_never_holds_the_notices_of_another_person(addressed, clock):
    notify([addressed.hospital], "青溪县的事项", "/submissions/3/")
    notify([addressed.officer], "全市的事项", "/submissions/4/")
    clock.move_to("2026-06-08 08:00:00+08:00")
    tick()
    bodies = {sent.to[0]: sent.body for sent in mail.outbox}
    assert "全市的事项" not in bodies["hospital@example.cn"]
    assert "青溪县的事项" not in bodies["officer@example.cn"]


def test_a_leaver_and_one_without_address_are_not_mailed(addressed):
    notify([addressed.hospital, addressed.officer], "预警", WARNING)
    type(addressed.hospital).objects.filter(pk=addressed.hospital.pk).update(is_active=False)
    type(addressed.officer).objects.filter(pk=addressed.officer.pk).update(email="")
    tick()
    assert mail.outbox == [] and states() == ["dropped", "dropped"]


# --- exactly once ----------------------------------------------------------------------------------------------------


class Server(EmailBackend):
    """Delivers, refuses or dies as the test says, by address."""

    behaviour: dict = {}

    def send_messages(self, messages):
        for message in messages:
            before, after = self.behaviour.get(message.to[0], (None, None))
            if before is not None:
                raise before
            super().send_messages([message])
            if after is not None:
                raise after
        return len(messages)


@pytest.fixture
def server(settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.Server"
    monkeypatch.setattr(Server, "behaviour", {})
    return Server.behaviour


def test_a_refused_mail_waits_longer_each_time_and_goes_out_in_the_end(addressed, server, clock):
    server["hospital@example.cn"] = (SMTPRecipientsRefused({}), None)
    notify([addressed.hospital, addressed.officer], "预警", WARNING)
    tick()
    assert [sent.to for sent in mail.outbox] == [["officer@example.cn"]]
    held = MailDelivery.objects.get(user=addressed.hospital)
    assert (held.state, held.attempts) == ("waiting", 1)
    assert held.next_try_at == timezone.now() + timedelta(minutes=5)
    assert "SMTPRecipientsRefused" in held.error
    assert tick() is None
    clock.shift(timedelta(minutes=5))
    tick()
    held.refresh_from_db()
    assert held.next_try_at == timezone.now() + timedelta(minutes=10)
    server.clear()
    clock.shift(timedelta(minutes=10))
    tick()
    assert [sent.to[0] for sent in mail.outbox] == ["officer@example.cn", "hospital@example.cn"]
    assert states() == ["sent", "sent"]


def test_a_server_that_cannot_be_reached_loses_nothing(addressed, clock, monkeypatch):
    def closed(self):
        raise ConnectionRefusedError("111")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "open", closed)
        notify([addressed.hospital, addressed.officer], "预警", WARNING)
        assert "2 封未发出" in tick().outcome
    assert states() == ["waiting", "waiting"] and mail.outbox == []
    clock.shift(timedelta(minutes=5))
    tick()
    assert len(mail.outbox) == 2


def test_after_the_last_try_the_person_sees_it_and_may_ask_again(addressed, server, clock):
    server["hospital@example.cn"] = (OSError("no route"), None)
    notify([addressed.hospital], "预警", WARNING)
    for _ in range(mailing.MAX_ATTEMPTS):
        tick()
        clock.shift(mailing.LONGEST_PAUSE)
    held = MailDelivery.objects.get()
    assert (held.state, held.attempts, held.next_try_at) == ("failed", mailing.MAX_ATTEMPTS, None)
    assert tick() is None
    server.clear()
    mailing.repeat(addressed.hospital, held)
    tick()
    assert len(mail.outbox) == 1
    with pytest.raises(Conflict, match="不用再发"):
        mailing.repeat(addressed.hospital, held)


def test_a_worker_killed_before_the_claim_is_followed_by_one_that_sends(addressed, monkeypatch):
    notify([addressed.hospital], "预警", WARNING)
    with monkeypatch.context() as patch:
        patch.setattr(mailing, "_send_one", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            tick()
    jobs.requeue_all_running()
    tick()
    assert len(mail.outbox) == 1 and states() == ["sent"]


def test_a_worker_killed_after_the_handing_over_is_not_followed_by_a_second_mail(addressed, server):
    server["hospital@example.cn"] = (None, KeyboardInterrupt())
    notify([addressed.hospital], "预警", WARNING)
    with pytest.raises(KeyboardInterrupt):
        tick()
    assert len(mail.outbox) == 1 and states() == ["sending"]
    server.clear()
    jobs.requeue_all_running()
    assert "结果不明" in tick().outcome
    assert tick() is None
    assert len(mail.outbox) == 1 and states() == ["unsure"]


def test_a_killed_digest_is_not_sent_in_part_again(addressed, server, clock):
    for number in range(3):
        notify([addressed.hospital], f"报表 {number}", "/submissions/3/")
    clock.move_to("2026-06-08 08:00:00+08:00")
    server["hospital@example.cn"] = (None, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        tick()
    server.clear()
    jobs.requeue_all_running()
    tick()
    assert len(mail.outbox) == 1 and states() == ["unsure"] * 3


def test_what_another_worker_claimed_is_left_to_it(addressed):
    notify([addressed.hospital], "预警", WARNING)
    row = MailDelivery.objects.select_related("user", "notice").get()
    MailDelivery.objects.update(state="sending", mail="other")
    assert mailing._send_one(None, [row], timezone.now()) is False
    assert mail.outbox == []


def test_a_line_break_in_a_notice_cannot_forge_a_header(addressed):
    notify([addressed.hospital], "预警\r\nBcc: everybody@example.cn", WARNING)
    tick()
    (sent,) = mail.outbox
    assert "\n" not in sent.subject and sent.recipients() == ["hospital@example.cn"]


def test_every_mail_has_a_number_of_its_own(addressed):
    notify([addressed.hospital, addressed.officer], "预警", WARNING)
    tick()
    numbers = {sent.extra_headers["Message-ID"] for sent in mail.outbox}
    assert len(numbers) == 2


def test_the_job_without_a_server_says_so(addressed, settings):
    settings.EMAIL_HOST = ""
    assert "没有设置邮件服务器" in run_now(enqueue(mailing.JOB)).outcome


# --- each person's choice --------------------------------------------------------------------------------------------


def test_the_choice_moves_what_is_still_waiting(addressed):
    notify([addressed.hospital], "报表", "/submissions/3/")
    notify([addressed.hospital], "任务", "/budgets/3/")
    mailing.choose(addressed.hospital, "new@example.cn", {"report": "at_once", "task": "none"})
    tick()
    assert [sent.to for sent in mail.outbox] == [["new@example.cn"]]
    assert states() == ["dropped", "sent"]
    notify([addressed.hospital], "任务", "/budgets/3/")
    assert MailDelivery.objects.count() == 2
    assert "new@example.cn" not in str(TrailEvent.objects.get(action=mailing.CHOOSE).data)


def test_a_wrong_address_and_a_wrong_choice_are_told_together(addressed):
    with pytest.raises(Refused) as refusal:
        mailing.choose(addressed.hospital, "nonsense@", {"report": "hourly"})
    assert [problem.field for problem in refusal.value.problems] == ["email", "report"]
    assert not MessagePreference.objects.exists()


def test_the_page_keeps_what_was_typed_and_says_when_there_is_no_mail(addressed, client_of, settings):
    client = client_of(addressed.hospital)
    form = {"email": "wrong@", "warning": "daily", "report": "none", "task": "none", "other": "none"}
    answer = client.post("/notices/email/", form)
    assert answer.status_code == 422
    assert "wrong@" in answer.content.decode() and "邮箱地址不对" in answer.content.decode()
    assert client.post("/notices/email/", {**form, "email": "right@example.cn"}).status_code == 302
    assert mailing.mode_of(addressed.hospital) == {"warning": "daily", "report": "none", "task": "none", "other": "none"}
    assert "没有设置邮件服务器" not in client.get("/notices/email/").content.decode()
    settings.EMAIL_HOST = ""
    assert "没有设置邮件服务器" in client.get("/notices/email/").content.decode()


def test_nobody_repeats_the_mail_of_another(addressed, client_of):
    notify([addressed.hospital], "预警", WARNING)
    MailDelivery.objects.update(state="unsure")
    held = MailDelivery.objects.get()
    assert client_of(addressed.officer).post(f"/notices/email/{held.pk}/repeat/").status_code == 404
    client = client_of(addressed.hospital)
    assert client.get(f"/notices/email/{held.pk}/repeat/").status_code == 405
    assert "再次发送" in client.get("/notices/email/").content.decode()
    client.post(f"/notices/email/{held.pk}/repeat/")
    assert states() == ["waiting"]


def test_telling_many_people_costs_no_query_each(addressed, django_assert_num_queries):
    people = [addressed.hospital, addressed.officer]
    with django_assert_num_queries(3):
        notify(people, "预警", WARNING)
