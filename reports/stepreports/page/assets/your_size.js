"use strict";

// What to use at a size that the reader names: measured, or between two sizes that were. Never beyond them.

const FAR_APART = 50; // times as many elements: a range between such neighbours is to be measured, not believed

function yourSize(data) {
  const section = document.getElementById("size");
  const answer = document.getElementById("size-answer");
  const timed = ofTheMainView(data, section.dataset);
  const fields = sizeFields(data, timed);
  section.querySelector("form").append(...Object.values(fields).map((field) => field.closest("label")));
  section.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  let picked = chosenAtStart.get("row");

  function asked() {
    const pair = sizeIn(fields.m.value);
    if (pair) [fields.m.value, fields.n.value] = pair.map((each) => each.toLocaleString("en-US"));
    const whole = (field) => Number(field.value.replaceAll(/[,\s_]/g, ""));
    return { m: whole(fields.m), n: whole(fields.n), steps: whole(fields.steps), dtype: fields.dtype.value, device: fields.device.value };
  }

  function show() {
    const size = asked();
    const wrong = ["m", "n", "steps"].find((name) => !Number.isSafeInteger(size[name]) || size[name] < 1);
    for (const name of ["m", "n", "steps"]) fields[name].setAttribute("aria-invalid", String(name === wrong));
    if (wrong) return answer.replaceChildren(paragraph([`${wrong} must be a whole number from 1 up.`], "warning"));
    const found = candidates(data, timed, size);
    if (!found.length) return answer.replaceChildren(...beyond(data, timed, size));
    const best = found.find((each) => each.row === picked) ?? found[0];
    return answer.replaceChildren(...inSentences(data, found, best, size, section.dataset.unit), librariesTable(data, found, best, size, pick), ...lines(data, best, size));
  }

  function pick(row) {
    picked = row;
    changed();
  }

  function changed() {
    keepingFocus(answer, show);
    remember({ m: asked().m, n: asked().n, dtype: fields.dtype.value, device: fields.device.value, steps: asked().steps, row: picked });
  }

  for (const field of Object.values(fields)) field.addEventListener(field.tagName === "SELECT" ? "change" : "input", () => { picked = null; changed(); });
  show();
}

// The records of a step as the page shows it first: warm, on the most threads, in any dtype.
function ofTheMainView(data, shared) {
  const fits = (place) => ["op", "optimizer", "threads", "cache"].every((name) => String(data.cell(name, place)) === shared[name]);
  return plausible(data).filter(fits);
}

const plausible = (data) => [...Array(data.count).keys()].filter((place) => data.cell("role", place) === "row"
  && data.cell("replica", place) === 0 && !data.cell("implausible", place));

function sizeFields(data, timed) {
  const distinct = (name) => [...new Set(timed.map((place) => data.cell(name, place)))];
  const sizes = [...timed].sort((a, b) => data.cell("x_bytes", a) - data.cell("x_bytes", b));
  const middle = sizes[sizes.length >> 1];
  const field = (name, label, box) => {
    box.id = `size-${name}`;
    element("label", { htmlFor: box.id }, element("span", { textContent: label }), box);
    return box;
  };
  const typed = (name, label, value) => field(name, label, element("input", { type: "text", inputMode: "numeric", autocomplete: "off",
    value: Number.isNaN(Number(value)) ? value : Number(value).toLocaleString("en-US") }));
  const choice = (name, label, options) => {
    const box = field(name, label, element("select", {}, ...options.map(([value, text]) => element("option", { value, textContent: text }))));
    const asked = chosenAtStart.get(name);
    if (options.some(([value]) => value === asked)) box.value = asked;
    box.closest("label").hidden = options.length < 2 && name === "device";
    return box;
  };
  const devices = distinct("device").map((device) => [device, { cpu: "CPU", cuda: "GPU" }[device] ?? device]);
  return {
    m: typed("m", "m, samples", chosenAtStart.get("m") ?? data.cell("m", middle)),
    n: typed("n", "n, features", chosenAtStart.get("n") ?? data.cell("n", middle)),
    dtype: choice("dtype", "dtype", distinct("dtype").sort().reverse().map((dtype) => [dtype, dtype])),
    device: choice("device", "device", devices.length > 1 ? [["", "any"], ...devices] : devices),
    steps: typed("steps", "steps", chosenAtStart.get("steps") ?? 1000),
  };
}

// Every row that has a number at the size, the fastest step first.
function candidates(data, timed, size) {
  const fits = timed.filter((place) => data.cell("dtype", place) === size.dtype && [data.cell("device", place), ""].includes(size.device));
  const rows = new Map();
  for (const place of fits) rows.set(data.cell("row", place), [...(rows.get(data.cell("row", place)) ?? []), point(data, place)]);
  const found = [...rows].map(([row, points]) => ({ row, points, step: between(points, size) })).filter((each) => each.step);
  for (const each of found) each.total = totalOf(data, each, size);
  return found.sort((a, b) => a.step.value - b.step.value);
}

const point = (data, place) => ({ place, m: data.cell("m", place), n: data.cell("n", place), elements: data.cell("m", place) * data.cell("n", place),
  ...threeOf(data, "seconds_per_step", place) });

const threeOf = (data, name, place) => ({ value: data.cell(name, place), low: data.cell(`${name}_low`, place), high: data.cell(`${name}_high`, place) });

// The time at a size: measured, or in a range between a size with no more of either number and one with no fewer.
// A larger problem takes no less time; and an element costs as much as at the sizes from the one to the other.
function between(points, { m, n }) {
  const exact = points.find((each) => each.m === m && each.n === n);
  if (exact) return { ...exact, at: [exact], measured: true };
  const largest = (found, sign) => found.sort((a, b) => sign * (b.elements - a.elements))[0];
  const below = largest(points.filter((each) => each.m <= m && each.n <= n), 1);
  const above = largest(points.filter((each) => each.m >= m && each.n >= n), -1);
  if (!below || !above) return null;
  const elements = m * n;
  const inside = points.filter((each) => each.elements >= below.elements && each.elements <= above.elements);
  const ends = [
    Math.max(below.low, elements * Math.min(...inside.map((each) => each.low / each.elements))),
    Math.min(above.high, elements * Math.max(...inside.map((each) => each.high / each.elements))),
  ].sort(ascending);
  const part = Math.log(elements / below.elements) / Math.log(above.elements / below.elements);
  const value = Math.exp(Math.log(below.value) * (1 - part) + Math.log(above.value) * part);
  return { value: Math.min(ends[1], Math.max(ends[0], value)), low: ends[0], high: ends[1], at: [below, above], measured: false };
}

// Import, bind and compile in a first process with nothing compiled yet, and the steps.
function totalOf(data, { points, step }, { steps }) {
  const cost = (name, place) => data.cell(name, place) ?? 0;
  const { place: largest, elements } = step.at.at(-1);
  const before = points.filter((each) => each.elements <= elements); // one of them paid for the compiler
  const loading = Math.max(...before.map(({ place }) => cost("import_cold_seconds", place)));
  const binding = Math.max(...before.map(({ place, value }) => cost("bind_cold_seconds", place) + Math.max(0, cost("first_call_cold_seconds", place) - value)));
  const start = loading + binding + cost("copy_to_device_seconds", largest);
  return { start, low: start + steps * step.low, high: start + steps * step.high };
}

const range = ({ low, high }, to = " to ") => {
  const [scale, unit] = UNITS.find(([s]) => high >= s) ?? UNITS[3];
  const [from, upper] = [low, high].map((x) => significant(x / scale, high < 1.2 * low && high > low ? 3 : 2));
  return from === upper ? `${from} ${unit}` : `${from}${to}${upper} ${unit}`;
};

const significant = (x, digits) => (x === 0 ? "0" : rounded(x, digits - 1 - exponent(x)));
const plainSeconds = (x) => range({ low: x, high: x });
const shape = ({ m, n }) => sizeInWords(m, n, "synthetic");

// Words and code: what stands between backticks is code, as in the sentences of the page.
function paragraph(sentences, className = "") {
  const parts = sentences.filter(Boolean).join(" ").replaceAll(/(\d) (×|[nµm]?s\b|to \d)/g, "$1\u00a0$2").replaceAll(/× (?=\d)/g, "×\u00a0").split("`");
  return element("p", { className }, ...parts.map((part, k) => (k % 2 ? element("code", { textContent: part }) : part)));
}

function inSentences(data, found, best, size, unit) {
  const { step, total } = best;
  const where = step.measured ? "measured" : `between ${step.at.map((each) => sizeOf(data, each.place)).join(" and ")}, both measured`;
  const time = step.measured ? secondsInWords(step) : range(step);
  const lead = best === found[0] ? `\`${best.row}\` has the fastest ${unit}` : `\`${best.row}\` takes`;
  const sooner = [...found].sort((a, b) => a.total.high - b.total.high)[0];
  const told = [`At ${shape(size)} in ${size.dtype}, ${lead}${best === found[0] ? ":" : ""} ${time}, ${where}.`];
  const steps = `${size.steps.toLocaleString("en-US")} step${size.steps === 1 ? "" : "s"}`;
  const whole = [`In a new process ${steps} take ${range(total)}, of which ${plainSeconds(total.start)} go to import, bind and compile${
    sooner.row === best.row || sooner.total.high >= total.low ? "." : `; \`${sooner.row}\` is done sooner, in ${range(sooner.total)}.`}`];
  return [paragraph(told, "told"), paragraph(whole), ...doubts(data, best, size)];
}

// What to doubt of this number, beside it.
function doubts(data, { step, row }, size) {
  const notes = doubtsOf(data, step).map((doubt) => `\`${row}\` is ${doubt}.`);
  const apart = step.measured ? 1 : step.at[1].elements / step.at[0].elements;
  if (apart > FAR_APART) notes.push(`The two sizes are ${significant(apart, 2)} times apart.`);
  if (notes.length) notes.push(`To know, time it: \`${commandFor(size)}\``);
  return notes.length ? [paragraph(notes, "warning")] : [];
}

const RESTLESS = 0.25; // as stepreports.statistics.intervals.LOUD_SPREAD

// Of the records that a time comes from.
function doubtsOf(data, { at }) {
  const most = Math.max(...at.map(({ place }) => data.cell("spread", place)));
  const odd = at.find(({ place }) => data.cell("out_of_line", place));
  return [most > RESTLESS && `restless: turns varied by ${significant(100 * most, 2)} %`,
    odd && `out of line at ${sizeOf(data, odd.place)}`].filter(Boolean);
}

const commandFor = ({ m, n, dtype }) => `stepbench run --sizes ${m}x${n} --dtypes ${dtype}`;

function beyond(data, timed, size) {
  const shapes = [...new Map(timed.filter((place) => data.cell("dtype", place) === size.dtype)
    .sort((a, b) => data.cell("x_bytes", a) - data.cell("x_bytes", b)).map((place) => [sizeOf(data, place), place])).keys()];
  const some = shapes.length > 8 ? [...shapes.slice(0, 4), "…", ...shapes.slice(-3)] : shapes;
  return [paragraph([`No number at ${shape(size)} in ${size.dtype}: it does not lie between two sizes that this run measured, and nothing is told beyond them.`,
    `Measured: ${some.join(", ") || "none"}. To know, time it: \`${commandFor(size)}\``], "told")];
}

// The best row of each library: somebody may not have the library of the best.
function librariesTable(data, found, best, size, pick) {
  const libraries = new Map();
  for (const each of found) {
    const library = data.rows[each.row].library;
    if (!libraries.has(library)) libraries.set(library, each);
  }
  const shown = [...libraries.values()];
  const line = (each) => {
    const name = element("button", { type: "button", className: "name", textContent: each.row });
    name.dataset.value = each.row;
    name.setAttribute("aria-pressed", String(each === best));
    name.addEventListener("click", () => pick(each.row));
    const notes = sameNeighbours(each, best) || each.step.measured ? [] : [`between ${each.step.at.map((at) => sizeOf(data, at.place)).join(" and ")}`];
    notes.push(...doubtsOf(data, each.step));
    return element("tr", { className: each === best ? "picked" : "" },
      element("th", { scope: "row" }, name, ...(notes.length ? [element("small", { textContent: notes.join("; ") })] : [])),
      element("td", { textContent: each.step.measured ? secondsInWords(each.step) : range(each.step, "–") }),
      element("td", { textContent: each === found[0] ? "best" : `${significant(each.step.value / found[0].step.value, 2)}×` }),
      element("td", { textContent: range(each.total, "–") }),
      element("td", { textContent: plainSeconds(each.total.start) }));
  };
  const heads = ["best of its library", "a step", "× the best", `${size.steps.toLocaleString("en-US")} steps, in all`, "before the first"];
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col", textContent: head })))),
    element("tbody", {}, ...shown.map(line)));
  const group = element("div", { className: "scroll", tabIndex: 0 }, table);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "The best row of each library at this size");
  return group;
}

const sameNeighbours = (a, b) => a.step.at.map((at) => at.elements).join() === b.step.at.map((at) => at.elements).join();

function lines(data, { row }, size) {
  const look = data.rows[row];
  const code = look.own
    ? ["import my_kernel, stepkernels  # my_kernel: your file", `workspace = my_kernel.bind(stepkernels.Problem(X, y), stepkernels.Config(dtype="${size.dtype}"))`,
      `for _ in range(${size.steps}): workspace.step()`]
    : ["from stepkernels import LogisticRegression",
      `model = LogisticRegression(row="${row}", dtype="${size.dtype}", optimizer="gd", max_iter=${size.steps})`, "model.fit(X, y)"];
  const button = element("button", { type: "button", textContent: "Copy" });
  button.addEventListener("click", () => copy(button, `${code.join("\n")}\n`));
  return [element("div", { className: "snippet" }, element("pre", { tabIndex: 0 }, element("code", { textContent: code.join("\n") })), button)];
}
