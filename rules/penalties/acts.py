"""The catalogue of acts: who commits them, whether they are fraud, which article they fall under (``acts.toml``).

Articles group the acts that share a penalty rule; ``agreement`` has no administrative penalty at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rules.dated import Source, read, source_of
from rules.errors import RuleError, RuleProblem

PROVIDER, PERSON, PHYSICIAN, AGENCY = "provider", "person", "physician", "agency"
PARTIES = {PROVIDER: "定点医药机构", PERSON: "参保人员", PHYSICIAN: "医保医师（药师）", AGENCY: "经办机构"}
NATURAL = (PERSON, PHYSICIAN)
AGREEMENT = "agreement"
ARTICLES = {
    "provider_non_fraud": "条例第三十八条",
    "provider_management": "条例第三十九条",
    "provider_fraud": "条例第四十条",
    "person_abuse": "条例第四十一条第一款",
    "person_fraud": "条例第四十一条第二款",
    "agency_fraud": "条例第三十七条",
    "trace_code": "追溯码义务",
    AGREEMENT: "服务协议",
}


class PenaltyError(RuleError):
    """Facts for which no penalty can be worked out."""


@dataclass(frozen=True)
class Act:
    """One kind of violation; ``article`` is a key of ARTICLES, ``party`` one of PARTIES."""

    key: str
    label: str
    party: str
    fraud: bool
    article: str
    clause: str
    source: Source
    note: str = ""

    @property
    def penalised(self) -> bool:
        """Whether there is an administrative penalty, not only handling under the agreement."""
        return self.article != AGREEMENT


ACTS: tuple[Act, ...] = tuple(
    Act(
        key=row["key"],
        label=row["label"],
        party=row["party"],
        fraud=row["fraud"],
        article=row["article"],
        clause=row["clause"],
        source=source_of(row),
        note=row.get("note", ""),
    )
    for row in read(Path(__file__).parent / "acts.toml")["act"]
)
ACT_BY_KEY = {act.key: act for act in ACTS}


def act_of(key: str) -> Act:
    """The act of a key; PenaltyError when the catalogue has none."""
    problems = unknown([key])
    if problems:
        raise PenaltyError(problems)
    return ACT_BY_KEY[key]


def acts_for(party: str) -> tuple[Act, ...]:
    """The acts a kind of party can commit, in catalogue order."""
    return tuple(act for act in ACTS if act.party == party)


def unknown(keys: Iterable[str]) -> list[RuleProblem]:
    """A problem for each key the catalogue does not hold."""
    missing = [key for key in keys if key not in ACT_BY_KEY]
    return [RuleProblem("违法行为", key, f"目录中没有违法行为“{key}”", "请从违法行为目录中选择") for key in missing]
