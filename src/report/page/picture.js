// SPDX-License-Identifier: GPL-2.0-or-later
// What all pictures share: their frame with title, reading, choices and a table that says the same; the logarithmic
// axis of time with words; and marks that a pointer, a finger or a keyboard reaches, whoever draws them.

const filters = new Map(); // name of an axis -> the one value that is shown
const redraws = [];

function shownRows() {
  const active = [...filters].map(([name, value]) => [axisNamed(name), value]);
  return active.length ? rows.filter((row) => active.every(([axis, value]) => axis.of(row) === value)) : rows;
}

function redrawAll() {
  hideTip();
  for (const redraw of redraws) redraw();
}

// Makes a picture. `draw` gets the svg as a d3 selection and its width, draws, and returns what it drew: {height,
// reading, marks, table: {head, rows}}, or {reason} where there is nothing to draw. Marks are {x, y, lines, open, group},
// and hidden while they are out of sight. `moves` gets a function to call when they have moved.
function picture({ id, title, controls, draw }) {
  const svg = d3.create("svg").attr("class", "picture").attr("role", "group").attr("aria-labelledby", `${id}-title`)
    .attr("aria-describedby", `${id}-reading`);
  const reading = el("p", { class: "reading", id: `${id}-reading` });
  const choices = el("div", { class: "choices" });
  const legend = el("div", { class: "legend" });
  const details = el("details", { class: "alternative" }, el("summary", {}, "The same as a table"));
  const body = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, as a table` });
  details.append(body);
  const section = el("section", { id, class: "framed", "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title), reading, choices, legend, svg.node(), details);
  let wide = 0, table = null;
  const fill = () => {
    if (table && details.open && !body.firstChild) body.append(plainTable(table));
  };
  details.addEventListener("toggle", fill);
  const redraw = () => {
    const width = Math.round(svg.node().parentNode.clientWidth) || 800;
    const held = svg.node().contains(document.activeElement);
    svg.selectAll("*").remove();
    svg.on(".zoom", null).on(".brush", null);
    legend.replaceChildren();
    const chosen = [...choices.querySelectorAll("select, button")].indexOf(document.activeElement);
    choices.replaceChildren(...(controls ? controls(redraw) : []));
    if (chosen >= 0) choices.querySelectorAll("select, button")[chosen].focus();
    const drawn = draw(svg, width, legend);
    reading.textContent = drawn.reason || drawn.reading;
    section.classList.toggle("nothing", Boolean(drawn.reason));
    table = drawn.table || null;
    details.hidden = !table;
    svg.attr("hidden", drawn.reason ? true : null);
    if (drawn.reason) return;
    svg.attr("viewBox", `0 0 ${width} ${drawn.height}`).attr("width", width).attr("height", drawn.height);
    const refresh = reach(svg, drawn.marks || [], title, held);
    if (drawn.moves) drawn.moves(refresh);
    body.replaceChildren();
    fill();
  };
  redraws.push(redraw);
  section.redraw = redraw;
  new ResizeObserver(() => {
    const now = Math.round(section.clientWidth);
    if (Math.abs(now - wide) > 2) {
      wide = now;
      redraw();
    }
  }).observe(section);
  return section;
}

function plainTable({ head, rows: lines }) {
  const shown = lines.slice(0, 300);
  return el("table", {}, el("thead", {}, el("tr", {}, head.map((word) => el("th", { scope: "col" }, short(word))))),
    el("tbody", {}, shown.map((cells) => el("tr", {}, cells.map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, short(String(cell), 80)))))),
    lines.length > shown.length ? el("tfoot", {}, el("tr", {}, el("td", { colspan: head.length }, `… and ${lines.length - shown.length} more, in the tables below`))) : null);
}

// Lets pointer and keyboard reach marks. One ring is the cursor: it has the focus, and arrows move it from mark to
// mark: left and right along a group, up and down by the place on the screen within it.
function reach(svg, marks, title, focus) {
  if (!marks.length) return () => {};
  const order = [...marks].sort((a, b) => a.group - b.group || b.y - a.y || a.x - b.x);
  const treeOf = () => d3.quadtree().x((m) => m.x).y((m) => m.y).addAll(marks.filter((mark) => !mark.hidden));
  let tree = treeOf();
  const ring = svg.append("circle").attr("class", "cursor").attr("r", 8).attr("tabindex", 0).attr("role", "button");
  let at = 0;
  const select = (mark, event) => {
    at = order.indexOf(mark);
    ring.attr("cx", mark.x).attr("cy", mark.y).attr("aria-label", `${title}, ${at + 1} of ${order.length}: ${mark.lines.join(", ")}`);
    if (!event) return;
    const box = ring.node().getBoundingClientRect();
    showTip(mark.open ? [...mark.lines, "Enter or click: the record"] : mark.lines, box.x + box.width / 2, box.y);
  };
  const near = (event) => {
    const [x, y] = d3.clientPoint(svg.node(), event);
    return tree.find(x, y, 28);
  };
  const step = (by) => select(order[(at + by + order.length) % order.length], true);
  const jump = (by) => {
    const groups = [...new Set(order.map((mark) => mark.group))];
    const next = groups[(groups.indexOf(order[at].group) + by + groups.length) % groups.length];
    select(order.filter((mark) => mark.group === next).reduce((a, b) => (Math.abs(a.y - order[at].y) <= Math.abs(b.y - order[at].y) ? a : b)), true);
  };
  const keys = {
    ArrowRight: () => jump(1), ArrowLeft: () => jump(-1), ArrowUp: () => step(1), ArrowDown: () => step(-1),
    Home: () => select(order[0], true), End: () => select(order[order.length - 1], true),
  };
  const open = (mark) => mark && mark.open && mark.open();
  select(order[0]);
  ring.on("keydown", () => {
    const event = d3.event;
    if (keys[event.key]) keys[event.key]();
    else if (event.key === "Enter" || event.key === " ") open(order[at]);
    else if (event.key === "Escape") hideTip();
    else return;
    event.preventDefault();
  }).on("focus", () => select(order[at], true)).on("blur", hideTip);
  svg.on("pointermove", () => {
    const mark = near(d3.event);
    svg.classed("over", Boolean(mark));
    ring.classed("near", Boolean(mark));
    if (mark) select(mark, d3.event);
    else hideTip();
  }).on("pointerleave", () => {
    ring.classed("near", false);
    hideTip();
  }).on("click", () => open(near(d3.event)));
  if (focus) ring.node().focus();
  return () => {
    tree = treeOf();
    select(order[at]);
    ring.classed("near", false);
    hideTip();
  };
}

// ---- the axis of time

const TICKS = [
  [MS, 10 * MS, 100 * MS, S, 5 * S, 30 * S, 2 * MIN, 15 * MIN, 2 * H, D, 30 * D],
  [300 * MS, 2 * S, 10 * S, MIN, 5 * MIN, 30 * MIN, 6 * H, 7 * D],
  [30 * MS, 500 * MS, 3 * S, 15 * S, 20 * S, 45 * S, 3 * MIN, 10 * MIN, 20 * MIN, H, 4 * H, 12 * H, 3 * D],
];

// A scale of times that are not 0, in logarithm unless they are close together. Its ticks are times that people say.
function timeScale(times, range, nice = true) {
  let low = Math.max(1, d3.min(times)), high = Math.max(2, d3.max(times));
  if (high / low < 1.6) {
    const pad = Math.max((high - low) * 0.2, high * 0.01);
    low = Math.max(1, low - pad);
    high += pad;
  } else if (nice) {
    low /= 1.15;
    high *= 1.15;
  }
  const scale = d3.scaleLog().domain([low, high]).range(range);
  const room = Math.abs(range[1] - range[0]) > 500 ? 34 : 26;
  const ticks = [];
  for (const some of TICKS)
    for (const tick of some)
      if (tick >= low && tick <= high && ticks.every((other) => Math.abs(scale(other) - scale(tick)) > (range[1] > range[0] ? 64 : room)))
        ticks.push(tick);
  if (ticks.length < 2) {
    ticks.length = 0;
    ticks.push(...evenTicks(low, high));
  }
  scale.words = ticks.sort((a, b) => a - b);
  return scale;
}

// Ticks of times that are close together, no closer than the words for them tell apart.
function evenTicks(low, high) {
  const least = high < S ? 1 : high < MIN ? 10 * MS : high < H ? S : high < D ? MIN : H;
  const steps = [1, 10, 100, MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS, S, 2 * S, 5 * S, 10 * S, 30 * S, MIN, 2 * MIN, 5 * MIN, 10 * MIN, 30 * MIN, H, 6 * H, D, 7 * D];
  const step = steps.find((each) => each >= least && (high - low) / each <= 5) || steps[steps.length - 1];
  return d3.range(Math.ceil(low / step) * step, high, step);
}

function timeAxis(axis, scale) {
  return axis(scale).tickValues(scale.words).tickFormat(span).tickSizeOuter(0);
}

function axisLeft(svg, scale, left, width) {
  const g = svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`).call(timeAxis(d3.axisLeft, scale));
  g.selectAll(".tick line").attr("x2", width).attr("x1", 0);
  g.select(".domain").remove();
  return g;
}

// Labels below a band scale; where they do not fit they are turned, and shortened.
function bandAxis(svg, scale, y, label) {
  const g = svg.append("g").attr("class", "axis").attr("transform", `translate(0,${y})`)
    .call(d3.axisBottom(scale).tickSize(0).tickPadding(10).tickFormat((value) => short(value === "\u0000" ? null : value, 24)));
  g.select(".domain").remove();
  const longest = d3.max(scale.domain(), (value) => short(value, 24).length) || 1;
  const step = scale.step(), turned = longest > 3 && longest * 7.2 + 8 > step;
  const every = Math.max(1, Math.ceil((turned ? 15 : longest * 7.2 + 5) / step));
  if (turned) g.selectAll("text").attr("transform", "rotate(-40)").attr("text-anchor", "end").attr("dx", "-0.4em").attr("dy", "0.2em");
  g.selectAll(".tick").filter((_, i) => i % every).select("text").remove();
  const depth = turned ? Math.min(24, longest) * 4.8 + 22 : 30;
  svg.append("text").attr("class", "label").attr("x", d3.mean(scale.range())).attr("y", y + depth + 12).attr("text-anchor", "middle").text(short(label, 60));
  return depth + 22;
}

function drawLegend(legend, axis, values, extra) {
  if (axis && values.length > 1)
    legend.append(el("span", { class: "legend-title" }, short(axis.name)),
      ...values.slice(0, 8).map((value, i) => el("span", { class: "key" }, el("i", { class: `swatch s${i % 8}` }), short(value))),
      values.length > 8 ? el("span", { class: "key" }, `and ${values.length - 8} more, in the same colours again`) : "");
  legend.append(...(extra || []).map(([kind, text]) => el("span", { class: "key" }, el("i", { class: `swatch ${kind}` }), text)));
}

// Axes to choose from, for a picture that has one.
function axisOptions(none) {
  return [...(none ? [["", none]] : []), ...axes.map((axis) => [axis.name, axis.name])];
}

// How much of the differences between the times an axis goes with, from 0 to 1. Times count by their logarithm, and one
// that was not noticed as ten times the longest.
function weightOf(axis, list = rows) {
  const counted = list.filter((row) => !Number.isNaN(row.bad));
  const longest = counted.reduce((most, row) => (row.bad < Infinity ? Math.max(most, row.bad) : most), 1e-6);
  const log = (row) => Math.log(Math.max(Math.min(row.bad, 10 * longest), 1e-6));
  const mean = counted.reduce((sum, row) => sum + log(row), 0) / counted.length;
  let between = 0, all = 0;
  for (const group of groupBy(counted, [axis])) {
    const own = group.rows.reduce((sum, row) => sum + log(row), 0) / group.rows.length;
    between += group.rows.length * (own - mean) ** 2;
  }
  for (const row of counted) all += (log(row) - mean) ** 2;
  return all > 0 ? between / all : 0;
}

// The axis that decides comes first; those that say where something was measured come last.
let weighedAxes = null;
function mainAxes() {
  if (weighedAxes) return weighedAxes;
  const plain = axes.filter((axis) => !["kernel", "endpoint", "store", "family", "engine"].includes(axis.name));
  const weights = new Map(plain.map((axis) => [axis, weightOf(axis)]));
  const sorted = [...plain].sort((a, b) => (b.values.length > 400) - (a.values.length > 400) || weights.get(b) - weights.get(a));
  const usable = sorted.filter((axis) => axis.values.length <= 400);
  weighedAxes = [...usable, ...axes.filter((axis) => !usable.includes(axis) && axis.values.length <= 400)];
  return weighedAxes;
}
