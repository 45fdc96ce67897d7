"use strict";

// The table of every published machine: filters hide lines, and sizes at which nothing is left.

function filterMachines() {
  const table = document.getElementById("published");
  if (!table) return;
  const boxes = [...document.querySelectorAll("[data-filter]")];
  const lines = [...table.tBodies[0].rows];
  document.getElementById("filters").hidden = boxes.length === 0;

  const chosen = new URLSearchParams(location.hash.slice(1));
  for (const box of boxes) {
    const value = chosen.get(box.dataset.filter);
    if (value !== null && [...box.options].some((option) => option.value === value)) box.value = value;
    box.addEventListener("change", () => { refresh(); remember(); });
  }

  function refresh() {
    for (const line of lines) {
      line.hidden = boxes.some((box) => box.value && line.dataset[box.dataset.filter] !== box.value);
    }
    const left = lines.filter((line) => !line.hidden);
    for (let column = 1; column < table.tHead.rows[0].cells.length; column += 1) {
      const empty = left.every((line) => line.cells[column].textContent === "–");
      for (const row of [table.tHead.rows[0], ...lines]) row.cells[column].hidden = empty;
    }
    document.getElementById("shown").textContent = left.length
      ? `${left.length.toLocaleString("en-US")} of ${lines.length.toLocaleString("en-US")} lines`
      : "No row was timed so: choose all somewhere.";
  }

  // The address holds what is chosen, so that it can be passed on.
  function remember() {
    const words = new URLSearchParams(boxes.map((box) => [box.dataset.filter, box.value]));
    history.replaceState(null, "", `#${words}`);
  }

  refresh();
}

followTheme();
filterMachines();
document.documentElement.dataset.ready = "";
