"""Stored files: kept by content, never changed, checked by verify."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core import files
from core.errors import Refused
from core.models import StoredFile


def test_a_file_is_kept_under_its_checksum(world):
    stored = files.store_upload(SimpleUploadedFile("报表.xlsx", b"content"), "table", world.officer)
    assert stored.path.read_bytes() == b"content"
    assert stored.path.name == stored.sha256
    assert (stored.name, stored.size, stored.uploaded_by) == ("报表.xlsx", 7, world.officer)
    assert files.verify_files() == []


def test_the_same_content_twice_is_kept_once(world):
    first = files.store_bytes(b"same", "a.txt", "evidence", world.officer)
    second = files.store_bytes(b"same", "b.txt", "evidence", world.officer)
    assert first.path == second.path
    assert StoredFile.objects.count() == 2


def test_a_name_with_a_path_in_it_loses_the_path(world):
    assert files.store_bytes(b"x", "../../etc/passwd", "evidence", world.officer).name == "passwd"


def test_a_file_on_this_machine_is_copied(world, tmp_path):
    path = tmp_path / "extract.csv"
    path.write_bytes(b"a,b\n" * 1000)
    stored = files.store_path(path, "extract", None)
    path.unlink()
    assert stored.path.stat().st_size == 4000


def test_verify_finds_a_missing_and_a_changed_file(world):
    gone = files.store_bytes(b"gone", "gone.txt", "evidence", None)
    changed = files.store_bytes(b"changed", "changed.txt", "evidence", None)
    gone.path.unlink()
    changed.path.write_bytes(b"otherwise")
    assert {(f.where, f.text) for f in files.verify_files()} == {
        ("文件 gone.txt", "文件缺失"), ("文件 changed.txt", "内容与校验值不符"),
    }  # fmt: skip
    changed.path.unlink()


def test_a_failed_upload_leaves_nothing_behind(world):
    class Broken:
        name, content_type = "a.txt", ""

        def chunks(self):
            yield b"half"
            raise OSError("the connection broke")

    with pytest.raises(OSError, match="broke"):
        files.store_upload(Broken(), "evidence", world.officer)
    root = files.Path(files.settings.DATA_DIR) / "files"
    assert not list(root.glob(".incoming-*"))
    assert not StoredFile.objects.exists()


def test_evidence_that_is_too_large_is_refused(world, monkeypatch):
    monkeypatch.setattr(files, "EVIDENCE_LIMIT", 3)
    with pytest.raises(Refused, match="超过 50 MB"):
        files.store_evidence(SimpleUploadedFile("a.pdf", b"1234"), "evidence", world.officer)
