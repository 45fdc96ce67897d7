"use strict";

// The axes of the chart, with ticks at 1, 2 and 5 in units, and the labels at the ends of its lines.

const LABEL_PIXELS = 15; // from one label to the next
const LONGEST_LABEL = 24;
const BESIDE = 12; // pixels from the end of a line to its label

const plainNumber = (x) => Number(x.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 10 });

function bytesInWords(size) {
  const [scale, unit] = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]].find(([s]) => size >= s) ?? [1, "B"];
  return `${plainNumber(size / scale)} ${unit}`;
}

function layoutOf(data, chart, select, measure, traces) {
  const drawn = traces.filter((trace) => trace.visible);
  const narrow = chart.clientWidth < 560;
  const size = narrow ? 11 : 12;
  const font = getComputedStyle(document.body).fontFamily;
  const labels = labelsOf(drawn, `${size}px ${font}`);
  const margin = { l: narrow ? 56 : 88, r: 16 + BESIDE + Math.max(0, ...labels.map((label) => label.width)), t: 22, b: 48 };
  const room = { width: chart.clientWidth - margin.l - margin.r, height: chart.clientHeight - margin.t - margin.b };
  const kinds = AXES[select.axis.value];
  const x = scaleOf(drawn.flatMap((trace) => trace.x), true, 0.04, room.width / (narrow ? 50 : 62));
  const y = scaleOf(drawn.flatMap((trace) => trace.y.flatMap((value, k) => (value === null ? [] : [value - trace.error_y.arrayminus[k], value + trace.error_y.array[k]]))), measure.log, 0.03, room.height / 22);
  const line = { gridcolor: themed("--grid"), linecolor: themed("--faint"), zeroline: false, ticks: "outside", ticklen: 4, tickcolor: themed("--faint"), tickmode: "array" };
  const axisOf = (scale, title, tick) => ({ ...line, type: scale.log ? "log" : "linear", title: { text: title, standoff: 8 }, range: scale.range, tickvals: scale.ticks, ticktext: scale.ticks.map(tick) });
  const marks = select.axis.value === "x_bytes" ? cacheMarks(data, x) : [];
  return {
    autosize: true, margin, hovermode: "closest", dragmode: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: themed("--ink"), family: font, size },
    hoverlabel: { bgcolor: themed("--card"), bordercolor: themed("--faint"), font: { color: themed("--ink") } },
    xaxis: axisOf(x, kinds.axis, kinds.tick),
    yaxis: axisOf(y, narrow ? "" : measure.axis, measure.tick), // on a phone the selector says it
    shapes: marks.map(([, at]) => ({ type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper",
      line: { color: themed("--faint"), width: 1, dash: "dot" } })),
    annotations: [...marks.map(([name, at]) => ({ row: null, x: Math.log10(at), y: 1, yref: "paper", yanchor: "bottom", text: escaped(name),
      showarrow: false, font: { color: themed("--faint"), size: 11 } })), ...placed(labels, x, y, room)],
  };
}

// The range of an axis with some room at its ends, and its ticks, at most so many.
function scaleOf(values, isLog, room, most) {
  const found = values.filter((value) => value !== null && (value > 0 || !isLog));
  let [low, high] = found.length ? [Math.min(...found), Math.max(...found)] : [1, 10];
  if (!isLog) return { log: false, range: [0, Math.max(high, 100) * 1.05], ticks: linearTicks(0, Math.max(high, 100) * 1.05, Math.min(most, 11)) };
  if (high < 1.6 * low) [low, high] = [low / 1.3, high * 1.3];
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const range = [from - room * (to - from), to + room * (to - from)];
  return { log: true, range, ticks: logTicks(10 ** range[0], 10 ** range[1], most) };
}

// 1, 2 and 5 of each decade; where those are too many, 1 alone, or that of every other decade.
function logTicks(low, high, most) {
  for (const [parts, every] of [[[1, 2, 5], 1], [[1], 1], [[1], 2], [[1], 3], [[1], 4]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      if (power % every === 0) found.push(...parts.map((part) => Number(`${part}e${power}`)).filter((tick) => tick >= low && tick <= high));
    }
    if (found.length <= Math.max(2, most)) return found.length > 1 ? found : linearTicks(low, high, 4);
  }
  return [low, high];
}

function cacheMarks(data, { range: [from, to] }) {
  return Object.entries(data.caches).filter(([, size]) => Math.log10(size) > from && Math.log10(size) < to);
}

// A label for each row, at the end of the line that goes farthest.
function labelsOf(drawn, font) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font;
  const ends = new Map();
  for (const trace of drawn) {
    const last = trace.x.indexOf(null) === -1 ? trace.x.length - 1 : trace.x.indexOf(null) - 1;
    const end = { row: trace.row, x: trace.x[last], y: trace.y[last], colour: trace.line.color, text: shortened(trace.row) };
    if (!(ends.get(trace.row)?.x >= end.x)) ends.set(trace.row, { ...end, width: Math.ceil(context.measureText(end.text).width) });
  }
  return [...ends.values()];
}

const shortened = (label) => (label.length <= LONGEST_LABEL ? label : `${label.slice(0, LONGEST_LABEL - 1)}…`);

// Beside their ends; those of lines that end together are spread apart, just enough not to stand on one another.
function placed(labels, x, y, room) {
  const pixel = (value) => room.height * (1 - ((y.log ? Math.log10(value) : value) - y.range[0]) / (y.range[1] - y.range[0]));
  const columns = grouped(labels, (label) => label.x);
  const last = Math.max(...columns.keys());
  const left = (label) => label.x < last && room.width * ((Math.log10(label.x) - x.range[0]) / (x.range[1] - x.range[0])) + BESIDE + label.width > room.width;
  return [...columns.values()].flatMap((column) => {
    const ordered = column.sort((a, b) => pixel(a.y) - pixel(b.y));
    const wanted = ordered.map((label) => pixel(label.y));
    return spreadApart(wanted, LABEL_PIXELS, 0, room.height).map((at, k) => ({
      row: ordered[k].row, text: escaped(ordered[k].text), x: Math.log10(ordered[k].x), y: y.log ? Math.log10(ordered[k].y) : ordered[k].y,
      ax: left(ordered[k]) ? -BESIDE - 4 : BESIDE + 4, ay: at - wanted[k], xanchor: left(ordered[k]) ? "right" : "left", yanchor: "middle", align: "left", showarrow: true, arrowhead: 0, arrowwidth: 1,
      standoff: 5, borderpad: 0, arrowcolor: ordered[k].colour, bgcolor: themed("--paper"), font: { color: themed("--ink") },
    }));
  });
}

function grouped(items, key) {
  const found = new Map();
  for (const item of items) found.set(key(item), [...(found.get(key(item)) ?? []), item]);
  return found;
}

// As stepreports.figures.axes.spread_apart: in the same order, `gap` apart, as near as can be to what is wanted.
function spreadApart(wanted, gap, low, high) {
  const pools = [];
  wanted.forEach((position, index) => {
    let [mean, count] = [position - index * gap, 1];
    while (pools.length && pools.at(-1)[0] > mean) {
      const [before, members] = pools.pop();
      [mean, count] = [(before * members + mean * count) / (members + count), members + count];
    }
    pools.push([mean, count]);
  });
  const room = high - gap * (wanted.length - 1);
  return pools.flatMap(([mean, count]) => Array(count).fill(mean)).map((flat, index) => Math.min(Math.max(flat, Math.min(low, room)), room) + gap * index);
}
