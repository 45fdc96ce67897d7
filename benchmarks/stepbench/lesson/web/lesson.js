"use strict";

const data = JSON.parse(document.getElementById("lesson-data").textContent);
const byId = (id) => document.getElementById(id);
const written = (value, places) => value.toFixed(places).replace(/^-(?=[0.]*$)/, "").replace("-", "\u2212");

// From the exponential that cannot overflow.
function sigmoid(z) {
  const decay = Math.exp(-Math.abs(z));
  return (z >= 0 ? 1 : decay) / (1 + decay);
}

// The theme follows the system until the reader chooses.
function followTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const button = byId("theme");
  let choice = null;
  const apply = () => {
    root.dataset.theme = choice ?? (system.matches ? "dark" : "light");
    button.textContent = root.dataset.theme === "dark" ? button.dataset.light : button.dataset.dark;
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    choice = root.dataset.theme === "dark" ? "light" : "dark";
    apply();
  });
  apply();
}

function neuronSliders() {
  const { left, right, top, bottom, furthest, centre } = data.picture;
  const across = (hour) => left + (hour / furthest) * (right - left);
  const up = (answer) => bottom - answer * (bottom - top);
  const draw = () => {
    const w = byId("weight").valueAsNumber;
    const b = byId("bias").valueAsNumber;
    const points = Array.from({ length: 171 }, (_, k) => (k * furthest) / 170);
    const curve = points.map((hour) => `${across(hour).toFixed(1)},${up(sigmoid(w * (hour - centre) + b)).toFixed(1)}`);
    byId("curve").setAttribute("d", `M${curve.join("L")}`);
    const place = w === 0 ? NaN : centre - b / w;
    const visible = place >= 0 && place <= furthest;
    byId("boundary").setAttribute("visibility", visible ? "visible" : "hidden");
    if (visible) ["x1", "x2"].forEach((end) => byId("boundary").setAttribute(end, across(place)));
    const hits = data.hours.filter((hour, i) => w * (hour - centre) + b >= 0 === (data.passed[i] === 1));
    byId("weight-value").textContent = written(w, 2);
    byId("bias-value").textContent = written(b, 2);
    byId("boundary-value").textContent = Number.isNaN(place) ? "–" : written(place, 1);
    byId("slope-value").textContent = written(w / 4, 2);
    byId("right-value").textContent = hits.length;
  };
  ["weight", "bias"].forEach((id) => byId(id).addEventListener("input", draw));
  draw();
}

// The walks were taken by a row of the suite when the page was written; the slider only chooses one.
function rateSlider() {
  const paths = document.querySelectorAll("#rate-playground [data-path]");
  const draw = () => {
    const chosen = data.walks[byId("rate").valueAsNumber];
    paths.forEach((path) => path.setAttribute("d", chosen[path.dataset.path]));
    byId("rate-value").textContent = chosen.multiple;
    byId("eta-value").textContent = written(chosen.rate, 3);
    byId("last-value").textContent = written(chosen.last_cost, 4);
  };
  byId("rate").addEventListener("input", draw);
  draw();
}

followTheme();
neuronSliders();
rateSlider();
document.documentElement.dataset.ready = "";
