"use strict";

// Every choice of the page stands in its address, so that what is seen can be linked to; the parts after # stay free
// for the sections.
const chosenAtStart = new URLSearchParams(location.search);

function remember(choices) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(choices)) {
    if (value === null || value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  try {
    history.replaceState(null, "", address);
  } catch { /* a browser that keeps the addresses of files as they are */ }
}

// A size as the command line, or the page, writes it: 1000x20, 1,000 × 20.
function sizeIn(text) {
  const found = /^\s*(\d[\d,]*)\s*[x×*]\s*(\d[\d,]*)\s*$/i.exec(text);
  return found && found.slice(1).map((digits) => Number(digits.replaceAll(",", "")));
}

// Buttons of which one, or of several any, are pressed.
function chips(label, values, isPressed, press) {
  const buttons = values.map(([value, text]) => {
    const button = element("button", { type: "button", className: "chip", textContent: text });
    button.dataset.value = value;
    button.setAttribute("aria-pressed", String(isPressed(value)));
    button.addEventListener("click", () => press(value));
    return button;
  });
  const group = element("div", { className: "chips" }, element("span", { textContent: label }), ...buttons);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  return group;
}

// Redraws and leaves the focus on the button that was pressed, which is made anew.
function keepingFocus(inside, redraw) {
  const focused = inside.contains(document.activeElement) ? document.activeElement : null;
  const [group, value] = [focused?.closest("[role=group]")?.getAttribute("aria-label"), focused?.dataset.value];
  redraw();
  if (value === undefined) return;
  [...inside.querySelectorAll("[role=group]")].find((each) => each.getAttribute("aria-label") === group)
    ?.querySelector(`[data-value="${CSS.escape(value)}"]`)?.focus();
}
