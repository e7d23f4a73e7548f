"""The attachments of the demonstration: short texts that say they are examples."""

from __future__ import annotations

from django.core.files.base import ContentFile


def attachment(title: str) -> ContentFile[bytes]:
    """A text file named after its title, as an upload would bring it."""
    text = f"{title}\n\n本文件为演示数据的示例附件，不是正式文件。\n"
    return ContentFile(text.encode(), name=f"{title}.txt")
