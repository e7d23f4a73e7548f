"""The kinds of documents as data: title, numbering series, layout, who makes them and whether the party gets them."""

from __future__ import annotations

from dataclasses import dataclass

from audits.documents.letterhead import FORM, LETTER, LIST
from audits.models import MeasureKind
from audits.states import TrackKind

ANY_TRACK = "any"


@dataclass(frozen=True)
class DocumentKind:
    """``word`` stands in the number (青医保稽告〔2026〕12号) and names the series: kinds with one word share one.

    ``to_party``: the case's party sees it from the moment it is made (letters of measures: from their sending on).
    ``by_act``: only the act of a track makes its first version. ``track``: the way it belongs to
    (or any), empty for the case.
    """

    key: str
    label: str
    word: str
    layout: str = LETTER
    track: str = ""
    to_party: bool = False
    by_act: bool = False

    def series(self, county_code: str) -> str:
        """The name of the numbering series of a county."""
        return f"doc-{self.word}-{county_code}"


KINDS = tuple(
    DocumentKind(*row)
    for row in (
        ("filing", "立案审批表", "立", FORM),
        ("evidence_list", "证据登记清单", "证", LIST),
        ("registration", "先行登记保存通知书", "存", LETTER, "", True),
        ("agreement_notice", "协议处理告知书", "告", LETTER, TrackKind.AGREEMENT, True, True),
        ("penalty_notice", "行政处罚事先告知书", "告", LETTER, TrackKind.PENALTY, True, True),
        ("hearing_notice", "听证通知书", "听", LETTER, ANY_TRACK, True),
        ("agreement_decision", "协议处理决定书", "决", LETTER, TrackKind.AGREEMENT, True, True),
        ("penalty_decision", "行政处罚决定书", "决", LETTER, TrackKind.PENALTY, True, True),
        ("dismissal", "不予处罚（撤案）决定书", "撤", LETTER, "", True),
        ("service_receipt", "送达回证", "送", FORM),
        ("transfer", "案件移送函", "移"),
        ("rectify", "责令改正通知书", "改", LETTER, "", True),
        ("talk", "约谈通知书", "约", LETTER, "", True),
        ("circular", "通报", "通", LETTER, "", True),
        ("inquiry", "询问函", "询", LETTER, "", True),
        ("closing", "结案审批表", "结", FORM),
    )
)
BY_KEY = {kind.key: kind for kind in KINDS}
OF_MEASURE = {
    MeasureKind.TALK: "talk",
    MeasureKind.CIRCULAR: "circular",
    MeasureKind.INQUIRY: "inquiry",
    MeasureKind.RECTIFY: "rectify",
}
"""The letter of a measure; 一案双查 is recorded without one."""
BOUND = frozenset({*OF_MEASURE.values(), "transfer", "service_receipt"})
"""Made from a measure, a referral or a served document, never alone."""
SERVED = frozenset({"agreement_notice", "penalty_notice", "hearing_notice", "agreement_decision", "penalty_decision", "dismissal"})
"""What a receipt of service is made for."""


def label_of(key: str) -> str:
    return BY_KEY[key].label
