/*
 * Charts by Apache ECharts, read from `<script type="application/json">` blocks; formats are listed in
 * templates/components/README.md. Amounts arrive as plain numbers in the unit of the card, for display only.
 * Tooltips are drawn on the canvas (richText), because HTML tooltips write style attributes a strict CSP refuses.
 */
(function () {
  "use strict";

  const css = getComputedStyle(document.documentElement);
  const token = (name) => css.getPropertyValue(name).trim();
  const COLOR = {
    blue: token("--blue"), soft: token("--blue-soft"), middle: "#5f86c2", red: token("--red"), ink: token("--ink"),
    muted: token("--muted"), grid: "#e6ebf2", axis: "#c5ccd8", range: "#c9d8ee", expected: "#f4f7fb",
  };
  const FONT = token("--font");
  const NARROW = 480;
  const short = new Intl.NumberFormat("zh-CN", { maximumFractionDigits: 2 });
  const exact = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

  const number = (value) => (value === null || value === undefined || value === "" ? null : Number(value));
  const sign = (text) => text.replace("-", "−");
  const say = (value) => (number(value) === null ? "—" : sign(exact.format(Number(value))));
  const change = (value) => (Number(value) > 0 ? "+" : "") + say(value);

  function frame(unit, more) {
    return Object.assign({
      animation: false,
      textStyle: { fontFamily: FONT, fontSize: 12 },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, borderColor: COLOR.axis, axisPointer: { type: "shadow" },
        textStyle: { fontFamily: FONT, fontSize: 12, color: COLOR.ink },
        valueFormatter: (value) => say(Array.isArray(value) ? value[1] : value) + (unit === "%" ? "%" : ""),
      },
      grid: { left: 4, right: 14, top: 36, bottom: 2, containLabel: true },
    }, more);
  }

  function categories(names, narrow) {
    return {
      type: "category", data: names, axisTick: { show: false }, axisLine: { lineStyle: { color: COLOR.axis } },
      axisLabel: { color: COLOR.muted, interval: narrow || names.length > 14 ? "auto" : 0, hideOverlap: true },
    };
  }

  function values(unit, more) {
    return Object.assign({
      type: "value", splitLine: { lineStyle: { color: COLOR.grid } },
      axisLabel: { color: COLOR.muted, formatter: (value) => sign(short.format(value)) + (unit === "%" ? "%" : "") },
    }, more);
  }

  function legend(narrow, names) {
    return { top: 0, left: 0, itemWidth: 16, itemHeight: 8, itemGap: narrow ? 10 : 16, data: names, textStyle: { color: "#414d62", fontSize: 12, fontFamily: FONT } };
  }

  function limitLines(limits) {
    if (!limits || !limits.length) { return undefined; }
    return {
      silent: true, symbol: "none",
      data: limits.map((limit) => ({
        yAxis: number(limit.value),
        lineStyle: { type: "dashed", width: 1.2, color: limit.red ? COLOR.red : COLOR.muted },
        label: { formatter: limit.name, position: limit.at === "end" ? "insideEndTop" : "insideStartTop", color: limit.red ? COLOR.red : COLOR.muted, fontSize: 11.5, fontFamily: FONT },
      })),
    };
  }

  const LOOKS = {
    solid: { item: { color: COLOR.blue }, line: { width: 2, color: COLOR.blue } },
    middle: { item: { color: COLOR.middle }, line: { width: 2, color: COLOR.middle } },
    soft: { item: { color: COLOR.soft }, line: { width: 2, color: "#7d94ba" } },
    expected: { item: { color: COLOR.expected, borderColor: "#7d94ba", borderType: "dashed", borderWidth: 1 }, line: { width: 2, type: "dashed", color: COLOR.blue } },
    dashed: { item: { color: COLOR.ink }, line: { width: 1.8, type: "dashed", color: COLOR.ink } },
    ink: { item: { color: COLOR.ink }, line: { width: 1.6, color: COLOR.ink } },
    red: { item: { color: COLOR.red }, line: { width: 2, color: COLOR.red } },
  };
  const ORDER = ["solid", "soft", "middle", "ink"];

  function series(source, kind) {
    return (data) => data.series.map(function (row, index) {
      const look = LOOKS[row.look || ORDER[index % ORDER.length]];
      const type = row.type || (kind === "line" ? "line" : "bar");
      const drawn = { name: row.name, type: type, data: row.data.map(number), itemStyle: look.item };
      if (type === "line") {
        Object.assign(drawn, { lineStyle: look.line, symbolSize: row.look === "ink" ? 0 : 6, symbol: "circle", step: row.step ? "middle" : false });
      } else {
        Object.assign(drawn, { barMaxWidth: 28, stack: kind === "stacked" ? "all" : row.stack });
      }
      if (index === 0) { drawn.markLine = limitLines(data.limits); }
      return drawn;
    });
  }

  function plain(kind) {
    return (data, unit, narrow) => frame(unit, {
      legend: legend(narrow),
      xAxis: categories(data.categories, narrow),
      yAxis: values(unit, { min: number(data.min) === null ? undefined : number(data.min), max: number(data.max) === null ? undefined : number(data.max), scale: kind === "line" }),
      series: series(data, kind)(data),
    });
  }

  /** Each step as a visible bar from the level before to the level after; a bar across zero is drawn in two parts. */
  function waterfallBars(steps) {
    let level = 0;
    return steps.map(function (step) {
      const value = Number(step.value);
      const from = step.kind === "total" ? 0 : level;
      level = step.kind === "total" ? value : level + value;
      const low = Math.min(from, level), high = Math.max(from, level);
      return low < 0 && high > 0 ? { base: 0, up: high, down: low } : low >= 0 ? { base: low, up: high - low, down: 0 } : { base: high, up: 0, down: low - high };
    });
  }

  function waterfall(data, unit, narrow) {
    const bars = waterfallBars(data.steps);
    const fill = { total: COLOR.blue, plus: COLOR.middle, minus: COLOR.soft, bad: COLOR.red };
    const label = (step) => (step.kind === "total" ? say(step.value) : change(step.value));
    const names = data.steps.map((step) => step.name);
    const bar = (part) => ({
      type: "bar", stack: "w", barMaxWidth: narrow ? 18 : 54,
      data: bars.map((one, index) => ({ value: one[part] || null, itemStyle: { color: fill[data.steps[index].kind] || COLOR.soft } })),
      label: {
        show: true, position: narrow ? "right" : part === "up" ? "top" : "bottom", color: COLOR.ink, fontSize: 12, fontFamily: FONT,
        formatter: (point) => (part === "down" && bars[point.dataIndex].up ? "" : label(data.steps[point.dataIndex])),
      },
    });
    const below = bars.some((one) => one.base < 0 || one.down < 0);
    const amounts = values(unit, Object.assign(narrow ? { splitNumber: 3 } : {}, below ? { boundaryGap: ["14%", "10%"] } : {}));
    const labels = Object.assign(categories(names, false), narrow ? { inverse: true } : {}, { axisLabel: { color: "#3f4b60", interval: 0, fontSize: narrow ? 11.5 : 12, width: narrow ? 96 : undefined, overflow: narrow ? "break" : undefined } });
    return frame(unit, {
      grid: { left: 4, right: narrow ? 70 : 10, top: narrow ? 4 : 24, bottom: 2, containLabel: true },
      tooltip: Object.assign(frame(unit).tooltip, { trigger: "item", formatter: (point) => names[point.dataIndex] + "\n" + label(data.steps[point.dataIndex]) + " " + unit }),
      xAxis: narrow ? amounts : labels, yAxis: narrow ? labels : amounts,
      series: [{ type: "bar", stack: "w", silent: true, barMaxWidth: narrow ? 18 : 54, itemStyle: { color: "transparent" }, data: bars.map((one) => one.base) }, bar("up"), bar("down")],
    });
  }

  function band(data, unit, narrow) {
    const low = data.low.map(number), high = data.high.map(number);
    const edge = { type: "line", stack: "band", stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
    const line = (name, rows, dashed) => ({ name: name, type: "line", data: rows.map(number), symbol: "circle", symbolSize: 6, itemStyle: { color: COLOR.blue }, lineStyle: { width: 2, color: COLOR.blue, type: dashed ? "dashed" : "solid" } });
    const rangeName = data.range_name || "80% 区间";
    const at = (index) => [["实际", data.actual[index]], ["预计", data.projected[index]]].filter((pair) => number(pair[1]) !== null).map((pair) => pair[0] + "  " + say(pair[1]));
    return frame(unit, {
      legend: Object.assign(legend(narrow, ["实际", "预计", rangeName]), { itemWidth: 24 }),
      tooltip: Object.assign(frame(unit).tooltip, {
        formatter: function (points) {
          const index = points[0].dataIndex, lines = [data.categories[index]].concat(at(index));
          if (low[index] !== null) { lines.push(rangeName + "  " + say(low[index]) + " ~ " + say(high[index])); }
          return lines.join("\n");
        },
      }),
      xAxis: Object.assign(categories(data.categories, narrow), { boundaryGap: false, axisLine: { onZero: false, lineStyle: { color: COLOR.axis } } }),
      yAxis: values(unit, { scale: true }),
      series: [
        Object.assign({ name: "low", data: low }, edge),
        Object.assign({ name: rangeName, data: high.map((top, index) => (top === null ? null : top - low[index])) }, edge, { itemStyle: { color: COLOR.range }, areaStyle: { color: COLOR.range, opacity: 0.85 } }),
        Object.assign(line("实际", data.actual, false), { markLine: limitLines(data.limits) }),
        Object.assign(line("预计", data.projected, true), data.end_label ? {
          endLabel: { show: true, formatter: () => data.end_label, color: data.end_red ? COLOR.red : COLOR.blue, fontWeight: 600, fontSize: 12, fontFamily: FONT, align: "right", offset: [-4, -14] },
        } : {}),
      ],
    });
  }

  const KINDS = { bar: plain("bar"), stacked: plain("stacked"), line: plain("line"), waterfall: waterfall, band: band };

  /* ---- tables: the same figures for eyes, screen readers and copying; a heat map is a table by itself ---- */

  function cell(row, tag, text, className) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) { made.className = className; }
    if (tag === "th") { made.scope = row.parentElement && row.parentElement.tagName === "THEAD" ? "col" : "row"; }
    row.append(made);
    return made;
  }

  function table(heads, rows, className) {
    const made = document.createElement("table");
    made.className = "table nowrap " + (className || "tight");
    const head = made.createTHead().insertRow(), body = made.createTBody();
    heads.forEach((text, index) => cell(head, "th", text, index ? "num" : ""));
    rows.forEach(function (texts) {
      const row = body.insertRow();
      texts.forEach((text, index) => cell(row, index ? "td" : "th", text, index ? "num" : ""));
    });
    return made;
  }

  function dataTable(kind, data, unit) {
    const last = "（" + unit + "）";
    if (kind === "waterfall") { return table(["项目", "金额" + last], data.steps.map((step) => [step.name, step.kind === "total" ? say(step.value) : change(step.value)])); }
    if (kind === "band") {
      return table(["期间", "实际" + last, "预计", "区间下限", "区间上限"], data.categories.map((name, index) => [name].concat(["actual", "projected", "low", "high"].map((part) => say(data[part][index])))));
    }
    return table(["项目"].concat(data.series.map((row) => row.name + last)), data.categories.map((name, index) => [name].concat(data.series.map((row) => say(row.data[index])))));
  }

  function heatmap(place, data, unit) {
    const words = data.words || {};
    const known = data.values.flat().map(number).filter((value) => value !== null);
    const top = Math.max(...known, 1);
    const made = table([data.corner || "项目"].concat(data.columns), data.rows.map((name, index) => [name].concat(data.values[index].map((value) => words[value] || (number(value) === null ? "—" : short.format(number(value)))))), "heat");
    data.values.forEach((row, line) => row.forEach(function (value, column) {
      const level = number(value) === null ? "none" : number(value) === 0 ? "0" : String(Math.max(1, Math.ceil(number(value) / top * 5)));
      made.tBodies[0].rows[line].cells[column + 1].classList.add("heat-" + level);
    }));
    place.classList.add("chart-table-only");
    place.removeAttribute("role");
    made.setAttribute("aria-label", place.getAttribute("aria-label") + "，单位 " + unit);
    place.removeAttribute("aria-label");
    place.append(made);
  }

  function drawOne(place) {
    if (place.dataset.drawn) { return; }
    place.dataset.drawn = "yes";
    const data = JSON.parse(document.getElementById(place.dataset.source).textContent);
    const unit = place.dataset.unit || "万元", kind = place.dataset.chart;
    const fold = document.querySelector('[data-chart-table="' + place.dataset.source + '"]');
    if (kind === "heatmap") {
      heatmap(place, data, unit);
      if (fold) { fold.remove(); }
      return;
    }
    if (fold) {
      const wrap = Object.assign(document.createElement("div"), { className: "table-wrap", tabIndex: 0 });
      wrap.setAttribute("role", "group");
      wrap.setAttribute("aria-label", "数据表");
      wrap.append(dataTable(kind, data, unit));
      fold.append(wrap);
    }
    let chart = null, narrow = null;
    new ResizeObserver(function () {
      if (!place.clientWidth || window.matchMedia("print").matches) { return; }
      const now = place.clientWidth < NARROW;
      if (!chart) { chart = window.echarts.init(place, null, { renderer: "canvas", devicePixelRatio: Math.max(2, window.devicePixelRatio || 1) }); }
      if (now !== narrow) { narrow = now; chart.clear(); chart.setOption(KINDS[kind](data, unit, narrow)); }
      chart.resize();
    }).observe(place);
  }

  window.fundCharts = {
    draw: function (root) {
      Array.from((root.parentElement || document).querySelectorAll("[data-chart]")).forEach(drawOne);
    },
  };
}());
