// SPDX-License-Identifier: GPL-2.0-or-later
// Detection against false alarms. It needs both kinds of trial with the same settings: some that lose their peer, and
// some whose connection could have lived on. Where there are none of the first, the rates stand alone.

// The axes that say what was set, not what happened to it.
function settingAxes() {
  return axes.filter((axis) => !["scenario", "endpoint", "store", "kernel", "family", "engine"].includes(axis.name));
}

function trade(list, by) {
  return groupBy(list, by).map((group) => {
    const healthy = [...new Set(group.rows.filter((row) => row.counts && row.trial.healthy).map((row) => row.trial))];
    const lost = group.rows.filter((row) => row.counts && !row.trial.healthy && !Number.isNaN(row.bad));
    return { ...group, healthy, lost, alarms: healthy.filter((trial) => trial.rows.some((row) => row.falseAlarm)).length, s: summarise(lost) };
  });
}

// A point is on the frontier if none is both sooner and safer.
function frontierOf(points) {
  let best = Infinity;
  return [...points].sort((a, b) => a.s.worst - b.s.worst || a.rate - b.rate).filter((point) => {
    const better = point.rate < best;
    best = Math.min(best, point.rate);
    return better;
  });
}

function drawFrontier(svg, width, legend) {
  const list = shownRows(), by = settingAxes();
  const all = trade(list, by).filter((point) => point.healthy.length);
  if (!all.length)
    return { reason: "Left out: in every trial that is shown the peer or the path is lost for good, so nobody can be declared dead by mistake. A study that also has a healthy connection behind loss or a passing outage, such as false-alarms, would fill it." };
  all.forEach((point) => (point.rate = point.alarms / point.healthy.length));
  const name = (point) => (by.length ? by.map((axis, i) => (point.values[i] === null ? "" : `${axis.name.replace(/^.*\./, "")} ${short(point.values[i], 20)}`)).filter(Boolean).join(", ") : "all trials");
  const both = all.filter((point) => Number.isFinite(point.s.worst));
  return both.length ? drawTrade(svg, width, legend, both, name) : drawRates(svg, width, list, by);
}

const LEFT = 64, TOP = 18, TALL = 330;

function rateAxis(svg, y, right) {
  const g = svg.append("g").attr("class", "axis").attr("transform", `translate(${LEFT},0)`).call(d3.axisLeft(y).ticks(5, "%").tickSizeOuter(0));
  g.selectAll(".tick line").attr("x1", 0).attr("x2", right - LEFT);
  g.select(".domain").remove();
}

function drawTrade(svg, width, legend, points, name) {
  const right = width - 24, base = TOP + TALL;
  const x = timeScale(points.map((point) => point.s.worst), [LEFT + 10, right]);
  const y = d3.scaleLinear().domain([0, Math.max(0.05, d3.max(points, (point) => wilson(point.alarms, point.healthy.length)[1]))]).nice().range([base, TOP]);
  rateAxis(svg, y, right);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${base})`).call(timeAxis(d3.axisBottom, x)).select(".domain").remove();
  svg.append("text").attr("class", "label").attr("x", (LEFT + right) / 2).attr("y", base + 42).attr("text-anchor", "middle").text("longest until the loss of the peer is noticed");
  const frontier = frontierOf(points);
  svg.append("path").attr("class", "frontier").attr("d", d3.line().curve(d3.curveStepAfter).x((p) => x(p.s.worst)).y((p) => y(p.rate))(frontier));
  const labels = [];
  for (const point of points) {
    const cx = x(point.s.worst), cy = y(point.rate), [low, high] = wilson(point.alarms, point.healthy.length), best = frontier.includes(point);
    svg.append("line").attr("class", `doubt${best ? " best" : ""}`).attr("x1", cx).attr("x2", cx).attr("y1", y(low)).attr("y2", y(high));
    svg.append("circle").attr("class", `point${best ? " best" : ""}`).attr("cx", cx).attr("cy", cy).attr("r", best ? 6 : 4.5);
    if (best && labels.every(([lx, ly]) => Math.abs(lx - cx) > 130 || Math.abs(ly - cy) > 16)) {
      labels.push([cx, cy]);
      const end = cx > width * 0.6;
      svg.append("text").attr("class", "direct").attr("x", cx + (end ? -11 : 11)).attr("y", cy - 9).attr("text-anchor", end ? "end" : "start").text(short(name(point), 34));
    }
  }
  legend.append(el("span", { class: "key" }, el("i", { class: "swatch point best" }), "no other is both sooner and safer"),
    el("span", { class: "key" }, el("i", { class: "swatch point" }), "another is better in both"), el("span", { class: "key" }, "a line is the 95 % interval of the rate"));
  return {
    height: base + 56, reading: `Sooner is left, safer is below. ${frontier.length} of ${many(points.length, "combination")} cannot be bettered in both.`,
    marks: points.map((point, i) => ({ x: x(point.s.worst), y: y(point.rate), group: i, open: () => openTrial(point.s.worstRow.trial),
      lines: [name(point), `longest ${span(point.s.worst)}`, `false alarms ${point.alarms} of ${point.healthy.length} (${share(point.alarms, point.healthy.length)})`] })),
    table: { head: ["combination", "longest detection", "false alarms", "of", "rate", "on the frontier"],
      rows: points.map((point) => [name(point), span(point.s.worst), point.alarms, point.healthy.length, share(point.alarms, point.healthy.length), frontier.includes(point) ? "yes" : "no"]) },
  };
}

// Without a lost peer there is no detection to hold the alarms against: the rate for each setting, a line a scenario.
function drawRates(svg, width, list, by) {
  const healthy = list.filter((row) => row.counts && row.trial.healthy);
  const spread = (axis) => new Set(healthy.map(axis.of).filter((value) => value !== null)).size;
  const main = by.filter((axis) => spread(axis) > 1).reduce((a, b) => (a && spread(a) >= spread(b) ? a : b), null), scenario = axisNamed("scenario");
  const x = main || scenario, lines = main ? scenario : null;
  const groups = trade(list, lines ? [lines, x] : [x]).filter((group) => group.healthy.length);
  const base = TOP + TALL, room = lines && width > 620 ? 150 : 20, right = width - room;
  const at = d3.scalePoint().domain(x.values.filter((value) => value !== null && healthy.some((row) => x.of(row) === value))).range([LEFT + 24, right - 12]).padding(0.2);
  const y = d3.scaleLinear().domain([0, 1]).range([base, TOP]);
  rateAxis(svg, y, right);
  const of = (group) => group.values[group.values.length - 1], rate = (group) => group.alarms / group.healthy.length, marks = [];
  const ends = [];
  d3.nest().key((group) => (lines ? group.values[0] : "")).entries(groups).forEach(({ key, values }, n) => {
    const shown = values.filter((group) => of(group) !== null);
    if (!shown.length) return;
    svg.append("path").attr("class", `rate s${n % 8}`).attr("d", d3.line().x((g) => at(of(g))).y((g) => y(rate(g)))(shown));
    for (const group of shown) {
      const cx = at(of(group)), cy = y(rate(group)), [low, high] = wilson(group.alarms, group.healthy.length);
      svg.append("line").attr("class", `spread s${n % 8}`).attr("x1", cx).attr("x2", cx).attr("y1", y(low)).attr("y2", y(high));
      svg.append("circle").attr("class", `pin s${n % 8}`).attr("cx", cx).attr("cy", cy).attr("r", 4.5);
      marks.push({ x: cx, y: cy, group: x.values.indexOf(of(group)), open: () => openTrial(group.healthy[0]),
        lines: [`${share(group.alarms, group.healthy.length)} false alarms`, `${group.alarms} of ${group.healthy.length}; 95 %: ${share(low, 1)} to ${share(high, 1)}`, key, `${x.name} ${short(of(group))}`] });
    }
    const last = shown[shown.length - 1];
    ends.push({ n, key, x: at(of(last)) + 10, y: y(rate(last)) });
  });
  ends.sort((a, b) => b.y - a.y).forEach((end, i) => (end.y = i ? Math.min(end.y, ends[i - 1].y - 15) : end.y));
  if (lines && width > 620) for (const end of ends) svg.append("text").attr("class", `direct s${end.n % 8}`).attr("x", end.x).attr("y", end.y).attr("dy", "0.32em").text(short(end.key.replace(/^.*\//, ""), 18));
  const below = bandAxis(svg, at, base, x.name);
  return {
    height: base + below, marks,
    reading: "No trial that is shown loses its peer for good with these settings, so there is no time of detection to hold the alarms against. Drawn is how often a connection that could have lived on was declared dead, with the 95 % interval of the rate.",
    table: { head: [...(lines ? [lines.name] : []), x.name, "false alarms", "of", "rate"], rows: groups.map((group) => [...group.values.map((value) => short(value)), group.alarms, group.healthy.length, share(group.alarms, group.healthy.length)]) },
  };
}

function pictureFrontier() {
  return picture({ id: "frontier", title: "Detection against false alarms", draw: drawFrontier });
}
