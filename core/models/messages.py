"""E-mail: what each person wants of it, and one row for every notice that is to be mailed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class NoticeKind(models.TextChoices):
    """What a notice is about; decides how it is mailed."""

    WARNING = "warning", "预警"
    REPORT = "report", "报表"
    TASK = "task", "任务"
    OTHER = "other", "其他"


class MailMode(models.TextChoices):
    AT_ONCE = "at_once", "即时发送"
    DAILY = "daily", "每日汇总"
    NONE = "none", "不发邮件"


class DeliveryState(models.TextChoices):
    """waiting → sending → sent; a failure waits again. ``unsure``: the worker died between handing over and noting it."""

    WAITING = "waiting", "待发送"
    SENDING = "sending", "发送中"
    SENT = "sent", "已发送"
    FAILED = "failed", "发送失败"
    UNSURE = "unsure", "结果不明"
    DROPPED = "dropped", "不再发送"


class MessagePreference(models.Model):
    """How one person wants one kind of notice mailed; no row: the kind's own default."""

    user = models.ForeignKey("core.User", models.CASCADE, related_name="message_preferences", verbose_name="用户")
    kind = models.CharField("通知类别", max_length=7, choices=NoticeKind.choices)
    mode = models.CharField("邮件", max_length=7, choices=MailMode.choices)

    class Meta:
        verbose_name = "邮件设置"
        verbose_name_plural = "邮件设置"
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_message_preference")]

    def __str__(self) -> str:
        return f"{self.user} {self.get_kind_display()}：{self.get_mode_display()}"


class MailDelivery(models.Model):
    """The mailing of one notice, made with the notice. ``mail`` names the mail it went out with: several in a digest."""

    notice = models.OneToOneField("core.Notice", models.CASCADE, related_name="delivery", verbose_name="通知")
    user = models.ForeignKey("core.User", models.CASCADE, related_name="deliveries", verbose_name="收件人")
    mode = models.CharField("方式", max_length=7, choices=MailMode.choices)
    state = models.CharField("状态", max_length=7, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField("尝试次数", default=0)
    next_try_at = models.DateTimeField("下次发送", null=True)
    error = models.CharField("错误", max_length=300, blank=True)
    mail = models.CharField("邮件编号", max_length=32, blank=True)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    sent_at = models.DateTimeField("发送时间", null=True)

    class Meta:
        verbose_name = "邮件发送"
        verbose_name_plural = "邮件发送"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["mode", "next_try_at"], condition=Q(state__in=["waiting", "sending"]), name="delivery_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice}（{self.get_state_display()}）"

    @property
    def tone(self) -> str:
        return TONES[DeliveryState(self.state)]

    @property
    def can_repeat(self) -> bool:
        """Whether the person may ask for it once more."""
        return self.state in (DeliveryState.FAILED, DeliveryState.UNSURE)


TONES = {
    DeliveryState.WAITING: "", DeliveryState.SENDING: "run", DeliveryState.SENT: "ok", DeliveryState.FAILED: "bad",
    DeliveryState.UNSURE: "warn", DeliveryState.DROPPED: "",
}  # fmt: skip
