"use strict";

// Every turn of every generation of a record as dots, in the order in which they were taken; p5 to p95 as a band.

const SVG = "http://www.w3.org/2000/svg";
const PLOT = { width: 640, height: 250, left: 66, right: 58, top: 16, bottom: 34 };

function showTurns(data, place, best) {
  const dialog = document.getElementById("turns");
  const row = data.cell("row", place);
  const { over, told, isBest } = standing(data, place, best);
  const about = [`${data.cell("op", place)}, ${data.cell("dtype", place)}`, `${secondsInWords(threeOf(data, "seconds_per_step", place))} a step`,
    isBest ? "the best of those shown" : over && `${inWords(over, "×")} the time of \`${data.cell("row", best)}\`${told ? "" : ", which cannot be told"}`,
    data.cell("share_of_limit", place) !== null && `${percentInWords(threeOf(data, "share_of_limit", place))} of the limit`].filter(Boolean);
  const doubt = doubtsOf(data, { at: [{ place }] });
  const close = element("button", { type: "button", textContent: "Close", autofocus: true });
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(element("h3", { textContent: `${row} at ${sizeOf(data, place)}` }), paragraph([`${about.join("; ")}.`]),
    ...(doubt.length ? [paragraph([`Look twice: ${doubt.join("; ")}.`], "warning")] : []), turnsDrawn(data, place),
    paragraph(["Each dot is a turn, in its order; the band holds nine in ten of them, the line is the middle one."], "note"), close);
  dialog.showModal();
}

function turnsDrawn(data, place) {
  const layout = data.layouts[data.layout[place]];
  const seconds = data.turns[place].map((count) => count * data.units[place]);
  const sorted = [...seconds].sort(ascending);
  const [low, middleOne, high] = [0.05, 0.5, 0.95].map((part) => quantile(sorted, part));
  const { width, height, left, right, top, bottom } = PLOT;
  const ends = [Math.min(sorted[0], low), sorted.at(-1)];
  const room = (ends[1] - ends[0] || ends[1]) * 0.06;
  const y = (value) => height - bottom - ((value - ends[0] + room) / (ends[1] - ends[0] + 2 * room)) * (height - top - bottom);
  const x = (k) => left + ((k + 0.5) / seconds.length) * (width - left - right);
  const drawn = svgNode("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${seconds.length} turns, nine in ten between ${secondsInWords({ value: low, low: null })} and ${secondsInWords({ value: high, low: null })}` });
  const text = (string, at) => Object.assign(svgNode("text", at), { textContent: string });
  drawn.append(svgNode("rect", { class: "band", x: left, width: width - left - right, y: y(high), height: Math.max(1, y(low) - y(high)) }));
  drawn.append(svgNode("path", { class: "middle", d: `M${left} ${y(middleOne)}H${width - right}` }));
  for (const [name, value] of apartBy([["p95", high], ["p50", middleOne], ["p5", low]], y, 13)) drawn.append(text(name, { x: width - right + 6, y: value + 4 }));
  for (const value of linearTicks(ends[0], ends[1], 5)) {
    drawn.append(svgNode("path", { class: "tick", d: `M${left - 4} ${y(value)}H${left}` }), text(tickInWords(value), { x: left - 8, y: y(value) + 4, "text-anchor": "end" }));
  }
  let first = 0;
  for (const generation of new Set(layout.map(([g]) => g))) {
    const count = layout.filter(([g]) => g === generation).length;
    if (first) drawn.append(svgNode("path", { class: "fence", d: `M${(x(first - 1) + x(first)) / 2} ${top}V${height - bottom}` }));
    drawn.append(text(`generation ${generation}`, { x: (x(first) + x(first + count - 1)) / 2, y: height - 10, "text-anchor": "middle" }));
    first += count;
  }
  drawn.append(...seconds.map((value, k) => svgNode("circle", { class: "turn", cx: x(k), cy: y(value), r: seconds.length > 150 ? 2 : 3.2 })));
  drawn.style.setProperty("--colour", colourOf(data, data.cell("row", place)));
  return element("div", { className: "turns" }, drawn);
}

function svgNode(tag, properties) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  return made;
}

// As numpy's quantile: linear between the two nearest.
function quantile(sorted, part) {
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

// Names at their places, pushed down where they would stand on one another.
function apartBy(named, y, gap) {
  let last = -Infinity;
  return named.map(([name, value]) => {
    last = Math.max(y(value), last + gap);
    return [name, last];
  });
}

// Steps of 1, 2 or 5 times a power of ten.
function linearTicks(low, high, most) {
  const rough = (high - low || high) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((each) => each >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k += 1) found.push(k * step);
  return found;
}

function tickInWords(value) {
  const [scale, unit] = UNITS.find(([s]) => value >= s) ?? UNITS[3];
  return `${Number((value / scale).toPrecision(4)).toLocaleString("en-US")} ${unit}`;
}
