"use strict";

// Every record: sorted by a click on a head, filtered by words, a page at a time, copied as CSV or Markdown.

const PAGE = 25;
const RAW = [
  ["row", "row"], ["op", "op"], ["dtype", "dtype"], ["optimizer", "optimizer"], ["threads", "threads"], ["cache", "cache"],
  ["m", "m"], ["n", "n"], ["seconds_per_step", "time"], ["turns_are", "turns"], ["share_of_limit", "of the limit"],
  ["times_matrix_form", "over the matrix form"], ["verdict_against_matrix_form", "verdict"], ["times_interpreted_loop", "over the loop"],
  ["spread", "spread"], ["bind_seconds", "bind"], ["first_call_cold_seconds", "first call"], ["dataset", "data"], ["device", "device"],
];

function rawTable(data) {
  const table = document.getElementById("raw");
  const filter = document.getElementById("filter");
  const shownColumns = shown(data);
  const words = [...Array(data.count).keys()].map((place) => searched(data, place));
  const state = { key: null, down: false, page: 0, places: [] };

  const heads = shownColumns.map(([name, label]) => {
    const button = element("button", { type: "button", textContent: label });
    button.addEventListener("click", () => sortBy(name));
    const head = element("th", { scope: "col" }, button);
    head.dataset.name = name;
    return head;
  });
  const body = element("tbody");
  table.append(element("thead", {}, element("tr", {}, ...heads)), body);

  function sortBy(name) {
    state.down = state.key === name ? !state.down : false;
    state.key = name;
    refresh();
  }

  function refresh() {
    const terms = filter.value.toLowerCase().split(/\s+/).filter(Boolean).map((term) => sizeIn(term) ?? term);
    const fits = (place) => (term) => (typeof term === "string" ? words[place].includes(term) : data.cell("m", place) === term[0] && data.cell("n", place) === term[1]);
    state.places = [];
    for (let place = 0; place < data.count; place += 1) {
      if (terms.every(fits(place))) state.places.push(place);
    }
    if (state.key) state.places.sort(comparing((place) => data.cell(state.key, place), state.down));
    state.page = 0;
    for (const head of heads) {
      const sorted = head.dataset.name === state.key;
      head.setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
    }
    show();
  }

  function show() {
    const first = state.page * PAGE;
    const visible = state.places.slice(first, first + PAGE);
    body.replaceChildren(...visible.map((place) => element("tr", {},
      ...shownColumns.map(([name]) => element("td", { textContent: written(data, name, place) })))));
    const last = first + visible.length;
    document.getElementById("count").textContent = state.places.length
      ? `${(first + 1).toLocaleString("en-US")}–${last.toLocaleString("en-US")} of ${state.places.length.toLocaleString("en-US")} records`
      : "no record matches";
    document.getElementById("before").disabled = state.page === 0;
    document.getElementById("after").disabled = last >= state.places.length;
  }

  const turn = (by) => () => { state.page += by; show(); };
  document.getElementById("before").addEventListener("click", turn(-1));
  document.getElementById("after").addEventListener("click", turn(1));
  filter.value = chosenAtStart.get("filter") ?? "";
  filter.addEventListener("input", () => { refresh(); remember({ filter: filter.value }); });
  for (const [id, write] of [["copy-csv", asCsv], ["copy-markdown", asMarkdown]]) {
    const button = document.getElementById(id);
    button.addEventListener("click", () => copy(button, write(data, Object.keys(data.columns), state.places)));
  }
  refresh();
}

// The columns in which the records differ: what all share would only push the numbers out of sight.
const shown = (data) => RAW.filter(([name]) => name === "row" || data.distinct(name).length > 1);

const searched = (data, place) => ["row", "role", "device", "op", "dtype", "optimizer", "m", "n", "dataset", "cache",
  "verdict_against_matrix_form"].map((name) => data.cell(name, place)).concat(sizeOf(data, place)).join(" ").toLowerCase();

// Nothing comes last either way; words by letter, numbers by size.
function comparing(value, down) {
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = typeof x === "number" ? x - y : String(x).localeCompare(String(y));
    return down ? -order : order;
  };
}

function written(data, name, place) {
  const value = data.cell(name, place);
  if (value === null) return "–";
  const estimate = { value, low: data.columns[`${name}_low`] ? data.cell(`${name}_low`, place) : null,
    high: data.columns[`${name}_high`] ? data.cell(`${name}_high`, place) : null };
  if (name.includes("seconds")) return secondsInWords(estimate);
  if (name.startsWith("times_")) return inWords(estimate, "×");
  if (name === "share_of_limit") return percentInWords(estimate);
  if (name === "spread") return percentInWords(estimate);
  if (name === "turns_are" && data.cell("slow_kind_share", place) !== null) return `${value}: ${kindsInWords(data, place)}`;
  if (name === "row") return value + (data.cell("replica", place) ? " (second copy)" : "") + (data.cell("implausible", place) ? " (implausible)" : "");
  return typeof value === "number" ? value.toLocaleString("en-US") : String(value);
}

// Of two kinds of turn, the share of each and its time.
function kindsInWords(data, place) {
  const share = data.cell("slow_kind_share", place);
  return [[1 - share, "fast"], [share, "slow"]].map(([part, kind]) => `${(100 * part).toPrecision(2)} % at ${secondsInWords(
    { value: data.cell(`${kind}_kind_seconds_per_step`, place), low: null, high: null })}`).join(" and ");
}

function asCsv(data, names, places) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = places.map((place) => names.map((name) => quoted(String(data.cell(name, place) ?? ""))).join(","));
  return [names.join(","), ...lines].join("\n") + "\n";
}

function asMarkdown(data, names, places) {
  const columns = shown(data);
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const lines = places.map((place) => line(columns.map(([name]) => written(data, name, place))));
  return [line(columns.map(([, label]) => label)), line(columns.map(() => "---")), ...lines].join("\n") + "\n";
}

async function copy(button, text) {
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow copying";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}
