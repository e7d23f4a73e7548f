"""Uploaded and produced files, stored once by content and never changed."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models


class StoredFile(models.Model):
    """A file under ``DATA_DIR/files`` named by its sha-256; who may read it is decided by the object that owns it."""

    kind = models.CharField("用途", max_length=40)
    name = models.CharField("原文件名", max_length=200)
    sha256 = models.CharField("校验值", max_length=64, db_index=True)
    size = models.BigIntegerField("字节数")
    content_type = models.CharField("类型", max_length=100, blank=True)
    uploaded_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)

    class Meta:
        verbose_name = "文件"
        verbose_name_plural = "文件"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.DATA_DIR) / "files" / self.sha256[:2] / self.sha256
