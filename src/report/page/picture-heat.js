// SPDX-License-Identifier: GPL-2.0-or-later
// A heat map of any two axes.

const heat = { x: "", y: "", measure: "worst" };
const MEASURES = [["worst", "Greatest time"], ["median", "Median time"], ["least", "Least time"], ["dead", "Share that was ended"]];
const MOST_PLACES = 60;

function heatValue(s, list) {
  if (heat.measure !== "dead") return s[heat.measure];
  const counted = list.filter((row) => row.counts);
  return counted.length ? counted.filter((row) => !row.alive && !row.undetected).length / counted.length : NaN;
}

function drawHeat(svg, width, legend) {
  const x = axisNamed(heat.x), y = axisNamed(heat.y);
  if (!x || !y || x === y) return { reason: "A heat map needs two axes with more than one value each; these trials do not have them." };
  const list = shownRows();
  const key = (value) => (value === null ? "\u0000" : value);
  const cells = groupBy(list, [y, x]).map((group) => ({ ...group, s: summarise(group.rows) }));
  cells.forEach((cell) => (cell.value = heatValue(cell.s, cell.rows)));
  const columns = x.values.filter((value) => cells.some((cell) => cell.values[1] === value)).slice(0, MOST_PLACES);
  const lines = y.values.filter((value) => cells.some((cell) => cell.values[0] === value)).slice(0, MOST_PLACES);
  if (!cells.length) return { reason: "No trial is shown." };
  const longest = d3.max(lines, (value) => short(value, 26).length);
  const left = Math.min(width * 0.34, Math.max(64, longest * 7.3 + 20)), right = 4, top = 26;
  const step = Math.min(46, Math.max(22, 360 / lines.length)), base = top + lines.length * step;
  const across = d3.scaleBand().domain(columns.map(key)).range([left, width - right]).padding(0.04);
  const down = d3.scaleBand().domain(lines.map(key)).range([top, base]).padding(0.06);
  const finite = cells.map((cell) => cell.value).filter((value) => Number.isFinite(value) && value > 0);
  const dead = heat.measure === "dead";
  const scale = dead ? d3.scaleLinear().domain([0, 1]).range([0, 1]) : d3.scaleLog().domain([d3.min(finite) || 1, Math.max((d3.min(finite) || 1) * 1.01, d3.max(finite) || 2)]).range([0.05, 0.95]);
  const tone = (value) => d3.interpolateCividis(dead ? value : scale(Math.max(1, value)));
  const says = (value) => (Number.isNaN(value) ? "" : dead ? share(value, 1) : value === Infinity ? "never" : span(value));
  svg.append("text").attr("class", "label").attr("x", 0).attr("y", 12).text(`${short(y.name, 40)} ↓`);
  const axis = svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`)
    .call(d3.axisLeft(down).tickSize(0).tickPadding(8).tickFormat((value) => short(value === "\u0000" ? null : value, Math.floor((left - 16) / 7.2))));
  axis.select(".domain").remove();
  const marks = [];
  for (const cell of cells) {
    const cx = across(key(cell.values[1])), cy = down(key(cell.values[0]));
    if (cx === undefined || cy === undefined) continue;
    const w = across.bandwidth(), h = down.bandwidth(), none = Number.isNaN(cell.value), never = cell.value === Infinity;
    const rect = svg.append("rect").attr("class", none ? "cell none" : never ? "cell never" : "cell").attr("x", cx).attr("y", cy).attr("width", w).attr("height", h).attr("rx", 2);
    if (!none && !never) rect.attr("fill", tone(cell.value));
    const words = says(cell.value), fits = words.length * 6.6 < w ? words : words.replace(/ (min|h|d) .*/, " $1");
    if (fits.length * 6.4 < w && h > 14)
      svg.append("text").attr("class", `in-cell ${never || none ? "plain" : d3.lab(tone(cell.value)).l > 58 ? "dark" : "light"}`)
        .attr("x", cx + w / 2).attr("y", cy + h / 2).attr("dy", "0.33em").attr("text-anchor", "middle").text(fits);
    marks.push({ x: cx + w / 2, y: cy + h / 2, group: columns.indexOf(cell.values[1]), open: cell.s.worstRow && (() => openTrial(cell.s.worstRow.trial)),
      lines: [`${MEASURES.find(([name]) => name === heat.measure)[1]}: ${says(cell.value) || "nothing to tell"}`, `${y.name} ${short(cell.values[0])}`, `${x.name} ${short(cell.values[1])}`,
        `${many(cell.rows.length, "row")}: ${span(cell.s.least)} to ${span(cell.s.worst)}`] });
  }
  const some = [0, 0.25, 0.5, 0.75, 1].map((t) => (dead ? t : scale.invert(0.05 + 0.9 * t)));
  legend.append(el("span", { class: "legend-title" }, MEASURES.find(([name]) => name === heat.measure)[1]));
  for (const value of some) {
    const swatch = el("i", { class: "swatch cell" });
    swatch.style.background = tone(value);
    legend.append(el("span", { class: "key" }, swatch, dead ? share(value, 1) : span(Math.round(value))));
  }
  if (cells.some((cell) => cell.value === Infinity)) legend.append(el("span", { class: "key" }, el("i", { class: "swatch never" }), "never noticed"));
  const below = bandAxis(svg, across, base + 2, x.name);
  const cut = columns.length === MOST_PLACES || lines.length === MOST_PLACES;
  return {
    height: base + below, marks,
    reading: "Each field holds all trials at its two places, whatever their other settings. " + (cut ? `Only the first ${MOST_PLACES} values of an axis are drawn. ` : "") + (dead ? "Darker is rarer." : "Darker is sooner."),
    table: { head: [y.name, x.name, "rows", "least", "median", "greatest", "ended"],
      rows: cells.map((cell) => [...cell.values.map((value) => short(value)), cell.rows.length, span(cell.s.least), span(cell.s.median), span(cell.s.worst),
        share(cell.rows.filter((row) => row.counts && !row.alive && !row.undetected).length, cell.rows.filter((row) => row.counts).length)]) },
  };
}

function pictureHeat() {
  const main = mainAxes();
  heat.x = main[0] ? main[0].name : "";
  heat.y = main[1] ? main[1].name : "";
  if (rows.length && rows.every((row) => Number.isNaN(row.bad) || row.falseAlarm)) heat.measure = "dead";
  return picture({
    id: "heat", title: "Any two axes",
    controls: (redraw) => axes.length < 2 ? [] : [
      choice("Across", axisOptions(), heat.x, (value) => ((heat.x = value), redraw())),
      choice("Down", axisOptions(), heat.y, (value) => ((heat.y = value), redraw())),
      choice("Colour", MEASURES, heat.measure, (value) => ((heat.measure = value), redraw()))],
    draw: drawHeat,
  });
}
