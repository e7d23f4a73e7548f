"""A worker killed anywhere in an import, then started again: finished once, nothing half, the same result."""

import pytest

from claims import lake
from claims.models import ClaimsImport, FactSet, ImportFinding, LakeFile, MonthlyFact, OpenReject, lake_root
from claims.services import accept_import, accepting, checking
from core import jobs, trail
from core.models import Job
from tests.claims.extracts import claim, imported, in_month, received

ROWS = [*(in_month(n + 100 * m, f"2026-{m:02d}") for m in (8, 9) for n in range(20)), claim(5000, visit_type="99")]


@pytest.fixture(autouse=True)
def _a_lake_of_its_own(settings, tmp_path):
    settings.DATA_DIR = tmp_path


class Killed(BaseException):
    """What ``kill -9`` looks like to a test: nobody catches it, the job row still says that it runs."""


def killed_at(monkeypatch, owner, name, after=0):
    """Die in the call after ``after`` calls of a function; later calls work again."""
    calls = {"left": after}
    whole = getattr(owner, name)

    def dying(*args, **kwargs):
        if calls["left"] == 0:
            calls["left"] = -1
            raise Killed
        calls["left"] -= 1
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, name, dying)


def survive(claims_import):
    """What the next start of the worker does with the job that died."""
    with pytest.raises(Killed):
        jobs.run_now(Job.objects.get(pk=claims_import.job_id))
    assert Job.objects.get(pk=claims_import.job_id).state == "running"
    jobs.requeue_all_running()
    done = jobs.run_now(Job.objects.get(pk=claims_import.job_id))
    claims_import.refresh_from_db()
    return done


def finished_once(claims_import):
    assert claims_import.state == "accepted"
    assert sorted(FactSet.objects.values_list("month", "version", "current")) == [(8, 1, True), (9, 1, True)]
    assert MonthlyFact.objects.count() == sum(FactSet.objects.values_list("rows", flat=True))
    assert sorted(LakeFile.objects.values_list("month", "rows", "live")) == [(8, 20, True), (9, 20, True)]
    assert OpenReject.objects.count() == 1 and ImportFinding.objects.count() == 1
    on_disk = {path.relative_to(lake_root()).as_posix() for path in lake_root().rglob("import-*.parquet")}
    assert {name for name in on_disk if f"{claims_import.pk:08d}" in name} == set(LakeFile.objects.values_list("name", flat=True))
    assert not lake.staging_of(claims_import).exists()
    for file in LakeFile.objects.all():
        assert lake.sha256_of(file.path) == file.sha256


POINTS = {
    "before the check": (checking, "check_file", 0),
    "after the check, before its result is kept": (checking, "_keep", 0),
    "at the trail of the check": (checking, "record", 0),
    "after the check was kept": (accepting, "plan_of", 0),
    "while facts are made": (accepting, "facts_of_files", 1),
    "before the first file is renamed": (lake, "place", 0),
    "between two files": (lake, "place", 1),
    "after the files, before the transaction": (accepting, "_commit", 0),
    "in the transaction, between two fact sets": (accepting, "store_factset", 1),
    "in the transaction, at the trail": (accepting, "record", 0),
    "after the transaction": (lake, "clear_staging", 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_import_is_finished_once_by_the_next_start(world, monkeypatch, point):
    found = received(world, ROWS, "2026-08", "2026-09")
    killed_at(monkeypatch, *POINTS[point])
    done = survive(found)
    assert done.state == "done" and done.outcome == found.outcome
    finished_once(found)


@pytest.mark.parametrize("point", [name for name in POINTS if "check" not in name])
def test_a_killed_acceptance_is_finished_once_by_the_next_start(world, monkeypatch, point):
    bad = [claim(n + 700, visit_type="99") for n in range(6)]
    found = imported(world, [*ROWS[:-1], *bad], "2026-08", "2026-09")
    accept_import(world.officer, found, "先行接收，下月更正")
    found.refresh_from_db()
    owner, name, after = POINTS[point]
    killed_at(monkeypatch, owner, name, 0 if name == "clear_staging" else after)
    survive(found)
    finished_once(found)


def test_half_an_import_is_seen_by_nobody(world, monkeypatch):
    found = received(world, ROWS, "2026-08", "2026-09")
    killed_at(monkeypatch, accepting, "record")
    with pytest.raises(Killed):
        jobs.run_now(Job.objects.get(pk=found.job_id))
    assert not FactSet.objects.exists() and not LakeFile.objects.exists() and not OpenReject.objects.exists()
    assert lake.live_files(world.qingxi) == []
    assert ClaimsImport.objects.get().state == "accepting"


def test_an_error_leaves_the_import_to_be_started_again_from_its_page(world, client_of, monkeypatch):
    found = received(world, ROWS, "2026-08", "2026-09")

    def full(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(lake, "place", full)
        failed = jobs.run_now(Job.objects.get(pk=found.job_id))
    assert failed.state == "failed"
    client = client_of(world.officer)
    page = client.get(f"/claims/imports/{found.pk}/").content.decode()
    assert "从中断处继续" in page
    assert client.post(f"/claims/imports/{found.pk}/retry/").status_code == 302
    found.refresh_from_db()
    jobs.run_now(Job.objects.get(pk=found.job_id))
    found.refresh_from_db()
    finished_once(found)
    assert client.post(f"/claims/imports/{found.pk}/retry/").status_code == 409
    assert not trail.verify_chains()
