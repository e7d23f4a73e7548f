"""Writing and checking the trail. ``record`` is the last statement of every service, inside its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from core.access import actions
from core.models import Alliance, County, Institution, PoolingArea, TrailEvent, TrailHead, User
from core.models.trail import GENESIS
from core.registries import Finding, trail_texts
from core.texts import plain

SYSTEM_CHAIN = "system"


def record(
    actor: User | None,
    action: str,
    subject: models.Model,
    summary: str,
    data: dict[str, Any] | None = None,
    place: Any = None,
) -> TrailEvent:
    """Append one act to the chain of its pooling area and return the row.

    ``actor`` None means a job. ``subject`` is the object acted on; ``place`` (pooling area, county, alliance or
    institution) defaults to the subject's own and decides the chain and who sees the row. ``summary`` is Chinese and
    must not name insured persons or informants. Must run inside the service's transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("the trail is written inside the transaction of the act it records")
    area, county, alliance = places_of(place if place is not None else subject)
    chain = area.code if area else SYSTEM_CHAIN
    head = TrailHead.objects.select_for_update(no_key=True).filter(chain=chain).first()
    if head is None:
        TrailHead.objects.get_or_create(chain=chain)
        head = TrailHead.objects.select_for_update(no_key=True).get(chain=chain)
    event = TrailEvent(
        chain=chain,
        seq=head.seq + 1,
        at=timezone.now(),
        actor=actor,
        actor_name=str(actor) if actor else "系统",
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        summary=plain(summary)[:400],
        data=_plain(data or {}),
        pooling_area=area,
        county=county,
        alliance=alliance,
        prev_hash=head.hash,
    )
    event.hash = event.computed_hash()
    event.save(force_insert=True)
    TrailHead.objects.filter(chain=chain).update(seq=event.seq, hash=event.hash)
    return event


def action_text(name: str) -> str:
    """The Chinese wording of an action name."""
    if name in actions:
        return actions[name].label
    return trail_texts.get(name) or name


def history(subject: models.Model) -> models.QuerySet[TrailEvent]:
    """The trail of one object, oldest first."""
    return TrailEvent.objects.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk)).order_by("pk")


def head_hash(place: Any) -> str:
    """The head of the chain of ``place``'s pooling area, printed on statements."""
    area, _county, _alliance = places_of(place)
    head = TrailHead.objects.filter(chain=area.code if area else SYSTEM_CHAIN).first()
    return head.hash if head else GENESIS


def verify_chains() -> list[Finding]:
    """Recompute every chain; also compare with the head file, so that a cut tail shows."""
    findings: list[Finding] = []
    heads = {head.chain: head for head in TrailHead.objects.all()}
    last: dict[str, tuple[int, str]] = {}
    for event in TrailEvent.objects.order_by("chain", "seq").iterator(chunk_size=2000):
        seq, previous = last.get(event.chain, (0, GENESIS))
        where = f"轨迹 {event.chain} 第 {event.seq} 条"
        if event.seq != seq + 1:
            findings.append(Finding(where, f"序号不连续：前一条是第 {seq} 条"))
        if event.prev_hash != previous:
            findings.append(Finding(where, "与前一条的哈希不相接"))
        if event.hash != event.computed_hash():
            findings.append(Finding(where, "内容与哈希不符，已被改动"))
        last[event.chain] = (event.seq, event.hash)
    for chain, head in heads.items():
        if (head.seq, head.hash) != last.get(chain, (0, GENESIS)):
            findings.append(
                Finding(f"轨迹 {chain}", f"链首记到第 {head.seq} 条，实存到第 {last.get(chain, (0, ''))[0]} 条")
            )
    for chain in last.keys() - heads.keys():
        findings.append(Finding(f"轨迹 {chain}", "链首记录缺失"))
    findings.extend(_compare_with_head_file())
    return findings


def control_sums() -> dict[str, str]:
    """Length and head of every chain, for comparing a restored database."""
    return {head.chain: f"{head.seq} 条，链首 {head.hash[:16]}" for head in TrailHead.objects.order_by("chain")}


def head_file() -> Path:
    return Path(settings.DATA_DIR) / "trail-heads.jsonl"


def append_heads_to_file() -> int:
    """Append today's chain heads to the file the backup takes; returns the number of lines written."""
    path = head_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = head_lines()
    with path.open("a", encoding="utf-8") as out:
        out.write(lines)
        out.flush()
    return lines.count("\n")


def head_lines() -> str:
    """Today's chain heads as lines of the head file."""
    today = timezone.localdate().isoformat()
    return "".join(
        json.dumps({"on": today, "chain": head.chain, "seq": head.seq, "hash": head.hash}) + "\n"
        for head in TrailHead.objects.order_by("chain")
    )


def _compare_with_head_file() -> Iterator[Finding]:
    if not head_file().exists():
        return
    for line in head_file().read_text(encoding="utf-8").splitlines():
        noted = json.loads(line)
        if noted["seq"] == 0:
            continue
        held = TrailEvent.objects.filter(chain=noted["chain"], seq=noted["seq"]).values_list("hash", flat=True).first()
        if held != noted["hash"]:
            yield Finding(
                f"轨迹 {noted['chain']} 第 {noted['seq']} 条", f"与 {noted['on']} 存下的链首不符（缺失或被改动）"
            )


def places_of(place: Any) -> tuple[PoolingArea | None, County | None, Alliance | None]:
    if isinstance(place, PoolingArea):
        return place, None, None
    if isinstance(place, County):
        return place.pooling_area, place, None
    if isinstance(place, Alliance):
        return place.county.pooling_area, place.county, place
    if isinstance(place, Institution):
        return place.county.pooling_area, place.county, None
    for name in ("alliance", "county", "institution", "pooling_area"):
        if getattr(place, f"{name}_id", None) is not None:
            return places_of(getattr(place, name))
    return None, None, None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | type(None)) else str(value)
