// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the page together.

function drawFilters() {
  const place = document.getElementById("filters");
  const usable = axes.filter((axis) => axis.values.length <= 400);
  if (!usable.length) return;
  const left = el("span", { class: "found" });
  const change = (axis, at) => {
    if (at === "") filters.delete(axis.name);
    else filters.set(axis.name, axis.values[Number(at)]);
    const n = shownRows().length;
    left.textContent = filters.size ? `${n.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown` : "";
    place.classList.toggle("active", filters.size > 0);
    redrawAll();
    say(`${n} shown`);
  };
  const clear = button("All", () => {
    place.querySelectorAll("select").forEach((select) => (select.value = ""));
    filters.clear();
    change(usable[0], "");
  });
  place.append(el("section", { class: "filters", "aria-labelledby": "filters-title" }, el("h2", { id: "filters-title" }, "Show only"),
    el("div", { class: "choices" }, usable.map((axis) => choice(axis.name, [["", "all"], ...axis.values.map((value, i) => [String(i), value === null ? "–" : value])], "", (at) => change(axis, at))), clear, left)));
}

// Draws the first screen, then lets the browser show it before the rest is made.
function drawPage() {
  drawTop();
  document.getElementById("answer").append(drawFindings(), ...(rows.length ? [drawAnswer()] : []), drawProvenance());
  const versions = [...new Set(data.stores.map((store) => (store.study[0] || {}).deadpeer).filter(Boolean))];
  document.getElementById("foot").append(el("p", {}, `Measured by deadpeer ${list(versions.map((v) => short(v)))}. This page is one file; it loads nothing, and nothing leaves it. Pictures are drawn with d3 (${d3.version}).`));
  window.addEventListener("beforeprint", () => document.querySelectorAll("details.alternative").forEach((details) => (details.open = false)));
  if (!rows.length) return ready();
  drawFilters();
  setTimeout(() => {
    document.getElementById("pictures").append(pictureByTime(), pictureKernels(), pictureHeat(), pictureFrontier(), pictureTrial());
    document.getElementById("tables").append(tableCombinations(), tableTrials());
    requestAnimationFrame(() => setTimeout(ready)); // pictures are drawn when they get their width
  });
}

function ready() {
  document.documentElement.dataset.ready = "yes";
}

drawPage();
