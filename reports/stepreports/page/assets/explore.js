"use strict";

// The interactive chart: selectors choose the cases, buttons switch rows on and off, Plotly draws.

const MEASURES = {
  time: { label: "Time of one step", axis: "time of one step", words: secondsInWords, tick: tickInWords, log: true },
  speedup: { label: "Speed-up over …", axis: "times as fast", words: (e) => inWords(e, "×"), tick: (x) => `${plainNumber(x)}×`, log: true },
  share: { label: "Share of the limit", axis: "share of the measured limit", words: percentInWords, tick: (x) => `${plainNumber(x)} %`, log: false },
};
const AXES = {
  x_bytes: { label: "size of X", axis: "size of X", tick: bytesInWords },
  m: { label: "m, samples", axis: "m, samples", tick: plainNumber, holding: ["n", "dataset"] },
  n: { label: "n, features", axis: "n, features", tick: plainNumber, holding: ["m", "dataset"] },
};
const MOST_SIZES = 60; // of a line as wide as a page can show
const CASE = ["op", "dtype", "optimizer", "threads", "cache", "steps", "m", "n", "dataset"];

function explore(data) {
  const chart = document.getElementById("chart");
  const controls = document.getElementById("controls");
  const selectors = chart.dataset.selectors.split(" ");
  const measures = chart.dataset.measures.split(" ");
  const byCase = indexByCase(data);
  const select = {};
  let picked = chosenAtStart.has("rows") ? new Set(chosenAtStart.get("rows").split(",").filter(Boolean)) : null; // null: the best of each library

  const add = (name, label, options, value) => {
    const box = element("select", { id: `choose-${name}` });
    for (const [option, text] of options) box.append(element("option", { value: option, textContent: text }));
    const asked = chosenAtStart.get(`chart-${name}`);
    box.value = options.some(([option]) => option === asked) ? asked : value ?? options[0][0];
    box.addEventListener("change", () => { draw(); note(); });
    const field = element("label", { htmlFor: box.id }, element("span", { textContent: label }), box);
    field.hidden = options.length < 2;
    controls.append(field);
    select[name] = box;
  };

  const rows = Object.keys(data.rows);
  add("measure", "Show", measures.map((name) => [name, MEASURES[name].label]));
  add("baseline", "over", rows.map((r) => [r, r]), rows.find((r) => r === chart.dataset.baseline));
  add("axis", "Against", Object.entries(AXES).map(([k, a]) => [k, a.label]));
  for (const name of selectors) {
    const values = data.distinct(name).map((v) => [String(v), String(v)]);
    add(name, name, values, chart.dataset[name]);
  }
  const atFirst = Object.fromEntries(Object.entries(select).map(([name, box]) => [name, chosenAtStart.has(`chart-${name}`) ? null : box.value]));

  // What differs from what the page opens with.
  function note() {
    const changed = Object.entries(select).map(([name, box]) => [`chart-${name}`, box.value === atFirst[name] ? null : box.value]);
    remember({ ...Object.fromEntries(changed), rows: picked && ([...picked].join() || "none") });
  }

  function chosen() {
    const places = [];
    for (let place = 0; place < data.count; place += 1) {
      const fits = selectors.every((name) => String(data.cell(name, place)) === select[name].value);
      if (fits && data.cell("replica", place) === 0 && !data.cell("implausible", place)) places.push(place);
    }
    return evenly(data, places, MOST_SIZES);
  }

  function estimateAt(place) {
    if (select.measure.value === "speedup") {
      const other = byCase.get(caseKey(data, place))?.get(select.baseline.value);
      return other === undefined ? null : ratioOf(data, other, place);
    }
    const found = threeOf(data, select.measure.value === "time" ? "seconds_per_step" : "share_of_limit", place);
    return found.value === null ? null : found;
  }

  function points() {
    return chosen().map((place) => ({ place, row: data.cell("row", place), estimate: estimateAt(place) }))
      .filter((point) => point.estimate && (data.cell("role", point.place) === "row" || select.measure.value === "time"));
  }

  function draw() {
    const measure = MEASURES[select.measure.value];
    select.baseline.closest("label").hidden = select.measure.value !== "speedup";
    const found = points();
    const shown = picked ?? bestOfEach(data, found);
    const traces = tracesOf(data, found, select.axis.value, measure, shown);
    Plotly.react(chart, traces, layoutOf(data, chart, select, measure, traces), { responsive: true, displaylogo: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
    drawLegend(data, found, shown, (row) => {
      picked = new Set(shown);
      if (!picked.delete(row)) picked.add(row);
      draw();
      note();
    });
    drawNumbers(data, found, measure);
  }

  draw();
  chart.on("plotly_hover", ({ points: [point] }) => dimOthers(chart, point.data.row));
  chart.on("plotly_unhover", () => dimOthers(chart, null));
  document.addEventListener("themechange", draw);
  let width = chart.clientWidth;
  addEventListener("resize", () => {
    if (chart.clientWidth !== width) draw(); // the margin of the labels and the ticks go by the width
    width = chart.clientWidth;
  });
}

// Of each library on each device the row that is the fastest at most sizes, and of equals at the largest; the kernels of
// the user's; and what is no row, such as the limit.
function bestOfEach(data, found) {
  const wins = new Map(); // by group, how often each row is the fastest of it
  const fastest = new Map(); // by group and size
  for (const point of [...found].sort((a, b) => data.cell("x_bytes", a.place) - data.cell("x_bytes", b.place))) {
    const look = data.rows[point.row];
    const group = look && !look.own ? look.group ?? `${look.library} ${data.cell("device", point.place)}` : point.row;
    const key = JSON.stringify([group, sizeOf(data, point.place)]);
    const before = fastest.get(key);
    if (before === undefined || data.cell("seconds_per_step", point.place) < data.cell("seconds_per_step", before.place)) fastest.set(key, { ...point, group });
  }
  for (const { row, group } of fastest.values()) {
    if (!wins.has(group)) wins.set(group, new Map());
    const counts = wins.get(group);
    const count = (counts.get(row) ?? 0) + 1;
    counts.delete(row); // the latest, which is at the largest size, comes last
    counts.set(row, count);
  }
  return new Set([...wins.values()].map((counts) => [...counts].reduce((a, b) => (b[1] >= a[1] ? b : a))[0]));
}

// The line that is looked at stays, the others fade, their labels and marks with them.
function dimOthers(chart, row) {
  const drawn = chart.data.filter((trace) => trace.visible);
  const fade = (node, of) => { if (node) node.style.opacity = row === null || of === null || of === row ? "" : 0.14; };
  chart.querySelectorAll(".scatterlayer > .trace").forEach((node, k) => fade(node, drawn[k]?.row ?? null));
  chart.querySelectorAll(".infolayer .annotation").forEach((node, k) => fade(node, chart.layout.annotations[k]?.row ?? null));
}

// Of very many sizes an even choice, the largest among them.
function evenly(data, places, most) {
  const sizes = [...new Set(places.map((place) => sizeOf(data, place)))];
  if (sizes.length <= most) return places;
  const bytes = new Map(places.map((place) => [sizeOf(data, place), data.cell("x_bytes", place)]));
  const every = Math.ceil(sizes.length / most);
  const kept = new Set(sizes.sort((a, b) => bytes.get(b) - bytes.get(a)).filter((_, k) => k % every === 0));
  return places.filter((place) => kept.has(sizeOf(data, place)));
}

const caseKey = (data, place) => CASE.map((name) => data.cell(name, place)).join("|");

function indexByCase(data) {
  const index = new Map();
  for (let place = 0; place < data.count; place += 1) {
    if (data.cell("replica", place) !== 0 || data.cell("role", place) !== "row") continue;
    const key = caseKey(data, place);
    if (!index.has(key)) index.set(key, new Map());
    index.get(key).set(data.cell("row", place), place);
  }
  return index;
}

const inThousands = new Intl.NumberFormat("en-US"); // once: toLocaleString looks its rules up anew for each number

// A record's size in words; kept, for it is what fifty thousand records are grouped by.
function sizeOf(data, place) {
  data.sizes ??= [];
  return data.sizes[place] ??= sizeInWords(data.cell("m", place), data.cell("n", place), data.cell("dataset", place));
}

function sizeInWords(m, n, dataset) {
  const shape = `${inThousands.format(m)} × ${inThousands.format(n)}`;
  return dataset === "synthetic" ? shape : `${dataset} (${shape})`;
}

const isDark = () => document.documentElement.dataset.theme === "dark";
const themed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (data, row) => (data.rows[row] ? data.rows[row][isDark() ? "dark" : "light"] : themed("--ink"));

// A trace a row; against m or n, a trace for each value of what must be held, so that a line means one thing.
function tracesOf(data, found, axis, measure, shown) {
  const lines = new Map();
  for (const point of found) {
    const held = (AXES[axis].holding ?? []).map((name) => data.cell(name, point.place));
    const key = JSON.stringify([point.row, ...held]);
    if (!lines.has(key)) lines.set(key, []);
    lines.get(key).push(point);
  }
  return [...lines.values()].map((line) => {
    line.sort((a, b) => data.cell(axis, a.place) - data.cell(axis, b.place) || data.cell("m", a.place) - data.cell("m", b.place));
    return traceOf(data, joinedOnce(data, line, axis), axis, measure, shown);
  });
}

// Of points at one place of the axis the line meets the last; the others follow it, each after a gap (null).
function joinedOnce(data, line, axis) {
  const meets = (point, k) => k === line.length - 1 || data.cell(axis, point.place) !== data.cell(axis, line[k + 1].place);
  return [...line.filter(meets), ...line.filter((point, k) => !meets(point, k)).flatMap((point) => [null, point])];
}

function traceOf(data, line, axis, measure, shown) {
  const { row } = line[0];
  const look = data.rows[row] ?? { symbol: "line-ew", dash: "dot" };
  const scale = measure.log ? 1 : 100;
  const ends = (end) => line.map((point) => (point === null || point.estimate.low === null ? 0 : Math.abs(point.estimate[end] - point.estimate.value) * scale));
  return {
    type: "scatter", mode: "lines+markers", name: escaped(row), row, visible: shown.has(row), showlegend: false,
    x: line.map((point) => point && data.cell(axis, point.place)),
    y: line.map((point) => point && point.estimate.value * scale),
    error_y: { type: "data", symmetric: false, array: ends("high"), arrayminus: ends("low"), thickness: 1, width: 3 },
    line: { color: colourOf(data, row), dash: look.dash, width: 2 },
    marker: { symbol: look.symbol, size: 8 },
    text: line.map((point) => point && `<b>${escaped(row)}</b><br>${escaped(sizeOf(data, point.place))}<br>${measure.words(point.estimate)}`),
    hovertemplate: "%{text}<extra></extra>",
  };
}

// Plotly reads a little HTML in its texts; what a record says is shown as it is.
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Buttons, so that the keyboard reaches them: pressed is shown.
function drawLegend(data, found, shown, press) {
  const legend = document.getElementById("legend");
  const chart = document.getElementById("chart");
  const focused = document.activeElement?.dataset?.row;
  const buttons = [...new Set(found.map((point) => point.row))].map((row) => {
    const button = element("button", { type: "button", className: "chip" }, swatch(data, row), row);
    button.dataset.row = row;
    button.setAttribute("aria-pressed", String(shown.has(row)));
    button.addEventListener("click", () => press(row));
    if (shown.has(row)) {
      for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => dimOthers(chart, row));
      for (const event of ["mouseleave", "blur"]) button.addEventListener(event, () => dimOthers(chart, null));
    }
    return button;
  });
  legend.replaceChildren(...buttons);
  buttons.find((button) => button.dataset.row === focused)?.focus();
}

const SYMBOLS = {
  circle: "M15 2a4 4 0 1 0 .1 0z", square: "M11 2h8v8h-8z", diamond: "M15 1l5 5-5 5-5-5z", "triangle-up": "M15 1l5 9H10z",
  "triangle-down": "M15 11l5-9H10z", cross: "M13 1h4v3h3v4h-3v3h-4v-3h-3v-4h3z", x: "M11 3l2-2 2 3 2-3 2 2-2 3 2 3-2 2-2-3-2 3-2-2 2-3z",
  star: "M15 0l1.6 4.2 4.4.2-3.4 2.8 1.2 4.4L15 9.1l-3.8 2.5 1.2-4.4L9 4.4l4.4-.2z",
};

function swatch(data, row) {
  const look = data.rows[row] ?? { dash: "dot" };
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("viewBox", "0 0 30 12");
  drawn.setAttribute("class", "swatch");
  drawn.setAttribute("aria-hidden", "true");
  drawn.style.setProperty("--colour", colourOf(data, row));
  const shape = (d, properties) => {
    const path = document.createElementNS(drawn.namespaceURI, "path");
    for (const [name, value] of Object.entries({ d, ...properties })) path.setAttribute(name, value);
    drawn.append(path);
  };
  const dashes = { solid: "none", dash: "5 3", dot: "2 2" }[look.dash];
  shape("M0 6h30", { stroke: "currentColor", "stroke-width": 2, "stroke-dasharray": dashes });
  if (look.symbol) shape(SYMBOLS[look.symbol], { fill: "currentColor" });
  return drawn;
}

// The chart's numbers as a table: for those who do not see the chart, and to copy from.
function drawNumbers(data, found, measure) {
  const sizes = [...new Map(found.map((p) => [sizeOf(data, p.place), data.cell("x_bytes", p.place)]))].sort((a, b) => a[1] - b[1]);
  const shown = sizes.slice(-12).map(([size]) => size);
  const rows = new Map();
  for (const point of found) {
    if (!rows.has(point.row)) rows.set(point.row, new Map());
    rows.get(point.row).set(sizeOf(data, point.place), measure.words(point.estimate));
  }
  const head = element("tr", {}, element("th", { scope: "col", textContent: "row" }),
    ...shown.map((size) => element("th", { scope: "col", textContent: size })));
  const lines = [...rows].map(([row, cells]) => element("tr", {}, element("th", { scope: "row", textContent: row }),
    ...shown.map((size) => element("td", { textContent: cells.get(size) ?? "–" }))));
  document.getElementById("numbers").replaceChildren(element("thead", {}, head), element("tbody", {}, ...lines));
}
