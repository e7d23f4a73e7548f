"""The rules of one row as SQL: text columns in, typed columns and a bitmask of codes out.

Nested selects an auditor can read: *cells* and *parsed* (trimmed text, dates, decimals), *mapped* (the place's code tables
looked up), *judged* (one predicate a code). Rules that look at other rows are in ``claims.engine.crossing``.
``try_cast`` rounds a third decimal silently, so money is read with four decimals and tested.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from claims.engine.codes import BY_CODE
from claims.engine.columns import BY_NAME, COLUMNS, MONEY, PAID_BY_FUNDS, PAID_BY_PERSON, PARTS_OF_COST, Kind, Matched
from claims.engine.reading import Source
from claims.engine.reference import (
    INPATIENT_TYPES,
    MANUAL_KINDS,
    METHODS,
    OUTFLOW_KINDS,
    REFERRALS,
    SEXES,
    YES_NO,
    MutualAid,
    Reference,
)

BLANKS = " \t\u3000\u00a0'"
DATE_FORMATS = "['%Y%m%d', '%Y%m%d%H%M%S', '%Y.%m.%d', '%Y年%m月%d日']"
EARLIEST = "DATE '2000-01-01'"
REQUIRED_MONEY = ("total_cost", "pooled_fund_paid")
STORED_MONEY = tuple(name for name in MONEY if BY_NAME[name].stored)


def quoted(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


def code_tables(reference: Reference) -> dict[str, dict[str, str]]:
    """Name → key → value of every code table the rules look into; several for visit types, see ``prefixes``."""
    tables: dict[str, dict[str, str]] = {
        "fund": {key: str(value) for key, value in reference.fund_types.items()},
        "county": {county: county for county in sorted(reference.counties)},
        "institution": {entry.code: entry.code for entry in reference.institutions},
        "grouping": {code: str(weight) for code, weight in (reference.groups or {}).items()},
        "method": dict(METHODS),
        "outflow": dict(OUTFLOW_KINDS),
        "referral": dict(REFERRALS),
        "yes": dict(YES_NO),
        "manual": dict(MANUAL_KINDS),
        "sex": dict(SEXES),
    }
    return tables | {f"visit_{length}": entries for length, entries in prefixes(reference).items()}


def load_reference(connection: Any, reference: Reference) -> None:
    """Make every code table known to the connection."""
    for name, entries in code_tables(reference).items():
        load_table(connection, name, entries)


def load_table(connection: Any, name: str, entries: dict[str, str]) -> None:
    """Keep a code table as a variable: a list of small maps, the bucket of a key found by its hash.

    A join would be shorter, but DuckDB does not keep the order of rows through one and every row would lose its line
    (an IN of more than a few values becomes a join too); casting to an ENUM keeps it, but a key that is not in it costs
    a comparison with all that are.
    """
    connection.execute(
        f"""SET VARIABLE codes_{name} = (
            SELECT list(coalesce(found, MAP([]::VARCHAR[], []::VARCHAR[])) ORDER BY bucket)
            FROM range({_buckets(entries)}) all_buckets(bucket) LEFT JOIN (
                SELECT CAST(hash(key) % {_buckets(entries)} AS BIGINT) AS bucket, map(list(key), list(value)) AS found
                FROM (SELECT unnest($1::VARCHAR[]) AS key, unnest($2::VARCHAR[]) AS value) GROUP BY 1) USING (bucket))""",
        [list(entries), list(entries.values())],
    )


def lookup(name: str, entries: dict[str, str], key: str) -> str:
    """SQL of the value of ``key`` in a code table; NULL when it is not there."""
    return f"list_extract(getvariable('codes_{name}'), CAST(hash({key}) % {_buckets(entries)} AS INTEGER) + 1)[{key}]"


def _buckets(entries: dict[str, str]) -> int:
    return max(1, len(entries) // 4)


def prefixes(reference: Reference) -> dict[int, dict[str, str]]:
    """The visit type mapping by length of prefix, longest first; 0 holds the words that match whole."""
    found: dict[int, dict[str, str]] = {}
    for key, value in reference.visit_types.items():
        found.setdefault(len(key) if key.isdigit() else 0, {})[key] = str(value)
    return dict(sorted(found.items(), reverse=True))


def staging_sql(matched: Matched, source: Source, reference: Reference) -> str:
    """The select that reads the file once and gives every row its typed values, its mask and, if faulty, its raw text."""
    return _judged(matched, source, reference, _mapped(reference, _parsed(matched, source)))


def _cells(matched: Matched, source: Source) -> str:
    """Text without blanks at its ends, first attempts at dates and decimals; one expression a cell, computed once.

    Trimming every cell costs more than reading the file, so only cells that start or end like one with blanks are
    trimmed.
    """
    wanted = []
    for column in COLUMNS:
        for number, place in enumerate(matched.sources.get(column.name, ())):
            if column.kind is Kind.MONEY:
                wanted.append(f"try_cast(c{place} AS DECIMAL(11,4)) AS d{number}_{column.name}")
            elif column.kind is Kind.DATE:
                wanted.append(f"try_cast(c{place} AS DATE) AS day_{column.name}, c{place} AS t_{column.name}")
            else:
                wanted.append(f"{trimmed(f'c{place}')} AS t_{column.name}")
        if column.name not in matched.sources and column.kind is not Kind.MONEY:
            wanted.append(f"NULL::VARCHAR AS t_{column.name}")
            if column.kind is Kind.DATE:
                wanted.append(f"NULL::DATE AS day_{column.name}")
    line = f", {source.line_column}" if source.line_column else ""
    return f"SELECT {', '.join(wanted)}, {', '.join(f'c{i}' for i in used_positions(matched))}{line} FROM {source.relation}"


def _trim(cell: str) -> str:
    return f"trim({cell}, {quoted(BLANKS)})"


def trimmed(cell: str) -> str:
    """A cell of text without blanks at its ends; NULL when nothing is left."""
    edged = f"{cell} < '(' OR {cell} >= '\u00a0' OR ends_with({cell}, ' ') OR ends_with({cell}, '\t')"
    return f"CASE WHEN {edged} THEN nullif({_trim(cell)}, '') ELSE {cell} END"


def used_positions(matched: Matched) -> list[int]:
    """Positions of the headers that feed a column; only these are kept as raw text of a rejected row."""
    return sorted({place for places in matched.sources.values() for place in places})


def raw_text(matched: Matched) -> str:
    """The cells of a row as a JSON array in text (a LIST column would move updated rows and lose their line)."""
    return f"CAST(to_json([{', '.join(f'c{place}' for place in used_positions(matched))}]) AS VARCHAR)"


def _parsed(matched: Matched, source: Source) -> str:
    wanted = []
    for column in COLUMNS:
        if column.kind is Kind.MONEY:
            wanted += _money(column.name, matched.sources.get(column.name, ()))
        elif column.kind is Kind.DATE:
            text, day = f"t_{column.name}", f"day_{column.name}"
            wanted.append(
                f"CASE WHEN {day} IS NULL AND {_trim(text)} <> '' THEN TRUE ELSE FALSE END AS given_{column.name}"
            )
            wanted.append(
                f"coalesce({day}, CAST(try_strptime({_trim(text)}, {DATE_FORMATS}) AS DATE)) AS {column.name}"
            )
    return f"SELECT *, {', '.join(wanted)} FROM ({_cells(matched, source)})"


def _money(name: str, places: tuple[int, ...]) -> list[str]:
    """Yuan with four decimals, and whether a cell of it is no amount."""
    if not places:
        return [f"NULL::DECIMAL(11,4) AS d_{name}", f"FALSE AS wrong_{name}"]
    values = [f"d{number}_{name}" for number in range(len(places))]
    wrong = [
        f"CASE WHEN {value} IS NULL THEN c{place} IS NOT NULL AND {_trim(f'c{place}')} <> '' ELSE {value} % 0.01 <> 0 END"
        for value, place in zip(values, places, strict=True)
    ]
    if len(values) == 1:
        return [f"{values[0]} AS d_{name}", f"{wrong[0]} AS wrong_{name}"]
    total = " + ".join(f"coalesce({value}, 0)" for value in values)
    whole = f"CASE WHEN {' AND '.join(f'{value} IS NULL' for value in values)} THEN NULL ELSE {total} END"
    return [f"{whole} AS d_{name}", f"({' OR '.join(wrong)} OR abs({total}) >= 10000000) AS wrong_{name}"]


def _mapped(reference: Reference, parsed: str) -> str:
    tables = code_tables(reference)

    def look(name: str, key: str) -> str:
        return lookup(name, tables[name], key)

    visit = ", ".join(
        look(f"visit_{length}", f"left(t_visit_type, {length})" if length else "t_visit_type")
        for length in prefixes(reference)
    )
    weight = look("grouping", "t_group_code") if reference.groups else "NULL::VARCHAR"
    return f"""SELECT *, coalesce({visit}) AS visit_class, {look("fund", "t_fund_type")} AS fund,
        {look("county", "t_insured_county")} IS NOT NULL AS known_county,
        {look("institution", "t_institution_code")} IS NOT NULL AS known_institution,
        try_cast({weight} AS DECIMAL(10,4)) AS catalogue_weight,
        {look("method", "lower(t_method)")} AS method, {look("outflow", "t_outflow_kind")} AS outflow,
        {look("referral", "t_referral")} AS referral, {look("yes", "t_public_health_emergency")} AS emergency,
        {look("sex", "t_sex")} AS sex, {look("manual", "t_settlement_kind")} IS NOT NULL AS manual,
        try_cast(t_bed_days AS DECIMAL(9,2)) AS days, try_cast(t_group_weight AS DECIMAL(12,6)) AS weight,
        t_reversal_of IS NOT NULL OR coalesce(t_reversal_flag IN ('1', '是'), FALSE) AS reversal
        FROM ({parsed})"""


def _sum(names: Iterable[str], prefix: str = "d_") -> str:
    return " + ".join(f"coalesce({prefix}{name}, 0)" for name in names)


def unbalanced(reading: MutualAid) -> str:
    """C30 under one reading of 个人账户共济支出: true where a row does not add up within 0.01 yuan."""
    mutual = "" if reading is MutualAid.INSIDE else " + coalesce(d_mutual_aid_paid, 0)"
    paid = f"{_sum((*PAID_BY_FUNDS, *PAID_BY_PERSON, 'hospital_borne'))}{mutual}"
    return (
        f"(abs(d_total_cost - ({paid})) > 0.01"
        f" OR (d_fund_total IS NOT NULL AND abs(d_fund_total - ({_sum(PAID_BY_FUNDS)})) > 0.01)"
        f" OR (d_person_total IS NOT NULL AND abs(d_person_total - ({_sum(PAID_BY_PERSON)}{mutual})) > 0.01))"
    )


def predicates(reference: Reference) -> dict[str, str]:
    """Code → the condition over one mapped row that raises it. NULL counts as not raised."""
    amounts = "NOT any_wrong"
    inpatient = f"visit_class IN ({', '.join(quoted(kind.value) for kind in INPATIENT_TYPES)})"
    outside = (
        "(regexp_full_match(t_institution_area, '[0-9]{6}') AND t_institution_area <> t_insured_county)"
        " OR (t_institution_area IS NULL AND outflow IS NOT NULL)"
    )
    declared = f" OR t_insured_county <> {quoted(reference.declared_county)}" if reference.declared_county else ""
    rules = {
        "C01": "t_settlement_id IS NULL OR length(t_settlement_id) > 30",
        "C04": "t_person_id IS NULL",
        "C05": "t_sex IS NOT NULL AND sex IS NULL",
        "C06": "(given_birth_date AND birth_date IS NULL) OR birth_date > coalesce(admission_date, settled_on)",
        "C07": "fund IS NULL",
        "C08": f"NOT known_county{declared}",
        "C09": "t_institution_code IS NULL AND NOT manual",
        "C10": f"t_institution_code IS NOT NULL AND NOT known_institution AND NOT manual AND NOT coalesce({outside}, FALSE)",
        "C11": "visit_class IS NULL",
        "C12": "(given_admission_date AND admission_date IS NULL) OR (given_discharge_date AND discharge_date IS NULL)",
        "C13": "discharge_date < admission_date",
        "C14": f"{inpatient} AND ((admission_date IS NULL AND NOT given_admission_date)"
        " OR (discharge_date IS NULL AND NOT given_discharge_date))",
        "C15": f"settled_on IS NULL OR settled_on < {EARLIEST}",
        "C16": f"settled_on > DATE '{reference.period_to}'",
        "C18": "t_group_code IS NOT NULL AND catalogue_weight IS NULL" if reference.groups else "FALSE",
        "C17": f"{inpatient} AND method IN ('drg', 'dip') AND t_group_code IS NULL"
        if reference.settles_by_groups
        else "FALSE",
        "C19": "t_group_weight IS NOT NULL AND (weight IS NULL OR weight % 0.0001 <> 0 OR (weight <= 0 AND NOT reversal) OR weight = 0)",
        "C20": "t_bed_days IS NOT NULL AND (days IS NULL OR days % 1 <> 0 OR (days < 0 AND NOT reversal)"
        " OR (discharge_date >= admission_date AND abs(days) > discharge_date - admission_date + 1))",
        "C21": "any_wrong",
        "C22": f"{amounts} AND abs({_sum(PARTS_OF_COST)}) > abs(d_total_cost)",
        "C23": f"{amounts} AND abs(d_eligible_cost) > abs(d_total_cost)",
        "C24": f"{amounts} AND abs(d_pooled_fund_paid) > abs(d_eligible_cost)",
        "C25": "(t_outflow_kind IS NOT NULL AND outflow IS NULL) OR (t_referral IS NOT NULL AND referral IS NULL)"
        " OR (t_public_health_emergency IS NOT NULL AND emergency IS NULL)",
        "C26": "reversal AND t_reversal_of IS NULL",
        "C28": f"{inpatient} AND (t_visit_id IS NULL OR length(t_visit_id) > 30)",
        "C29": "t_method IS NOT NULL AND method IS NULL",
        "C31": f"NOT reversal AND least({', '.join(f'd_{name}' for name in MONEY)}) < 0",
    }
    if reference.mutual_aid is not None:
        rules["C30"] = f"{amounts} AND {unbalanced(reference.mutual_aid)}"
    return rules


def _judged(matched: Matched, source: Source, reference: Reference, mapped: str) -> str:
    missing = " OR ".join(f"d_{name} IS NULL" for name in REQUIRED_MONEY)
    wrong = " OR ".join(f"wrong_{name}" for name in MONEY)
    rules = predicates(reference)
    any_rule = " OR ".join(
        f"({rule})" for rule in rules.values()
    )  # most rows break none: the mask is built for the rest only
    bits = " + ".join(f"CASE WHEN {rule} THEN {BY_CODE[code].bit} ELSE 0 END" for code, rule in rules.items())
    line = f"CAST({source.line_column} AS INTEGER)" if source.line_column else "NULL::INTEGER"
    money = ", ".join(
        f"CASE WHEN NOT wrong_{name} THEN CAST(d_{name} * 100 AS INTEGER) END AS {name}" for name in STORED_MONEY
    )
    balance, keep_raw = _balance_flags(reference.mutual_aid)
    return f"""SELECT t_settlement_id AS settlement_id, t_visit_id AS visit_id, t_person_id AS person,
        sex, birth_date, fund AS fund_type,
        t_fund_type AS insurance_code, t_insured_county AS insured_county,
        t_enrolment_township AS enrolment_township, t_institution_code AS institution_code,
        CASE WHEN NOT known_institution THEN t_institution_name END AS institution_name,
        t_institution_area AS institution_area, manual, visit_class AS visit_type, t_visit_type AS visit_code,
        admission_date, discharge_date, settled_on, t_diagnosis_code AS diagnosis_code, method,
        t_group_code AS group_code, CAST(coalesce(weight, catalogue_weight) AS DECIMAL(9,4)) AS group_weight,
        CAST(days AS INTEGER) AS bed_days, {money},
        outflow AS outflow_kind, referral, coalesce(emergency = '1', FALSE) AS public_health_emergency,
        t_reversal_of AS reversal_of, settled_on < DATE '{reference.period_from}' AS late,
        mask, FALSE AS skip, {balance}, {line} AS given_line, CASE WHEN {keep_raw} THEN {raw_text(matched)} END AS raw
        FROM (SELECT *, CASE WHEN {any_rule} THEN {bits} ELSE 0 END AS mask
              FROM (SELECT *, {missing} OR {wrong} AS any_wrong FROM ({mapped})))"""


def _balance_flags(setting: MutualAid | None) -> tuple[str, str]:
    """C30 under both readings. With a setting the other one is tried only where the set one fails."""
    if setting is None:
        both = [f"NOT any_wrong AND {unbalanced(reading)} AS unbalanced_{reading.value}" for reading in MutualAid]
        return ", ".join(both), f"mask <> 0 OR (NOT any_wrong AND ({' OR '.join(map(unbalanced, MutualAid))}))"
    fails = f"mask & {BY_CODE['C30'].bit} <> 0"
    flags = [
        f"{fails if reading is setting else f'CASE WHEN {fails} THEN {unbalanced(reading)} ELSE FALSE END'}"
        f" AS unbalanced_{reading.value}"
        for reading in MutualAid
    ]
    return ", ".join(flags), "mask <> 0"
