"""Sharing: rate with trace, ratio to plain Decimal arithmetic in the same run, and agreement with an integer oracle.

    python benchmarks/sharing.py                    # a million random cases for every shipped scheme
    python benchmarks/sharing.py --cases 20000      # a quick look
    python benchmarks/sharing.py --scheme jiangxi-2022

The oracle reads the scheme documents by itself and computes in whole fen with numpy; it shares no code with ``rules``.
Exits with 1 when a single fen differs.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rules.sharing import Scheme, load_scheme, scheme_names  # noqa: E402

Fen = npt.NDArray[np.int64]
SCALE = 10_000  # ratios of the shipped schemes have at most four decimals
SIDES = ("surplus", "overrun")


def scaled(text: str) -> int:
    """A ratio written in a document, in ten-thousandths; refuses finer ones."""
    whole, _, decimals = text.partition(".")
    digits = (decimals + "0000")[:4]
    if decimals[4:].strip("0"):
        raise SystemExit(f"the oracle's scale is too coarse for {text}")
    return int(whole) * SCALE + int(digits)


def half_up(amounts: Fen, ratio: int) -> Fen:
    """amount × ratio, half-up, in whole fen."""
    return (2 * amounts * ratio + SCALE) // (2 * SCALE)


def oracle(document: dict[str, Any], side: str, package: Fen, difference: Fen) -> Fen:
    """Fen the fund bears (overrun) or the alliance keeps (surplus), by marginal tiers, dead band and cap."""
    if document["sharing"]["mode"]["value"] != "marginal":
        raise SystemExit("the oracle knows marginal schemes only")
    tiers = [(tier.get("upper"), tier["rate"]) for tier in document[side]["tiers"]]
    if "dead_band" in document[side]:
        tiers.insert(0, (document[side]["dead_band"]["value"], document[side]["dead_band_rate"]["value"]))
    reached = np.zeros_like(package)
    total = np.zeros_like(package)
    for upper, rate in tiers:
        bound = difference if upper is None else np.minimum(difference, half_up(package, scaled(upper)))
        segment = np.maximum(bound - reached, 0)
        total += half_up(segment, scaled(rate))
        reached = np.maximum(reached, bound)
    if "cap" in document[side]:
        total = np.minimum(total, half_up(package, scaled(document[side]["cap"]["value"])))
    return total


def random_cases(
    generator: np.random.Generator, document: dict[str, Any], side: str, count: int
) -> tuple[Fen, Fen, Fen]:
    """Packages from one fen to a hundred billion yuan, differences of any size, many within three fen of a bound."""
    package = np.exp(generator.uniform(0, np.log(1e13), count)).astype(np.int64) + 1
    uppers = [scaled(tier["upper"]) for tier in document[side]["tiers"] if "upper" in tier] or [SCALE // 2]
    near = generator.choice(np.array(uppers), count)
    at_bound = (2 * package * near + SCALE) // (2 * SCALE) + generator.integers(-3, 4, count)
    anywhere = (package * generator.random(count) * generator.choice([0.03, 0.12, 0.3, 1.0], count)).astype(np.int64)
    difference = np.where(generator.random(count) < 0.4, at_bound, anywhere)
    difference = np.maximum(difference, 1)
    if side == "surplus":
        difference = np.minimum(difference, package)
    reasonable = difference.copy()
    if side == "overrun":
        partial = generator.random(count) < 0.25
        reasonable[partial] = (difference[partial] * generator.random(int(partial.sum()))).astype(np.int64)
    return package, difference, reasonable


def mismatches(scheme: Scheme, document: dict[str, Any], generator: np.random.Generator, cases: int) -> tuple[int, int]:
    """(cases checked, cases that differ by any fen) over the sides the document defines."""
    sides = [side for side in SIDES if "tiers" in document.get(side, {})]
    checked = wrong = 0
    for number, side in enumerate(sides):
        count = cases // len(sides) + (1 if number < cases % len(sides) else 0)
        package, difference, reasonable = random_cases(generator, document, side, count)
        expected = oracle(document, side, package, reasonable)
        over = side == "overrun"
        charged = package + difference if over else package - difference
        columns = (package.tolist(), charged.tolist(), difference.tolist(), reasonable.tolist(), expected.tolist())
        for b, s, d, r, shared in zip(*columns, strict=True):
            accepted = Decimal(r).scaleb(-2) if over and r != d else None
            result = scheme.share(Decimal(b).scaleb(-2), Decimal(s).scaleb(-2), accepted)
            if over:
                found = (result.fund_bears, result.alliance_bears, result.alliance_keeps, result.returned_to_fund)
                right = (shared, d - shared, 0, 0)
            else:
                found = (result.alliance_keeps, result.returned_to_fund, result.fund_bears, result.alliance_bears)
                right = (shared, d - shared, 0, 0)
            wrong += tuple(int(value.scaleb(2)) for value in found) != right
        checked += count
    return checked, wrong


def floor_share(tiers: list[tuple[Decimal | None, Decimal]], package: Decimal, difference: Decimal) -> Decimal:
    """The least Python can do: the same tiers in Decimal, without checks, result object or trace."""
    fen = Decimal("0.01")
    total = lower = Decimal(0)
    for upper_ratio, rate in tiers:
        upper = difference if upper_ratio is None else (package * upper_ratio).quantize(fen, ROUND_HALF_UP)
        if difference <= lower:
            break
        total += ((min(difference, upper) - lower) * rate).quantize(fen, ROUND_HALF_UP)
        lower = upper
    return total


def best_rate(times: list[float], count: int) -> float:
    return count / min(times)


def rates(scheme: Scheme, generator: np.random.Generator, count: int) -> tuple[float, float]:
    """(sharings with trace, floor computations) per second of one core's time, best of five alternating runs."""
    fen = generator.integers(5_000_000_000, 60_000_000_000, count)
    packages = [Decimal(value).scaleb(-2) for value in fen.tolist()]
    factors = generator.uniform(0.8, 1.2, count)
    charged = [Decimal(value).scaleb(-2) for value in (fen * factors).astype(np.int64).tolist()]
    brackets = scheme.brackets
    assert brackets.overrun is not None and brackets.surplus is not None
    over = [(tier.upper, tier.rate) for tier in brackets.overrun.tiers]
    under = [(tier.upper, tier.rate) for tier in brackets.surplus.tiers]
    full: list[float] = []
    bare: list[float] = []
    for _ in range(5):
        start = time.process_time()
        for b, s in zip(packages, charged, strict=True):
            if not len(scheme.share(b, s).trace):
                raise SystemExit("a sharing without a trace")
        full.append(time.process_time() - start)
        start = time.process_time()
        for b, s in zip(packages, charged, strict=True):
            floor_share(over if s > b else under, b, abs(s - b))
        bare.append(time.process_time() - start)
    return best_rate(full, count), best_rate(bare, count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000, help="random cases per scheme (default 1,000,000)")
    parser.add_argument("--timed", type=int, default=20_000, help="sharings per timed run (default 20,000)")
    parser.add_argument("--scheme", action="append", choices=scheme_names(), help="only this scheme (repeatable)")
    parser.add_argument("--seed", type=int, default=20221228)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    with_trace, floor = rates(load_scheme("jiangxi-2022"), generator, options.timed)
    print(f"share() with trace  {with_trace:>10,.0f} /s  (one core, jiangxi-2022, target 30,000)")
    print(f"floor, bare Decimal {floor:>10,.0f} /s  ratio {with_trace / floor:.2f}")
    failed = 0
    for name in options.scheme or scheme_names():
        text = (ROOT / "rules" / "schemes" / f"{name}.toml").read_text(encoding="utf-8")
        document = tomllib.loads(text, parse_float=str)
        start = time.perf_counter()
        checked, wrong = mismatches(load_scheme(name), document, generator, options.cases)
        failed += wrong
        print(f"{name:<28} {checked:>9,} cases  {wrong} mismatches  {time.perf_counter() - start:6.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
