// SPDX-License-Identifier: GPL-2.0-or-later
// Detection time by setting, every trial a dot; and kernels side by side.

const byTime = { x: null, colour: null };

// Where a dot stands in its band: the same place each time, and not on top of its neighbours.
function jitter(row) {
  return (((row.trial.i * 2654435761) >>> 0) % 1000) / 1000;
}

// A mark for a trial. Its words are made when somebody looks at it: there may be ten thousand.
function markOf(row, x, y, group) {
  return { x, y, group, open: () => openTrial(row.trial), get lines() {
    return wordsOf(row);
  } };
}

function wordsOf(row) {
  const lines = [`${row.trial.title}: ${outcomeOf(row)}`], place = placeOf(row, ["scenario"]);
  if (row.time !== null) lines.push(`${exact(row.time)} s` + (row.errno ? `, ${row.errno}` : ""));
  if (row.earliest !== null || row.latest !== null) lines.push(`predicted ${exact(row.earliest)} to ${exact(row.latest)} s`);
  if (place) lines.push(place);
  lines.push(`trial ${row.trial.position}, ${row.trial.verdict}`);
  return lines.map((line) => short(line, 160));
}

// Where rows without a time stand: in strips above the axis.
function stripsOf(list) {
  return [["undetected", "never noticed"], ["alive", "still connected"]].filter(([name]) => list.some((row) => row[name]));
}

function drawByTime(svg, width, legend) {
  const list = shownRows().filter((row) => row.counts && (row.time !== null || row.undetected || row.alive));
  const x = axisNamed(byTime.x) || mainAxes()[0] || axisNamed("scenario"), colour = axisNamed(byTime.colour) || null;
  if (!list.length) return { reason: "None of the trials that are shown has a time of detection." };
  const strips = stripsOf(list), timed = list.filter((row) => row.time !== null);
  const left = 76, right = 12, top = 14 + strips.length * 26, height = width < 600 ? 340 : 420, base = top + height;
  const key = (value) => (value === null ? "\u0000" : value);
  const used = new Set(list.map((row) => key(x.of(row))));
  const across = d3.scaleBand().domain(x.values.map(key).filter((value) => used.has(value))).range([left, width - right]).paddingInner(0.12);
  const colours = colour ? colour.values.filter((value) => list.some((row) => colour.of(row) === value)) : [null];
  const inner = d3.scaleBand().domain(d3.range(colours.length)).range([0, across.bandwidth()]).padding(colours.length > 1 ? 0.16 : 0.3);
  const bounds = timed.flatMap((row) => [row.time, row.earliest, row.latest]).filter((time) => time !== null && time > 0);
  const y = bounds.length ? timeScale(bounds, [base, top + 8]) : null;
  const place = (time) => y(Math.max(y.domain()[0], time));
  if (y) axisLeft(svg, y, left, width - left - right);
  strips.forEach(([name, words], i) => {
    svg.append("text").attr("class", "strip").attr("x", left - 9).attr("y", 22 + i * 26).attr("dy", "0.32em").attr("text-anchor", "end").text(name === "alive" ? "alive" : "never")
      .append("title").text(words);
    svg.append("line").attr("class", "strip").attr("x1", left).attr("x2", width - right).attr("y1", 35 + i * 26).attr("y2", 35 + i * 26);
  });
  const groups = groupBy(list, colour ? [x, colour] : [x]).map((group) => ({ ...group, s: summarise(group.rows.filter((row) => row.time !== null)) }));
  const where = (group) => ({ x0: across(key(group.values[0])) + inner(colour ? colours.indexOf(group.values[1]) : 0), w: inner.bandwidth(), tone: colour ? colours.indexOf(group.values[1]) % 8 : 0 });
  for (const group of groups.filter((each) => each.s.earliest !== null && each.s.latest !== null)) {
    const { x0, w, tone } = where(group), low = place(group.s.earliest), high = place(group.s.latest);
    svg.append("rect").attr("class", `predicted s${tone}`).attr("x", x0 - 1).attr("width", w + 2)
      .attr("y", Math.min(high, (low + high) / 2 - 2.5)).attr("height", Math.max(5, low - high));
  }
  const marks = [], paths = new Map();
  groups.forEach((group, n) => {
    const { x0, w, tone } = where(group);
    for (const row of group.rows) {
      const strip = strips.findIndex(([name]) => row[name]);
      const cx = x0 + w * (0.1 + 0.8 * jitter(row)), cy = row.time === null || strip >= 0 ? 22 + strip * 26 : place(row.time);
      marks.push(markOf(row, cx, cy, n));
      const style = `dots s${tone}${row.trial.verdict === "fail" ? " failed" : ""}`;
      paths.set(style, (paths.get(style) || "") + `M${cx.toFixed(1)},${cy.toFixed(1)}h0`);
    }
  });
  for (const [style, path] of paths) svg.append("path").attr("class", style).classed("crowded", list.length > 1500).attr("d", path);
  for (const group of groups.filter((each) => Number.isFinite(each.s.median) && each.s.n > 1)) {
    const { x0, w, tone } = where(group);
    svg.append("line").attr("class", `spread s${tone}`).attr("x1", x0 + w / 2).attr("x2", x0 + w / 2).attr("y1", place(group.s.least)).attr("y2", place(Math.min(group.s.worst, 1e15)));
    svg.append("line").attr("class", `median s${tone}`).attr("x1", x0 + w * 0.1).attr("x2", x0 + w * 0.9).attr("y1", place(group.s.median)).attr("y2", place(group.s.median));
    if (w > 58) svg.append("text").attr("class", "direct").attr("x", x0 + w / 2).attr("y", place(Math.min(group.s.worst, 1e15)) - 9).attr("text-anchor", "middle").text(span(group.s.median));
  }
  drawLegend(legend, colour, colours, [["dot", "a trial"], list.some((row) => row.trial.verdict === "fail") ? ["dot failed", "a trial that failed"] : null,
    ["median", "the median, from least to greatest"], groups.some((group) => group.s.earliest !== null) ? ["predicted", "predicted"] : null].filter(Boolean));
  const below = bandAxis(svg, across, base, x.name);
  brushTime(svg, y, [left, top], [width - right, base], list);
  const worst = list.reduce((a, b) => ((a.bad || 0) >= (b.bad || 0) ? a : b));
  return {
    height: base + below, marks,
    reading: `Each dot is one ${axisNamed("endpoint").values.length > 1 ? "end of a trial" : "trial"}, ${list.length.toLocaleString("en")} in all; up is later. ` +
      `Longest: ${outcomeOf(worst)}${axes.length ? " with " + placeOf(worst) : ""}. Drag over a span of time to list its trials below.`,
    table: {
      head: [x.name, ...(colour ? [colour.name] : []), "trials", "least", "median", "greatest", "predicted", "never noticed", "still connected"],
      rows: groups.map((group) => [...group.values.map((value) => short(value)), group.rows.length, span(group.s.least), span(group.s.median), span(group.s.worst),
        group.s.earliest === null ? "–" : `${span(group.s.earliest)} to ${span(group.s.latest)}`,
        group.rows.filter((row) => row.undetected).length, group.rows.filter((row) => row.alive).length]),
    },
  };
}

// Dragging over times chooses their trials for the table below.
function brushTime(svg, y, from, to, list) {
  if (!y) return;
  const brush = d3.brushY().extent([from, to]).on("end", () => {
    if (!d3.event.sourceEvent) return;
    const chosen = d3.event.selection;
    const [high, low] = chosen ? chosen.map(y.invert) : [0, 0];
    chooseRows(chosen ? list.filter((row) => row.time !== null && row.time >= low && row.time <= high) : null,
      chosen ? `noticed after ${span(Math.round(low))} to ${span(Math.round(high))}` : "");
  });
  svg.append("g").attr("class", "brush").call(brush).lower();
}

function pictureByTime() {
  byTime.x = (mainAxes()[0] || axisNamed("scenario")).name;
  const second = axes.find((axis) => axis.name === "kernel") || mainAxes()[1];
  byTime.colour = second && second.name !== byTime.x && second.values.length <= 8 ? second.name : "";
  return picture({
    id: "by-time", title: "How long until it is noticed, by setting",
    controls: (redraw) => axes.length < 1 ? [] : [
      choice("Across", axisOptions(), byTime.x, (value) => ((byTime.x = value), redraw())),
      choice("Colour", axisOptions("one"), byTime.colour, (value) => ((byTime.colour = value), redraw()))],
    draw: drawByTime,
  });
}

// ---- kernels side by side

const MOST_PAIRS = 28;

function drawKernels(svg, width, legend) {
  const kernel = axisNamed("kernel");
  const list = shownRows().filter((row) => !Number.isNaN(row.bad) && !row.falseAlarm);
  const kernels = kernel.values.filter((value) => list.some((row) => kernel.of(row) === value));
  if (kernels.length < 2) return { reason: "All trials that are shown ran on one kernel: there is nothing to hold side by side." };
  const by = axes.filter((axis) => axis.name !== "kernel" && axis.name !== "store" && axis.name !== "engine");
  const all = groupBy(list, by).map((group) => {
    const sides = kernels.map((value) => summarise(group.rows.filter((row) => kernel.of(row) === value)));
    const known = sides.map((s) => s.median).filter((time) => !Number.isNaN(time)).map((time) => (time === Infinity ? 1e15 : Math.max(1, time)));
    return { ...group, sides, ratio: known.length > 1 ? d3.max(known) / d3.min(known) : 0, known };
  }).filter((group) => group.ratio);
  if (!all.length) return { reason: "No combination of settings was measured on more than one kernel." };
  const pairs = [...all].sort((a, b) => b.ratio - a.ratio).slice(0, MOST_PAIRS);
  if (all.length <= MOST_PAIRS) pairs.sort((a, b) => all.indexOf(a) - all.indexOf(b));
  const name = (group) => (group.values.length ? group.values.filter((value) => value !== null).map((value) => short(value, 28)).join(" · ") : "all trials");
  const narrow = width < 620, left = narrow ? 12 : Math.min(330, 30 + d3.max(pairs, (group) => name(group).length) * 7.2), step = narrow ? 40 : 26, top = 22;
  const times = pairs.flatMap((group) => group.sides.flatMap((s) => [s.least, s.worst])).filter((time) => Number.isFinite(time) && time > 0);
  const never = pairs.some((group) => group.sides.some((s) => s.worst === Infinity)), right = never ? 70 : 20;
  const x = timeScale(times.length ? times : [S, MIN], [left, width - right]);
  const place = (time) => (time === Infinity ? width - 30 : x(Math.max(x.domain()[0], time)));
  const base = top + pairs.length * step;
  const axis = svg.append("g").attr("class", "axis").attr("transform", `translate(0,${top - 4})`).call(timeAxis(d3.axisTop, x));
  axis.selectAll(".tick line").attr("y1", 0).attr("y2", base - top);
  axis.select(".domain").remove();
  if (never) svg.append("text").attr("class", "strip").attr("x", width - 30).attr("y", top - 13).attr("text-anchor", "middle").text("never");
  const marks = [];
  pairs.forEach((group, n) => {
    const y = top + n * step + step * (narrow ? 0.72 : 0.5);
    svg.append("text").attr("class", "row").attr("x", narrow ? left : left - 14).attr("y", narrow ? y - 15 : y).attr("dy", "0.32em").attr("text-anchor", narrow ? "start" : "end").text(short(name(group), narrow ? 44 : 42));
    const at = group.sides.map((s) => (Number.isNaN(s.median) ? null : place(s.median)));
    const there = at.filter((value) => value !== null);
    svg.append("line").attr("class", "bridge").attr("x1", d3.min(there)).attr("x2", d3.max(there)).attr("y1", y).attr("y2", y);
    group.sides.forEach((s, i) => {
      if (at[i] === null) return;
      const cy = y + (i - (kernels.length - 1) / 2) * Math.min(7, 14 / kernels.length);
      svg.append("line").attr("class", `spread s${i % 8}`).attr("x1", place(s.least)).attr("x2", place(s.worst)).attr("y1", cy).attr("y2", cy);
      svg.append("path").attr("class", `pin s${i % 8}`).attr("transform", `translate(${at[i]},${cy})`)
        .attr("d", d3.symbol().type([d3.symbolCircle, d3.symbolDiamond, d3.symbolSquare, d3.symbolTriangle][i % 4]).size(70)());
      marks.push({ x: at[i], y: cy, group: n, open: () => openTrial(s.worstRow.trial),
        lines: [`${kernels[i]}: median ${span(s.median)}`, name(group), `${span(s.least)} to ${span(s.worst)}, ${many(s.n, "trial")}`] });
    });
  });
  drawLegend(legend, kernel, kernels, []);
  const most = pairs.reduce((a, b) => (a.ratio >= b.ratio ? a : b));
  const same = all.filter((group) => group.ratio < 1.05).length;
  const difference = most.ratio < 1.05 ? "No median differs by 5 % or more. " :
    `The largest difference: ${name(most)}, ${list2(kernels, most)}. ${same} of ${many(all.length, "combination")} differ by less than 5 %. `;
  return {
    height: base + 8, marks,
    reading: difference + (all.length > pairs.length ? `Shown are the ${pairs.length} that differ most. ` : "") + "A mark is the median, its line runs from least to greatest.",
    table: { head: [by.map((each) => each.name).join(" · ") || "trials", ...kernels.flatMap((k) => [`${k}: least`, "median", "greatest"])],
      rows: all.map((group) => [name(group), ...group.sides.flatMap((s) => [span(s.least), span(s.median), span(s.worst)])]) },
  };
}

function list2(kernels, group) {
  return list(kernels.map((kernel, i) => [kernel, group.sides[i].median]).filter(([, time]) => !Number.isNaN(time))
    .map(([kernel, time]) => `${span(time)} on ${short(kernel)}`));
}

function pictureKernels() {
  return picture({ id: "kernels", title: "Kernels side by side", draw: drawKernels });
}
