"""The year-end projection by season, level and development; its replay of the past; what changed since last month.

In short::

    histories = History.from_rows(fact_rows)                 # one per place and fund type, see rules.histories.table
    pools = pools_of(histories)                              # one per (area, fund type); keep it for all places
    cases = replay(histories, pools=pools)                   # every past month of every whole year, once a month
    errors = Errors.of(cases)                                # can be stored as cases and made again
    forecast = project(history, Month(2026, 6), errors, package, prepaid, pools[history.area, history.fund_type])
    forecast.expected, forecast.low, forecast.high, forecast.months, forecast.package_run_out, forecast.trace
    decompose(last_months_forecast, forecast)                # volume, price, mix, outflow, late, unsplit; sum = change
    score(cases)                                             # errors by method, year, month, place; coverage

Nothing here knows a clock, a database or a rounding of its own; nothing is paid by it.
"""

from rules.forecast.baselines import BASELINES, GROWTH, RATE, STRAIGHT, baseline
from rules.forecast.decomposition import Decomposition, decompose
from rules.forecast.estimate import ACTUAL, COMPLETED, KINDS, MISSING, PROJECTED, Pool, pools_of
from rules.forecast.forecast import Forecast, ForecastMonth, RunOut, project
from rules.forecast.history import ForecastError, History
from rules.forecast.replaying import METHODS, PROJECTION, Case, Errors, replay
from rules.forecast.scoring import Line, Score, score

__all__ = [
    "ACTUAL", "BASELINES", "COMPLETED", "GROWTH", "KINDS", "METHODS", "MISSING", "PROJECTED", "PROJECTION", "RATE",
    "STRAIGHT", "Case", "Decomposition", "Errors", "Forecast", "ForecastError", "ForecastMonth", "History", "Line",
    "Pool", "RunOut", "Score", "baseline", "decompose", "pools_of", "project", "replay", "score",
]  # fmt: skip
