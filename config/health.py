"""``/healthz``: this process answers. ``/readyz``: the installation can do its work, each part named.

Apps add their own checks (ledger and trail triggers, …) through ``core.registries.readiness_checks``.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from core.registries import readiness_checks

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Part:
    """One thing the installation needs; ``text`` is Chinese and says what to do when it is missing."""

    name: str
    ready: bool
    text: str = ""


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Part("database", True)


def _migrations() -> Part:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    text = f"有 {missing} 个数据库升级尚未执行：请运行 manage.py migrate。" if missing else ""
    return Part("migrations", not missing, text)


def _broker() -> Part:
    if settings.REDIS_URL:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    else:
        with tempfile.NamedTemporaryFile(dir=settings.BROKER_DIR):
            pass
    return Part("broker", True)


def _disk() -> Part:
    free = shutil.disk_usage(settings.DATA_DIR).free
    enough = free >= settings.MIN_FREE_BYTES
    return Part("disk", enough, "" if enough else f"磁盘只剩 {free // 1024**2} MB：请清理或扩容。")


CHECKS: dict[str, Callable[[], Part]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "disk": _disk,
}


def _registered(name: str, check: Callable[[], str]) -> Part:
    problem = check()
    return Part(name, not problem, problem)


def _try(name: str, check: Callable[[], Part]) -> Part:
    try:
        return check()
    except Exception as error:  # a health page reports every failure, it never raises one
        return Part(name, False, f"检查失败（{type(error).__name__}）。")


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part is ready, else 503; the body names each part."""
    parts = [_try(name, check) for name, check in CHECKS.items()]
    parts += [_try(name, partial(_registered, name, check)) for name, check in readiness_checks]
    ready = all(part.ready for part in parts)
    if not ready:
        _log.warning("not_ready", parts={part.name: part.text for part in parts if not part.ready})
    return JsonResponse(
        {"ready": ready, "parts": [{"name": p.name, "ready": p.ready, "text": p.text} for p in parts]},
        status=200 if ready else 503,
        json_dumps_params={"ensure_ascii": False},
    )
