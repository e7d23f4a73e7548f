"""What a backup directory holds: a list of its files with checksums, the state of the database, totals to compare.

The manifest finds damage and loss. It cannot prove who wrote it: whoever can change the files can change the list, so
its own checksum is printed when it is made and belongs on paper or on another machine.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import Problem, Refused

MANIFEST = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """One file of the backup; ``name`` is relative to the backup directory."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """``sums`` are the control totals by section; ``lost`` names what was missing or damaged when it was made."""

    made_at: str
    version: str
    database: str
    migrations: list[list[str]]
    tables: dict[str, list[str]]
    person_key: str
    sums: dict[str, dict[str, str]]
    files: list[FileEntry]
    lost: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        path = folder / MANIFEST
        with path.open("w", encoding="utf-8") as out:
            json.dump(asdict(self), out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup directory; raises ``Refused`` when it is none or of another format."""
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = [FileEntry(**entry) for entry in content.pop("files")]
        held = Manifest(files=files, **content)
    except FileNotFoundError:
        raise Refused(f"{folder} 不是备份目录：没有 {MANIFEST}。") from None
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"{folder / MANIFEST} 已损坏（{error}），不能恢复。请换用另一份备份。") from error
    if held.format != FORMAT:
        raise Refused(f"备份格式为第 {held.format} 版，本程序只认第 {FORMAT} 版。请用制作备份时的程序版本恢复。")
    return held


def check_files(folder: Path, held: Manifest) -> None:
    """Compare every file with the manifest; raises ``Refused`` naming all that are missing, changed or unlisted."""
    problems = []
    for entry in held.files:
        path = folder / entry.name
        if ".." in PurePosixPath(entry.name).parts or PurePosixPath(entry.name).is_absolute():
            problems.append(Problem(entry.name, "", f"清单中的路径“{entry.name}”越出备份目录。"))
        elif not path.is_file():
            problems.append(Problem(entry.name, "", f"缺少文件 {entry.name}。"))
        elif path.stat().st_size != entry.size or sha256_of(path) != entry.sha256:
            problems.append(Problem(entry.name, "", f"文件 {entry.name} 与清单的校验值不符。"))
    listed = {entry.name for entry in held.files} | {MANIFEST}
    problems += [
        Problem(name, "", f"文件 {name} 不在清单中。") for name in sorted(_names(folder)) if name not in listed
    ]
    if problems:
        raise Refused([*problems, Problem("", "", "备份不完整或被改动，没有恢复任何内容。请换用另一份备份。")])


def sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def key_check(key: str) -> str:
    """A value that tells whether two person keys are the same and nothing else about them."""
    return hmac.new(key.encode(), b"backup check value", "sha256").hexdigest()


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if not path.is_dir() or path.is_symlink():
            yield path.relative_to(folder).as_posix()
