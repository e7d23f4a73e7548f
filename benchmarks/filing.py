"""The last minute of a deadline: every alliance uploads its quarterly table; receipts, findings, pages, memory.

    export DATABASE_URL=postgres://… REDIS_URL=redis://… DATA_DIR=/tmp/filing HTTPS=0 ALLOWED_HOSTS=127.0.0.1 SECRET_KEY=… PERSON_KEY=…
    python manage.py migrate && python manage.py collectstatic --noinput
    python benchmarks/filing.py                       # 200 alliances within 60 seconds
    python benchmarks/filing.py --alliances 20 --seconds 10

Makes a city of its own beside what the database holds: a county, an alliance of four members, nine months of facts and a
filled workbook each. Web server and worker run as docker-compose.yml starts them. Each workbook carries a number of its own,
so that a mixed-up file, receipt or figure shows. An officer and a hospital read pages all the while.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
FINDINGS_WITHIN, MEMORY_MB, PAGES_MS = 300, 500, 500
READERS = 4
CSRF = "c" * 32


@dataclass
class Sender:
    """One hospital: its assignment, its session, the workbook it sends, and what came back."""

    assignment: int
    session: str
    content: bytes
    number: int
    status: int = 0
    took: float = 0.0
    done_at: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)


def build_city(count: int) -> tuple[Any, list[Sender]]:
    """A new city of ``count`` counties, each with one alliance that owes the last period; (officer's session, senders)."""
    from django.utils import timezone

    from core.models import PoolingArea, Role, RoleGrant, User
    from submissions.models import Assignment, Duty
    from submissions.periods import TablePeriod
    from submissions.services import assign_period, filled_workbook, save_duty

    stamp = f"{int(time.time()) % 1000:03}"
    area = PoolingArea.objects.create(code=f"98{stamp}0", name=f"压测市{stamp}")
    since = date(2019, 1, 1)
    people = {}
    for role in (Role.ADMINISTRATOR, Role.FUND_OFFICER):
        people[role] = User.objects.create(username=f"{role}-{stamp}", full_name=role, must_change_password=False)
        RoleGrant.objects.create(user=people[role], role=role, pooling_area=area, valid_from=since)
    period = TablePeriod.ended_before(timezone.localdate())
    hospitals = {}
    for number in range(count):
        alliance, hospital = _county(area, stamp, number, since, period)
        hospitals[alliance.pk] = hospital
    save_duty(people[Role.ADMINISTRATOR], Duty(pooling_area=area, valid_from=since, days_after=90))
    assign_period(period)
    senders = []
    rows = Assignment.objects.with_places().filter(alliance__in=list(hospitals), period=str(period)).order_by("pk")
    for number, row in enumerate(rows, start=1):
        content = filled_workbook(row, {("RES", "14.1"): Decimal(number)})
        senders.append(Sender(row.pk, session_of(hospitals[row.alliance_id]), content, number))
    return session_of(people[Role.FUND_OFFICER]), senders


def _county(area: Any, stamp: str, number: int, since: date, period: Any) -> tuple[Any, Any]:
    """One county with its alliance, four members, facts of every month, and the finance officer of its lead hospital."""
    from claims.services import record_factset
    from core.models import Alliance, County, Institution, InstitutionKind, Membership, Role, RoleGrant, User

    county = County.objects.create(
        pooling_area=area, code=f"{stamp}{number:03}", name=f"第{number}县", valid_from=since
    )
    code = f"B{stamp}-{number:03}"
    alliance = Alliance.objects.create(county=county, code=code, name=f"第{number}县医共体", valid_from=since)
    members = []
    kinds = (InstitutionKind.GENERAL, InstitutionKind.TOWNSHIP, InstitutionKind.TOWNSHIP, InstitutionKind.VILLAGE)
    for at, kind in enumerate(kinds):
        member = Institution.objects.create(
            county=county, code=f"H{stamp}{number:03}{at:05}", name=f"第{number}县成员{at}", kind=kind, grade=1,
        )  # fmt: skip
        Membership.objects.create(alliance=alliance, institution=member, is_lead=at == 0, valid_from=since)
        members.append(member.code)
    for month in period.covered:
        record_factset(None, county, month, list(_facts(code, county.code, members)), "table")
    hospital = User.objects.create(username=f"h-{code}", full_name=f"财务{number}", must_change_password=False)
    RoleGrant.objects.create(user=hospital, role=Role.HOSPITAL_FINANCE, alliance=alliance, valid_from=since)
    return alliance, hospital


def _facts(alliance: str, county: str, members: list[str]) -> Iterable[Any]:
    from claims.services import FactRow

    for fund, member in itertools.product(("RES", "EMP"), members):
        yield FactRow(
            fund_type=fund, visit_type="inpatient", care_location="own_alliance", institution=member,
            institution_area=county, alliance=alliance, method="drg", settlements=100, payable_settlements=100,
            discharges=100, bed_days=800, total_cost=90_000_000, eligible_cost=80_000_000, pooled_fund_paid=60_000_000,
            fund_payable=60_000_000,
        )  # fmt: skip


def session_of(user: Any) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return str(store.session_key)


def send(sender: Sender, port: int, cookies: tuple[str, str], start: float) -> None:
    """One upload over the API, as the page does it: multipart, session, CSRF."""
    line = b"--filing"
    body = b"\r\n".join(
        [
            line, b'Content-Disposition: form-data; name="file"; filename="table.xlsx"',
            b"Content-Type: application/octet-stream", b"", sender.content, line + b"--", b"",
        ]
    )  # fmt: skip
    session, csrf = cookies
    headers = {
        "Cookie": f"{session}={sender.session}; {csrf}={CSRF}",
        "X-CSRFToken": CSRF,
        "Content-Type": "multipart/form-data; boundary=filing",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.perf_counter()
    connection.request("POST", f"/api/v1/quarterly-assignments/{sender.assignment}/upload/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    sender.took, sender.status, sender.done_at = time.perf_counter() - began, answer.status, time.perf_counter() - start
    sender.answer = json.loads(text) if answer.status == 201 else {"told": text[:300].decode(errors="replace")}
    connection.close()


def send_all(senders: list[Sender], seconds: int, port: int, cookies: tuple[str, str]) -> float:
    """Everybody at a moment of her own within ``seconds``; returns when the last receipt was there."""
    moments = random.Random(2026)
    start = time.perf_counter()

    def wait_and_send(sender: Sender, at: float) -> None:
        time.sleep(max(0.0, at - (time.perf_counter() - start)))
        send(sender, port, cookies, start)

    threads = [threading.Thread(target=wait_and_send, args=(one, moments.uniform(0, seconds))) for one in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


@dataclass
class Watch:
    """What happens beside: pages that people read, and the memory of web and worker processes."""

    port: int
    pages: list[tuple[str, str]]
    roots: list[int]
    seconds: list[float] = field(default_factory=list)
    failures: int = 0
    worst_mb: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self.read, args=(number,)) for number in range(READERS)]
        threads.append(threading.Thread(target=self.weigh))
        for thread in threads:
            thread.start()
        return threads

    def read(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for url, cookie in itertools.cycle(self.pages[number:] + self.pages[:number]):
            if self.over.wait(0.5):
                break
            began = time.perf_counter()
            connection.request("GET", url, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - began)
            self.failures += answer.status != 200
        connection.close()

    def weigh(self) -> None:
        while not self.over.wait(0.5):
            self.worst_mb = max([self.worst_mb, *(resident_mb(pid) for pid in family(self.roots))])


def family(roots: list[int]) -> list[int]:
    """The processes and their children, from /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def resident_mb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)


def wait_for_findings(senders: list[Sender], patience: int) -> float:
    """Seconds until no version of these waits for its check any more; more than ``patience`` when some still do."""
    from submissions.models import Submission

    began = time.perf_counter()
    waiting = Submission.objects.filter(assignment__in=[one.assignment for one in senders], state="received")
    while waiting.exists() and time.perf_counter() - began < patience:
        time.sleep(0.5)
    return time.perf_counter() - began


def wrong_with(senders: list[Sender]) -> list[str]:
    """What was lost or mixed up: receipts, files, figures."""
    from submissions.models import Submission

    found = []
    rows = {row.assignment_id: row for row in Submission.objects.filter(
        assignment__in=[one.assignment for one in senders]
    ).select_related("file")}  # fmt: skip
    for one in senders:
        row = rows.get(one.assignment)
        if one.status != 201 or row is None:
            found.append(f"{one.assignment}: {one.status} {one.answer}")
            continue
        digest = hashlib.sha256(one.content).hexdigest()
        kept = hashlib.sha256(row.file.path.read_bytes()).hexdigest() if row.file else ""
        if not (row.receipt == one.answer["receipt"] and digest == kept == one.answer["sha256"]):
            found.append(f"{one.assignment}: receipt or file of another")
        filed = row.figures.get("funds", {}).get("RES", {}).get("14.1", {}).get("current")
        if row.state != "checked" or filed is None or Decimal(filed) != one.number:
            found.append(f"{one.assignment}: {row.state}, figure {filed} instead of {one.number}")
    return found


def worker() -> subprocess.Popen[bytes]:
    command = [*("-m", "celery", "-A", "config", "worker"), *("-P", "prefork", "-c", "2", "--loglevel", "ERROR")]
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, "LOG_LEVEL": "ERROR"})


def warm_up(port: int, pages: list[tuple[str, str]]) -> None:
    """Every page several times, so that each web process has loaded what it needs; the worker's children come up."""
    for url, cookie in pages * 6:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("GET", url, headers={"Cookie": cookie})
        connection.getresponse().read()
        connection.close()
    time.sleep(3)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--alliances", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--port", type=int, default=8791)
    given = parser.parse_args()

    import django

    django.setup()
    from django.conf import settings
    from django.db import connections
    from pages import serve

    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        raise SystemExit("先运行 manage.py collectstatic --noinput")
    began = time.perf_counter()
    officer, senders = build_city(given.alliances)
    print(f"city of {len(senders)} alliances made in {time.perf_counter() - began:.0f} s")
    connections.close_all()
    cookie = f"{settings.SESSION_COOKIE_NAME}="
    hospital = cookie + senders[0].session
    pages = [
        ("/submissions/", cookie + officer), ("/submissions/", hospital),
        (f"/submissions/{senders[0].assignment}/", hospital), ("/", cookie + officer),
        ("/api/v1/quarterly-assignments/", hospital),
    ]  # fmt: skip
    server, hands = serve("gunicorn", given.port), worker()
    watch = Watch(given.port, pages, [server.pid, hands.pid])
    try:
        warm_up(given.port, pages)
        threads = watch.start()
        print(f"gunicorn 2 × 4, worker 2, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
        cookies = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
        last = send_all(senders, given.seconds, given.port, cookies)
        after = wait_for_findings(senders, FINDINGS_WITHIN)
        watch.over.set()
        for thread in threads:
            thread.join()
    finally:
        watch.over.set()
        for process in (server, hands):
            process.terminate()
        for process in (server, hands):
            process.wait(timeout=60)
    return report(senders, given.seconds, last, after, watch)


def report(senders: list[Sender], seconds: int, last: float, after: float, watch: Watch) -> int:
    took = [one.took for one in senders]
    wrong = wrong_with(senders)
    receipts = sum(one.status == 201 for one in senders)
    p95 = percentile(watch.seconds, 0.95)
    print(f"receipts: {receipts} of {len(senders)}, the last after {last:.1f} s (uploads spread over {seconds} s)")
    print(f"an upload: p50 {percentile(took, 0.5):.0f} ms, p95 {percentile(took, 0.95):.0f} ms")
    print(f"findings: the last {after:.1f} s after the last receipt (≤ {FINDINGS_WITHIN})")
    print(f"pages meanwhile: {len(watch.seconds)} read, p95 {p95:.0f} ms (≤ {PAGES_MS}), {watch.failures} failed")
    print(f"memory: the largest process {watch.worst_mb} MB (≤ {MEMORY_MB})")
    print(f"lost or mixed up: {len(wrong)}")
    for line in wrong[:10]:
        print("  " + line)
    return 1 if wrong or after > FINDINGS_WITHIN or watch.failures else 0


if __name__ == "__main__":
    sys.exit(main())
