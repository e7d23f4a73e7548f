"""Pages of the demo city under 8 concurrent users: p50 and p95 of each, queries, ratio to a page that does nothing.

    DATA_DIR=/tmp/city/var python manage.py migrate && DATA_DIR=/tmp/city/var python manage.py demo --wait
    DATA_DIR=/tmp/city/var python benchmarks/pages.py                        # waitress, as ``up`` serves
    DATA_DIR=/tmp/city/var python benchmarks/pages.py --server gunicorn      # as docker-compose.yml serves
    … --users 8 --requests 160 --only settlement
    … --think 1 --requests 80      # people look at a page for about a second before the next one
    … --overviews                  # the overviews alone: any installation with figures, e.g. what ``month_end.py --keep`` left

Without ``--think`` the users press again the moment a page is there: that measures how many pages a second the machine can
make at most. With it they are people, and the figures say what a person waits.

Uses the installation the environment describes (DATA_DIR, DATABASE_URL); it must hold data. The users are clients in a
process of their own on the same cores, so their work is inside the figures. The floor is ``/healthz`` in the same run:
the web server, the middleware, no database.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TARGET = 150  # ms, p95 with 8 concurrent users
FLOOR = "/healthz"


@dataclass(frozen=True)
class Page:
    """What is asked, by whom the session belongs to, and how many queries it takes."""

    label: str
    url: str
    queries: int


@dataclass(frozen=True)
class Measured:
    p50: float
    p95: float
    per_second: float
    failures: int


def overviews(user: Any) -> dict[str, str]:
    """The pages that look over all counties, alliances and months."""
    from django.urls import reverse

    from core.models import Alliance

    alliance = Alliance.objects.visible_to(user).select_related("county__pooling_area").order_by("pk").first()
    if alliance is None:
        raise SystemExit("这里没有医共体。")
    area = alliance.county.pooling_area
    return {
        "工作台": reverse("portal:home"),
        "基金总览 市": reverse("portal:city", args=[area.code]),
        "基金总览 县": reverse("portal:county", args=[alliance.county.code]),
        "基金总览 医共体": reverse("portal:alliance", args=[alliance.code]),
        "运行监测": reverse("monitoring:overview"),
        "运行监测 市": reverse("monitoring:place", args=[f"P{area.pk}"]),
        "运行监测 医共体": reverse("monitoring:place", args=[f"A{alliance.pk}"]),
        "指标": reverse("monitoring:indicator", args=["inpatient_average"]),
        "排行": reverse("monitoring:league"),
        "热力图": reverse("monitoring:heat"),
        "风险预警": reverse("monitoring:warnings"),
        "趋势预测": reverse("monitoring:projections"),
    }


def counted(user: Any, wanted: dict[str, str]) -> list[Page]:
    """The pages that answer, with the queries each takes once it is warm."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    found = []
    for label, url in wanted.items():
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(url)
        if answer.status_code == 200:
            found.append(Page(label, url, len(queries)))
        else:
            print(f"left out: {label} {url} answers {answer.status_code}")
    return found


def pages_of_the_city(user: Any) -> dict[str, str]:
    """The pages people live in, for a fund officer of the city, at their largest objects."""
    from django.urls import reverse

    from budgets.models import Package, PrepaymentBatch
    from claims.models import ClaimsImport
    from core.models import Alliance
    from ledger.accounts import Account
    from ledger.models import Book, Entry
    from settlement.models import SettlementVersion

    alliance = Alliance.objects.visible_to(user).select_related("county__pooling_area").order_by("pk").first()
    version = SettlementVersion.objects.filter(state="paid").order_by("-pk").first()
    book = Book.objects.order_by("pk").first()
    if alliance is None or version is None or book is None:
        raise SystemExit("这里没有演示城市：先运行 manage.py demo --wait（DATA_DIR / DATABASE_URL 指向它）。")
    claims_import = ClaimsImport.objects.order_by("-rows_total").first()
    wanted = {
        "工作台": reverse("portal:home"),
        "基金总览 市": reverse("portal:city", args=[alliance.county.pooling_area.code]),
        "基金总览 县": reverse("portal:county", args=[alliance.county.code]),
        "基金总览 医共体": reverse("portal:alliance", args=[alliance.code]),
        "数据接入": reverse("claims:list"),
        "数据接入 覆盖": reverse("claims:coverage"),
        "打包预算": reverse("budgets:list"),
        "打包预算 一份": reverse("budgets:package", args=[Package.objects.order_by("pk").first().pk]),
        "月度预付": reverse("budgets:prepayments"),
        "月度预付 一批": reverse("budgets:batch", args=[PrepaymentBatch.objects.order_by("-pk").first().pk]),
        "年度清算": reverse("settlement:list"),
        "清算单": reverse("settlement:statement", args=[version.pk]),
        "试算": reverse("settlement:calculator"),
        "基金账 试算平衡": reverse("ledger:list"),
        "基金账 科目": reverse("ledger:account", args=[book.pk, Account.TEMPORARY_PAYMENTS]),
        "基金账 凭证": reverse("ledger:entry", args=[Entry.objects.order_by("-pk").first().pk]),
        "任务": reverse("core:jobs"),
        "待核实参数": reverse("core:parameters"),
        "帮助": reverse("portal:help"),
        "API 清算": "/api/v1/settlements/",
    }
    if claims_import is not None:
        wanted["数据接入 一次导入"] = reverse("claims:import", args=[claims_import.pk])
    return wanted


def sessions(users: int) -> tuple[Any, list[str]]:
    """An officer of the whole city and as many signed-in sessions of hers as there are users."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from core.models import Role, User

    officer = User.objects.filter(
        grants__role=Role.FUND_OFFICER, grants__pooling_area__isnull=False, is_active=True
    ).first()
    if officer is None:
        raise SystemExit("这里没有市级经办账号：先运行 manage.py demo --wait。")
    keys = []
    for _ in range(users):
        store = SessionStore()
        store[SESSION_KEY], store[HASH_SESSION_KEY] = str(officer.pk), officer.get_session_auth_hash()
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store.create()
        keys.append(str(store.session_key))
    return officer, keys


def serve(kind: str, port: int) -> subprocess.Popen[bytes]:
    """The web server as ``manage.py up`` (waitress) or ``docker-compose.yml`` (gunicorn) starts it."""
    command = {
        "waitress": ["-m", "waitress", f"--listen=127.0.0.1:{port}", "--threads=8", "config.wsgi:application"],
        "gunicorn": [
            *("-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
            *("--workers", "2", "--threads", "4", "--no-control-socket", "--log-level", "warning"),
        ],
    }[kind]
    server = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, "LOG_LEVEL": "ERROR"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise SystemExit("the server did not start")


def measure(url: str, port: int, keys: Sequence[str], requests: int, think: float = 0.0) -> Measured:
    """``requests`` requests by one keep-alive connection per session, released together; ``think`` seconds between them."""
    barrier, lock = threading.Barrier(len(keys) + 1), threading.Lock()
    seconds: list[float] = []
    failures = 0

    def use(key: str) -> None:
        nonlocal failures
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": f"sessionid={key}", "Accept-Encoding": "gzip"}
        mine, failed = [], 0
        barrier.wait()
        for number in range(requests // len(keys)):
            if think:
                time.sleep(think * (0.5 + (number * 7 + keys.index(key) * 3) % 10 / 10))
            began = time.perf_counter()
            connection.request("GET", url, headers=headers)
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - began)
            failed += answer.status != 200
        connection.close()
        with lock:
            seconds.extend(mine)
            failures += failed

    people = [threading.Thread(target=use, args=(key,)) for key in keys]
    for person in people:
        person.start()
    barrier.wait()
    began = time.perf_counter()
    for person in people:
        person.join()
    took = time.perf_counter() - began
    seconds.sort()
    p95 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    return Measured(seconds[len(seconds) // 2] * 1000, p95 * 1000, len(seconds) / took, failures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--server", choices=("waitress", "gunicorn"), default="waitress")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--requests", type=int, default=160, help="per page")
    parser.add_argument("--think", type=float, default=0.0, help="mean seconds a person looks at a page")
    parser.add_argument("--only", default="", help="pages whose address contains this")
    parser.add_argument("--overviews", action="store_true", help="the overviews alone")
    parser.add_argument("--port", type=int, default=8790)
    given = parser.parse_args()

    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    officer, keys = sessions(given.users)
    wanted = overviews(officer) if given.overviews else pages_of_the_city(officer)
    pages = [page for page in counted(officer, wanted) if given.only in page.url]
    connections.close_all()
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        raise SystemExit("先运行 manage.py collectstatic --noinput")
    server = serve(given.server, given.port)
    try:
        measure(FLOOR, given.port, keys, given.users * 10)
        floor = measure(FLOOR, given.port, keys, given.requests * 4)
        pause = f"{given.think:g} s between pages"
        print(
            f"{given.server}, {given.users} users, {pause}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"
        )
        print(f"{'page':<24}{'queries':>8}{'p50 ms':>9}{'p95 ms':>9}{'per s':>8}{'× floor':>9}")
        print(f"{FLOOR:<24}{0:>8}{floor.p50:>9.1f}{floor.p95:>9.1f}{floor.per_second:>8.0f}{1:>9.1f}")
        slow = failed = 0
        for page in pages:
            measure(page.url, given.port, keys, given.users * 2)
            found = measure(page.url, given.port, keys, given.requests, given.think)
            slow += found.p95 > TARGET
            failed += found.failures
            mark = " !" if found.p95 > TARGET else ""
            print(
                f"{page.label:<24}{page.queries:>8}{found.p50:>9.1f}{found.p95:>9.1f}{found.per_second:>8.0f}"
                f"{found.p50 / floor.p50:>9.1f}{mark}"
            )
        print(f"{len(pages) - slow} of {len(pages)} pages within p95 ≤ {TARGET} ms; {failed} failed requests")
    finally:
        server.terminate()
        server.wait(timeout=20)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
