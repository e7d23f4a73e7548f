"""Keeping files by their content: written aside, fsynced, renamed; a file with the same content is kept once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from core.errors import Problem, Refused
from core.models import StoredFile, User
from core.registries import Finding, KeptFile

EVIDENCE_SUFFIXES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".jpg", ".jpeg", ".png", ".txt", ".csv", ".zip", ".ofd")
EVIDENCE_LIMIT = 50 * 1024 * 1024


def store_upload(upload: Any, kind: str, actor: User | None) -> StoredFile:
    """Keep an uploaded file (anything with ``.name`` and ``.chunks()``)."""
    return _store(upload.chunks(), str(upload.name), kind, actor, getattr(upload, "content_type", "") or "")


def store_evidence(upload: Any, kind: str, actor: User | None) -> StoredFile:
    """Like :func:`store_upload`, refusing empty, oversized and unknown kinds of evidence files."""
    problems = upload_problems([upload], "file")
    if problems:
        raise Refused(problems)
    return store_upload(upload, kind, actor)


def upload_problems(uploads: Iterable[Any], field: str = "附件") -> list[Problem]:
    """What is wrong with each of several evidence files, before any is kept."""
    found = []
    for upload in uploads:
        name = str(upload.name)
        if Path(name).suffix.lower() not in EVIDENCE_SUFFIXES:
            allowed = " ".join(EVIDENCE_SUFFIXES)
            found.append(Problem(field, name, "不能接收这种类型的附件。", f"请上传以下类型之一：{allowed}"))
        if not upload.size:
            found.append(Problem(field, name, "附件是空文件。", "请重新选择文件。"))
        elif upload.size > EVIDENCE_LIMIT:
            found.append(Problem(field, name, "附件超过 50 MB。", "请压缩或拆分后上传。"))
    return found


def store_path(path: Path, kind: str, actor: User | None, name: str = "") -> StoredFile:
    """Keep a file that already lies on this machine."""

    def chunks() -> Iterable[bytes]:
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                yield chunk

    return _store(chunks(), name or path.name, kind, actor, "")


def store_bytes(content: bytes, name: str, kind: str, actor: User | None, content_type: str = "") -> StoredFile:
    return _store([content], name, kind, actor, content_type)


def verify_files() -> list[Finding]:
    """Stored files that are missing or whose content no longer matches their checksum."""
    findings = []
    for stored in StoredFile.objects.iterator():
        if not stored.path.exists():
            findings.append(Finding(f"文件 {stored.name}", "文件缺失"))
        elif content_sha256(stored.path) != stored.sha256:
            findings.append(Finding(f"文件 {stored.name}", "内容与校验值不符"))
    return findings


def kept_files() -> Iterator[KeptFile]:
    """Every stored file, for the backup."""
    root = Path(settings.DATA_DIR)
    for stored in StoredFile.objects.order_by("pk").iterator():
        yield KeptFile(stored.path.relative_to(root).as_posix(), stored.sha256, f"文件 {stored.name}")


def content_sha256(path: Path) -> str:
    """What the content of a file on this machine hashes to now."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _store(chunks: Iterable[bytes], name: str, kind: str, actor: User | None, content_type: str) -> StoredFile:
    root = Path(settings.DATA_DIR) / "files"
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, aside = tempfile.mkstemp(dir=root, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        stored = StoredFile(
            kind=kind,
            name=Path(name).name[:200],
            sha256=digest.hexdigest(),
            size=size,
            content_type=content_type[:100],
            uploaded_by=actor,
        )
        stored.path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, stored.path)
    finally:
        Path(aside).unlink(missing_ok=True)
    stored.save(force_insert=True)
    return stored
