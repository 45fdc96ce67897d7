"use strict";

function chooseLadders() {
  const box = document.getElementById("choose-ladder");
  const ladders = [...document.querySelectorAll("[data-ladder]")];
  if (!box) return;
  const size = () => box.selectedOptions[0].textContent;
  const show = () => ladders.forEach((ladder) => { ladder.hidden = ladder.dataset.ladder !== box.value; });
  const asked = [...box.options].find((option) => option.textContent === chosenAtStart.get("ladder"));
  if (asked) box.value = asked.value;
  box.addEventListener("change", () => { show(); remember({ ladder: size() }); });
  show();
}

// On paper everything is open and on white; the summaries, which are left out there, have nothing to open.
function printWhole() {
  let closed = [];
  let theme = null;
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme;
    for (const each of closed) each.open = false;
  });
}

// `data-ready` tells that everything is in its place.
async function start() {
  followTheme();
  chooseLadders();
  printWhole();
  const data = await loadRecords();
  if (data.count) await show(data);
  document.documentElement.dataset.ready = "";
}

async function show(data) {
  if (document.getElementById("size")) yourSize(data);
  if (document.getElementById("heat")) heatTable(data);
  rawTable(data);
  if (!document.getElementById("plotly")) return;
  document.head.append(element("script", { textContent: await unpacked("plotly") }));
  document.documentElement.classList.add("charted");
  explore(data);
}

start();
