"""Taking a backup back into an empty installation: everything is checked before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from core.backup import snapshot
from core.backup.making import HEADS, PERSON_KEY, has_key_file
from core.backup.manifest import Manifest, check_files, key_check, read_manifest
from core.errors import Problem, Refused
from core.registries import control_sums

KEPT_FOLDERS = ("files", "lake")


def restore_backup(source: Path) -> Manifest:
    """Restore the backup in ``source`` and bring the database up to this program's version.

    Raises ``Refused`` before anything is written when the backup is damaged, from another kind of database or a newer
    program, made under another person key, or when database or data directory are not empty.
    """
    manifest = read_manifest(source)
    check_files(source, manifest)
    _refuse_unless_empty()
    snapshot.refuse_unless_it_fits(manifest.database, manifest.migrations)
    _refuse_another_key(source, manifest)
    data = Path(settings.DATA_DIR)
    for entry in manifest.files:
        if entry.name.split("/")[0] in KEPT_FOLDERS:
            target = data / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / entry.name, target)
    shutil.copyfile(source / HEADS, data / HEADS)
    if (source / PERSON_KEY).exists() and has_key_file():
        _take_key(source / PERSON_KEY, data / PERSON_KEY)
    snapshot.load(source, manifest.tables, manifest.migrations)
    call_command("migrate", interactive=False, verbosity=0)
    return manifest


def differing_sums(manifest: Manifest) -> list[str]:
    """Control totals that are not what they were when the backup was made, in words."""
    now = {name: total() for name, total in control_sums}
    return [
        f"{section}·{label}：备份时 {then}，现在 {now.get(section, {}).get(label, '没有')}"
        for section, totals in manifest.sums.items()
        for label, then in totals.items()
        if now.get(section, {}).get(label) != then
    ]


def _refuse_unless_empty() -> None:
    data = Path(settings.DATA_DIR)
    held = [name for name in KEPT_FOLDERS if any((data / name).rglob("*"))]
    if (data / HEADS).exists():
        held.append(HEADS)
    if held:
        raise Refused(
            f"数据目录 {data} 不是空的（已有 {'、'.join(held)}），没有恢复任何内容。请换用一个空的 DATA_DIR。"
        )
    snapshot.refuse_unless_empty()


def _refuse_another_key(source: Path, manifest: Manifest) -> None:
    if key_check(settings.PERSON_KEY) == manifest.person_key:
        return
    in_backup = (source / PERSON_KEY).exists()
    if in_backup and has_key_file():
        return
    remedy = (
        f"请把 {source / PERSON_KEY} 的内容设为 PERSON_KEY。" if in_backup else "请把制作备份时的密钥设为 PERSON_KEY。"
    )
    raise Refused([Problem("PERSON_KEY", "", "当前的 PERSON_KEY 与备份的不同，没有恢复任何内容。", remedy)])


def _take_key(source: Path, target: Path) -> None:
    aside = target.with_name(f".{target.name}.restoring")
    aside.touch(mode=0o600)
    aside.write_bytes(source.read_bytes())
    aside.replace(target)
    settings.PERSON_KEY = target.read_text(encoding="ascii").strip()
