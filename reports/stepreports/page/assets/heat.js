"use strict";

// Rows × sizes: how many times as long as the best a row takes, and how long; hatched where the turns cannot tell.

const KEYS = ["op", "steps", "dtype", "optimizer", "threads", "cache"]; // one of each is shown
const DEVICES = { cpu: "CPU", cuda: "GPU" };
const LEAST_TURNS = 5; // of fewer, an interval has no confidence worth the name: reachable_confidence
const SHADES = 6;
const MOST_COLUMNS = 24;

function heatTable(data) {
  const table = document.getElementById("heat");
  const controls = document.getElementById("heat-chips");
  const all = plausible(data);
  const key = Object.fromEntries(KEYS.map((name) => [name, chosenAtStart.get(`table-${name}`) ?? table.dataset[name]]));
  const without = { library: setOf("table-without"), device: setOf("table-without-device") };

  function show() {
    let places = all;
    const groups = [];
    for (const name of KEYS) {
      const values = [...new Set(places.map((place) => String(data.cell(name, place))))];
      if (!values.includes(key[name])) key[name] = values[0];
      if (values.length > 1) groups.push(chips(name, values.map((value) => [value, value]), (value) => value === key[name], (value) => press(() => { key[name] = value; })));
      places = places.filter((place) => String(data.cell(name, place)) === key[name]);
    }
    const of = { library: (place) => data.rows[data.cell("row", place)].library, device: (place) => data.cell("device", place) };
    for (const [name, hidden] of Object.entries(without)) {
      const values = [...new Set(places.map(of[name]))];
      if (values.length > 1) groups.push(chips(name, values.map((value) => [value, DEVICES[value] ?? value]), (value) => !hidden.has(value), (value) => press(() => hidden.delete(value) || hidden.add(value))));
    }
    const shown = places.filter((place) => Object.entries(without).every(([name, hidden]) => !hidden.has(of[name](place))));
    keepingFocus(controls, () => controls.replaceChildren(...groups));
    table.replaceChildren(...(shown.length ? filled(data, evenly(data, shown, MOST_COLUMNS)) : [element("caption", { textContent: "Every row is switched off." })]));
  }

  function press(change) {
    change();
    show();
    remember({ ...Object.fromEntries(KEYS.map((name) => [`table-${name}`, key[name] === table.dataset[name] ? null : key[name]])),
      "table-without": [...without.library].join(), "table-without-device": [...without.device].join() });
  }

  show();
}

const setOf = (name) => new Set((chosenAtStart.get(name) ?? "").split(",").filter(Boolean));

function filled(data, places) {
  const sizes = new Map(); // by size, the place of each row
  for (const place of [...places].sort((a, b) => data.cell("x_bytes", a) - data.cell("x_bytes", b))) {
    const size = sizeOf(data, place);
    if (!sizes.has(size)) sizes.set(size, new Map());
    sizes.get(size).set(data.cell("row", place), place);
  }
  const best = new Map([...sizes].map(([size, rows]) => [size, [...rows.values()].reduce((a, b) => (data.cell("seconds_per_step", b) < data.cell("seconds_per_step", a) ? b : a))]));
  const names = Object.keys(data.rows).filter((row) => places.some((place) => data.cell("row", place) === row));
  const head = element("tr", {}, element("th", { scope: "col", textContent: "row" }), ...[...sizes.keys()].map((size) => element("th", { scope: "col" }, ...brokenSize(size))));
  const lines = names.map((row) => element("tr", {}, element("th", { scope: "row" }, dotOf(data, row), row),
    ...[...sizes].map(([size, rows]) => (rows.has(row) ? heatCell(data, rows.get(row), best.get(size)) : element("td", { textContent: "–" })))));
  return [element("thead", {}, head), element("tbody", {}, ...lines)];
}

// A data set's name stands above its size.
function brokenSize(size) {
  const found = /^(.*) \((.* × .*)\)$/.exec(size);
  return found ? [element("small", { textContent: found[1] }), found[2]] : [size];
}

function dotOf(data, row) {
  const dot = element("i", { className: "dot" });
  dot.style.setProperty("--light", data.rows[row].light);
  dot.style.setProperty("--dark", data.rows[row].dark);
  return dot;
}

// How a record stands to the best of its case: `told` is whether the turns that both have can tell them apart.
function standing(data, place, best) {
  const over = place === best ? null : ratioOf(data, place, best);
  const surely = over && over.low !== null && over.turns >= LEAST_TURNS && over.low > 1 + data.cell("margin", place);
  return { over, told: Boolean(surely), isBest: place === best };
}

function heatCell(data, place, best) {
  const { over, told, isBest } = standing(data, place, best);
  const times = isBest ? "best" : over ? `${significant(over.value, over.value < 100 ? 2 : 1)}×` : "?";
  const doubt = doubtsOf(data, { at: [{ place }] });
  const button = element("button", { type: "button" }, element("strong", { textContent: times }), element("span", { textContent: secondsInWords({ value: data.cell("seconds_per_step", place), low: null }) }));
  if (doubt.length) button.append(element("sup", { textContent: data.cell("out_of_line", place) ? "!" : "~" }));
  button.title = [isBest ? "the best" : told ? "" : "cannot be told from the best", ...doubt].filter(Boolean).join("; ");
  button.setAttribute("aria-label", `${data.cell("row", place)} at ${sizeOf(data, place)}: ${times}, ${secondsInWords({ value: data.cell("seconds_per_step", place), low: null })}${button.title ? `; ${button.title}` : ""}. Show its turns.`);
  button.addEventListener("click", () => showTurns(data, place, best));
  const shade = isBest ? 0 : over ? Math.min(SHADES, 1 + Math.floor(Math.log2(Math.max(1, over.value)))) : SHADES;
  return element("td", { className: `shade-${shade}${told || isBest ? "" : " untold"}` }, button);
}
