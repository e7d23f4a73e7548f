"""Reads the environment for ``config.settings``.

Owns: typed access to variables, secrets that an embedded installation makes for itself on its first start, and the list
of what keeps a production installation from starting. Refuses to guess: an unreadable value is an error that names it.
"""

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

SHORTEST_SECRET = 32
"""Characters. Below this a key can be guessed offline."""

_PLACEHOLDERS = ("changeme", "change-me", "change_me", "default", "example", "insecure", "secret-key", "your-")


@dataclass
class Environment:
    """Variables with types; every problem is collected, so that all of them are told at once."""

    variables: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """Value without surrounding blanks; an empty variable counts as not set."""
        return self.variables.get(name, "").strip() or default

    def words(self, name: str) -> list[str]:
        """Comma-separated values."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def flag(self, name: str, default: bool) -> bool:
        """1/0, true/false, yes/no, on/off."""
        value = self.text(name).lower()
        if not value:
            return default
        if value not in _TRUE | _FALSE:
            self.problems.append(f"{name} 的值“{value}”无法识别：请用 1 或 0。")
        return value in _TRUE

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal():
            self.problems.append(f"{name} 的值“{value}”不是整数。")
            return default
        return int(value)

    def secret(self, name: str, meaning: str) -> str:
        """A secret that must be given: reports it when missing, short or a well-known placeholder."""
        value = self.text(name)
        if not value:
            self.problems.append(f"缺少 {name}（{meaning}）。")
        elif _is_weak(value):
            self.problems.append(
                f"{name}（{meaning}）是默认值或太弱：请用至少 {SHORTEST_SECRET} 个随机字符，例如 openssl rand -hex 32。"
            )
        return value


def _is_weak(value: str) -> bool:
    few_characters = len(value) < SHORTEST_SECRET or len(set(value)) < 8
    return few_characters or any(word in value.lower() for word in _PLACEHOLDERS)


def kept_secret(path: Path) -> str:
    """The secret in ``path``; made with mode 0600 on first use, safely when two processes start at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            os.unlink(draft)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()
