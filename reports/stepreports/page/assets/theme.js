"use strict";

// The theme follows the system until the reader chooses.
function followTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const button = document.getElementById("theme");
  let choice = null;
  const apply = () => {
    root.dataset.theme = choice ?? (system.matches ? "dark" : "light");
    button.textContent = root.dataset.theme === "dark" ? "Light" : "Dark";
    document.dispatchEvent(new Event("themechange"));
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    choice = root.dataset.theme === "dark" ? "light" : "dark";
    apply();
  });
  apply();
}
