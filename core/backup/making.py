"""Making a backup while the site works: written aside, synced, renamed; an existing directory is never touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core import trail
from core.backup import snapshot
from core.backup.manifest import CHUNK, MANIFEST, FileEntry, Manifest, key_check, sha256_of
from core.errors import Refused
from core.registries import KeptFile, backup_sources, control_sums

PERSON_KEY = "person.key"
HEADS = "trail-heads.jsonl"


@dataclass(frozen=True)
class Made:
    """A finished backup; ``checksum`` is the sha-256 of its manifest, to be noted down elsewhere."""

    manifest: Manifest
    checksum: str
    size: int


def make_backup(target: Path) -> Made:
    """Write a backup of the whole installation to ``target``, which must not exist.

    Files that are missing or damaged do not stop it: they are named in the manifest (``lost``) and the caller tells.
    Raises ``Refused`` when the directory exists already or the database itself is damaged.
    """
    target = target.resolve()
    if target.exists():
        raise Refused(f"{target} 已存在，不覆盖任何内容。请给一个新的目录名。")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        manifest = _fill(aside)
        manifest.write(aside)
        _sync(aside)
        os.rename(aside, target)
        _sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    size = sum(entry.size for entry in manifest.files)
    return Made(manifest, sha256_of(target / MANIFEST), size)


def program_version() -> str:
    """The version of this program."""
    text = (Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def has_key_file() -> bool:
    """Whether the person key lives in the data directory, not in the environment."""
    path = Path(settings.DATA_DIR) / PERSON_KEY
    return path.exists() and path.read_text(encoding="ascii").strip() == settings.PERSON_KEY


def _fill(folder: Path) -> Manifest:
    made_at = timezone.now().isoformat()
    noted = trail.head_file().read_text(encoding="utf-8") if trail.head_file().exists() else ""
    with snapshot.snapshot():
        tables = snapshot.dump(folder)
        applied = snapshot.migrations()
        sums = {name: total() for name, total in control_sums}
        heads = trail.head_lines()
        wanted = list({kept.name: kept for _name, source in backup_sources for kept in source()}.values())
    (folder / HEADS).write_text(noted + heads, encoding="utf-8")
    if has_key_file():
        shutil.copyfile(Path(settings.DATA_DIR) / PERSON_KEY, folder / PERSON_KEY)
    lost = [f"{kept.shown}（{kept.name}）：{why}" for kept in wanted if (why := _copy(kept, folder))]
    return Manifest(
        made_at=made_at,
        version=program_version(),
        database=connection.vendor,
        migrations=applied,
        tables=tables,
        person_key=key_check(settings.PERSON_KEY),
        sums=sums,
        files=_entries(folder),
        lost=lost,
    )


def _copy(kept: KeptFile, folder: Path) -> str:
    """Copy one file into the backup; says what is wrong with it, or nothing."""
    source, target = Path(settings.DATA_DIR) / kept.name, folder / kept.name
    if not source.is_file():
        return "文件缺失"
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            write.write(chunk)
    return "" if digest.hexdigest() == kept.sha256 else "内容与校验值不符"


def _entries(folder: Path) -> list[FileEntry]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [FileEntry(path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size) for path in paths]


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
