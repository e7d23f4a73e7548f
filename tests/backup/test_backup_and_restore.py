"""A backup taken back into an empty installation is the same installation; anything else is refused in words."""

import gzip
import json
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from claims.models import LakeFile
from core import trail
from core.backup import snapshot
from core.backup.making import make_backup
from core.backup.restoring import differing_sums
from core.errors import Refused
from core.models import Notice, StoredFile, User
from tests.backup.elsewhere import an_empty_installation
from tests.claims.extracts import accepted, in_month
from tests.settlement import ground
from tests.world import build_world


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def world(transactional_db, data_dir):
    return build_world()


@pytest.fixture
def filled(world, tmp_path):
    """A settled year with prepayments, evidence files, an imported extract in the lake, and noted trail heads."""
    ground.final(world, ground.surplus_ready(world, months=2))
    accepted(world, [in_month(number, f"2026-0{8 + number % 2}") for number in range(1, 41)], "2026-08", "2026-09")
    trail.append_heads_to_file()
    return world


@pytest.fixture
def elsewhere(tmp_path):
    with an_empty_installation(tmp_path) as found:
        yield found


@pytest.fixture
def small(world, tmp_path):
    """A backup of the bare world with one stored file."""
    StoredFile.objects.create(kind="test", name="批复.pdf", sha256=_store(b"%PDF"), size=4)
    make_backup(tmp_path / "backup")
    return tmp_path / "backup"


def _store(content):
    from hashlib import sha256

    found = StoredFile(sha256=sha256(content).hexdigest())
    found.path.parent.mkdir(parents=True)
    found.path.write_bytes(content)
    return found.sha256


def test_a_restored_installation_has_the_same_sums_passes_verification_and_goes_on_numbering(
    filled, tmp_path, elsewhere
):
    made = make_backup(tmp_path / "backup")
    restored = elsewhere.manage("restore", tmp_path / "backup")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "合计与备份时一致" in restored.stdout
    assert "全部通过" in restored.stdout
    code = "from core.models import User; print(User.objects.create(username='later').pk)"
    added = elsewhere.manage("shell", "--no-imports", "-c", code)
    assert int(added.stdout.split()[-1]) > User.objects.order_by("-pk").first().pk, added.stderr
    again = elsewhere.manage("backup", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    there = json.loads((tmp_path / "again/manifest.json").read_text(encoding="utf-8"))
    assert there["sums"] == made.manifest.sums
    assert {"轨迹", "基金账", "数据接入", "年度清算"} <= set(there["sums"])
    assert _kept(there["files"]) == _kept([vars(entry) for entry in made.manifest.files])
    assert LakeFile.objects.count() == sum(name.startswith("lake/") for name in _kept(there["files"])) > 0


def _kept(files):
    return {entry["name"]: entry["sha256"] for entry in files if entry["name"].startswith(("files/", "lake/"))}


def test_a_running_site_may_write_while_the_backup_is_taken(world, tmp_path):
    user = world.officer

    def write():
        Notice.objects.create(user=user, text="备份期间", url="/")
        connection.close()

    with snapshot.snapshot():
        before = Notice.objects.count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=30)
        columns = snapshot.dump(tmp_path)
        assert Notice.objects.count() == before
    assert Notice.objects.count() == before + 1
    assert _dumped_rows(tmp_path, "core_notice", columns) == before


def _dumped_rows(folder, table, columns):
    if connection.vendor == "sqlite":
        with sqlite3.connect(folder / snapshot.SQLITE_FILE) as dumped:
            return dumped.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert table in columns
    with gzip.open(folder / snapshot.table_file(table), "rt", encoding="utf-8") as rows:
        return sum(1 for _row in rows)


def test_nothing_is_overwritten_and_a_failure_leaves_nothing_behind(small, tmp_path, monkeypatch):
    before = sorted(small.rglob("*"))
    with pytest.raises(Refused, match="已存在"):
        make_backup(small)
    assert sorted(small.rglob("*")) == before
    monkeypatch.setattr(trail, "head_lines", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_backup(tmp_path / "backups/today")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_lost_file_is_named_and_the_rest_is_kept(small, tmp_path):
    StoredFile.objects.get().path.unlink()
    with pytest.raises(CommandError, match="批复.pdf.*文件缺失"):
        call_command("backup", str(tmp_path / "second"))
    assert (tmp_path / "second/manifest.json").exists()


def _flip(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _database(folder: Path):
    return max((folder / "database").iterdir(), key=lambda path: path.stat().st_size)


def _point_outside(folder: Path):
    (folder.parent / "outside").write_bytes(b"%PDF")
    _rewrite(folder, lambda manifest: manifest["files"][-1].update(name="../outside"))


def _rewrite(folder: Path, change):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


DAMAGES = {
    "a flipped bit in the database": (lambda folder: _flip(_database(folder)), "与清单的校验值不符"),
    "a changed stored file": (lambda folder: _flip(next((folder / "files").rglob("?" * 64))), "与清单的校验值不符"),
    "a removed stored file": (lambda folder: next((folder / "files").rglob("?" * 64)).unlink(), "缺少文件"),
    "a cut head file": (lambda folder: (folder / "trail-heads.jsonl").write_text(""), "与清单的校验值不符"),
    "a file slipped in": (lambda folder: (folder / "files/extra").write_text("x"), "不在清单中"),
    "a broken manifest": (lambda folder: (folder / "manifest.json").write_text("{"), "已损坏"),
    "a manifest that points outside": (lambda folder: _point_outside(folder), "越出备份目录"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "不是备份目录"),
}


def test_a_damaged_or_tampered_backup_is_refused_and_says_where(small, tmp_path):
    for number, (damage, (change, told)) in enumerate(DAMAGES.items()):
        copy = tmp_path / f"damaged-{number}"
        shutil.copytree(small, copy)
        change(copy)
        with pytest.raises(CommandError) as refused:
            call_command("restore", str(copy))
        assert told in str(refused.value), damage


def test_an_installation_with_data_is_never_restored_over(small, data_dir):
    with pytest.raises(CommandError, match="数据目录 .* 不是空的"):
        call_command("restore", str(small))
    for path in (data_dir / "files").rglob("?" * 64):
        path.unlink()
    for path in sorted((data_dir / "files").rglob("*"), reverse=True):
        path.rmdir()
    with pytest.raises(CommandError, match="数据库.*不是空的"):
        call_command("restore", str(small))
    assert User.objects.count() > 0


def test_a_backup_under_another_key_or_of_a_newer_program_is_refused(small, elsewhere):
    refused = elsewhere.manage("restore", small, PERSON_KEY="another-" + "q" * 40)
    assert refused.returncode == 1
    assert "PERSON_KEY 与备份的不同" in refused.stderr
    _rewrite(small, lambda manifest: manifest["migrations"].append(["core", "9999_not_yet_written"]))
    refused = elsewhere.manage("restore", small)
    assert refused.returncode == 1
    assert "由更新的程序版本制作（core.9999_not_yet_written）" in refused.stderr
    assert not (elsewhere.data_dir / "files").exists()


def test_a_key_kept_in_the_data_directory_comes_back_with_the_backup(world, data_dir, settings, tmp_path, elsewhere):
    settings.PERSON_KEY = "kept-beside-the-data-0123456789"
    (data_dir / "person.key").write_text(settings.PERSON_KEY, encoding="ascii")
    make_backup(tmp_path / "backup")
    restored = elsewhere.manage("restore", tmp_path / "backup", PERSON_KEY="")
    assert restored.returncode == 0, restored.stderr
    assert (elsewhere.data_dir / "person.key").read_text(encoding="ascii") == settings.PERSON_KEY
    assert (elsewhere.data_dir / "person.key").stat().st_mode & 0o077 == 0


def test_totals_that_differ_from_those_of_the_backup_are_told(world, tmp_path):
    made = make_backup(tmp_path / "backup")
    trail_of = next(iter(made.manifest.sums["轨迹"]))
    made.manifest.sums["轨迹"][trail_of] = "7 条"
    assert [text for text in differing_sums(made.manifest) if "备份时 7 条" in text]
