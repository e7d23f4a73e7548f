"""Short messages to one person about something that happened or is due."""

from __future__ import annotations

from django.db import models

from core.models.messages import NoticeKind


class Notice(models.Model):
    user = models.ForeignKey("core.User", models.CASCADE, related_name="notices", verbose_name="收件人")
    text = models.CharField("内容", max_length=300)
    url = models.CharField("链接", max_length=300, blank=True)
    kind = models.CharField("类别", max_length=7, choices=NoticeKind.choices, default=NoticeKind.OTHER)
    created_at = models.DateTimeField("时间", auto_now_add=True)
    read_at = models.DateTimeField("已读时间", null=True, blank=True)

    class Meta:
        verbose_name = "通知"
        verbose_name_plural = "通知"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "read_at"], name="notice_unread")]

    def __str__(self) -> str:
        return self.text
