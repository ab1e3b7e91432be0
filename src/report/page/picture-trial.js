// SPDX-License-Identifier: GPL-2.0-or-later
// One trial as it went: what was done, the states of both ends, what they sent again, what their programs' calls
// returned, and who noticed when. Time goes to the right. Long waits are folded: they take room by their logarithm.

const story = { trial: null, folded: true };

// Collects what a record tells, as {t, lane, kind, text}; t in microseconds.
function storyOf(record) {
  const happened = [], bars = [], usec = (s) => Math.round(s * S);
  const add = (t, lane, kind, text) => Number.isFinite(t) && happened.push({ t: usec(t), lane, kind, text });
  const each = (values, f) => (Array.isArray(values) ? values : []).forEach((value) => value && typeof value === "object" && f(value));
  each(record.faults, (fault) => add(fault.t_s, "events", String(fault.event).startsWith("heal") ? "heal" : "fault", String(fault.event)));
  const ends = Object.entries(record.endpoints && typeof record.endpoints === "object" ? record.endpoints : {}).slice(0, 12);
  for (const [name, end] of ends) {
    if (!end || typeof end !== "object") continue;
    let from = null;
    each(end.states, (state) => {
      if (from) bars.push({ lane: name, from: from.t, to: usec(state.t_s), state: from.state });
      from = { t: usec(state.t_s), state: String(state.to) };
      add(state.t_s, name, "state", `${state.from} → ${state.to}`);
    });
    if (from && from.state !== "CLOSE") bars.push({ lane: name, from: from.t, to: null, state: from.state });
    let n = 0;
    each(end.retransmissions, (again) => add(again.t_s, name, again.reason === "rto" || again.reason === "loss-probe" ? "again" : "probe",
      `${++n}. ${again.reason}` + (Number.isFinite(again.rto_s) ? `, timeout ${span(usec(again.rto_s))}` : "")));
    each(end.resets, (reset) => add(reset.t_s, name, "reset", reset.sent ? "RST sent" : "RST received"));
    each(end.calls, (call) => call.error && add(call.t_s, name, "call", `${call.call}() = ${call.error}`));
    const d = end.detection_s && typeof end.detection_s === "object" ? end.detection_s : {};
    if (Number.isFinite(d.kernel ?? d.application))
      add(d.kernel ?? d.application, name, "noticed", `noticed: ${end.outcome}${end.mechanism ? " by " + end.mechanism : ""}${end.error ? ", " + end.error : ""}`);
    if (end.outcome === "undetected" || end.outcome === "survived")
      add(record.span_s, name, "end", end.outcome === "survived" ? "survived" : "had noticed nothing when the trial ended");
    if (Number.isFinite(end.recovered_s)) add(end.recovered_s, name, "heal", "works again");
    if (end.predicted_s && Number.isFinite(end.predicted_s.earliest) && Number.isFinite(end.predicted_s.latest))
      bars.push({ lane: name, from: usec(end.predicted_s.earliest), to: usec(end.predicted_s.latest), state: "predicted" });
  }
  happened.sort((a, b) => a.t - b.t);
  return { happened: happened.filter((event) => event.t > -2 * MIN || event.kind !== "call"), bars, lanes: ["events", ...ends.map(([name]) => name)] };
}

// A scale on which no wait is longer than it has to be: a piece for each, as wide as its logarithm.
function foldedScale(times, range, folded) {
  const all = [...new Set(times)].sort((a, b) => a - b);
  if (all.length < 2) return d3.scaleLinear().domain([all[0] - S, all[0] + S]).range(range);
  if (!folded) return d3.scaleLinear().domain([all[0], all[all.length - 1]]).range(range);
  const widths = d3.pairs(all).map(([a, b]) => 0.25 + Math.log10(1 + (b - a) / (5 * MS)));
  const sum = d3.sum(widths);
  let at = 0;
  return d3.scaleLinear().domain(all).range([range[0], ...widths.map((w) => range[0] + ((at += w) / sum) * (range[1] - range[0]))]);
}

const GLYPHS = {
  fault: d3.symbolTriangle, heal: d3.symbolDiamond, again: null, probe: null, state: null, reset: d3.symbolCross, call: d3.symbolSquare, noticed: d3.symbolStar, end: d3.symbolCircle,
};

function drawStory(svg, width) {
  const record = story.trial && recordOf(story.trial);
  if (!record) return { reason: story.trial ? "The whole record of this trial does not fit into the page; its command line and its numbers do: see the record." : "No record is in this page." };
  const { happened, bars, lanes } = storyOf(record);
  if (!happened.length) return { reason: "The record of this trial tells of nothing that happened." };
  const left = 76, right = width - 20, row = 84, top = 6, base = top + lanes.length * row;
  const end = happened[happened.length - 1].t;
  const first = Math.max(happened[0].t, -2 * S);
  const x = foldedScale([first, ...happened.map((event) => event.t).filter((t) => t >= first), end], [left, right], story.folded);
  svg.append("clipPath").attr("id", "story-clip").append("rect").attr("x", left - 8).attr("width", right - left + 24).attr("height", base + 30);
  lanes.forEach((lane, i) => {
    svg.append("line").attr("class", "lane").attr("x1", left).attr("x2", right).attr("y1", top + i * row + row * 0.55).attr("y2", top + i * row + row * 0.55);
    svg.append("text").attr("class", "row").attr("x", 0).attr("y", top + i * row + row * 0.55).attr("dy", "0.32em").text(short(lane === "events" ? "done to it" : lane, 12));
  });
  const g = svg.append("g").attr("clip-path", "url(#story-clip)"), under = g.append("g"), over = g.append("g");
  const axis = svg.append("g").attr("class", "axis");
  const marks = happened.filter((event) => event.t >= first).map((event) => ({ event, group: lanes.indexOf(event.lane), y: top + lanes.indexOf(event.lane) * row + row * 0.55,
    lines: [event.text, `${span(event.t)} after the first event (${exact(event.t)} s)`, event.lane === "events" ? "" : event.lane].filter(Boolean) }));
  const draw = (scale) => {
    under.selectAll("*").remove();
    over.selectAll("*").remove();
    drawWaits(under, happened.filter((event) => event.t >= first), scale, top, base);
    for (const bar of bars) {
      const y = top + lanes.indexOf(bar.lane) * row + row * 0.55, from = scale(Math.max(bar.from, first)), to = scale(bar.to === null ? end : bar.to);
      const predicted = bar.state === "predicted";
      under.append("rect").attr("class", predicted ? "predicted s3" : `state ${bar.state.toLowerCase().replace(/[^a-z]/g, "-")}`).attr("x", from).attr("width", Math.max(predicted ? 4 : 1, to - from))
        .attr("y", predicted ? y - 22 : y - 7).attr("height", predicted ? 44 : 14);
      if (!predicted && to - from > bar.state.length * 7) under.append("text").attr("class", "state").attr("x", Math.max(left, from) + 5).attr("y", y + 20).text(bar.state);
    }
    let labelled = -Infinity;
    for (const mark of marks) {
      const { event } = mark, glyph = GLYPHS[event.kind];
      mark.x = scale(event.t);
      mark.hidden = mark.x < left - 8 || mark.x > right + 8;
      if (glyph) over.append("path").attr("class", `event ${event.kind}`).attr("transform", `translate(${mark.x},${mark.y})`).attr("d", d3.symbol().type(glyph).size(event.kind === "noticed" ? 150 : 80)());
      else over.append("line").attr("class", `event ${event.kind}`).attr("x1", mark.x).attr("x2", mark.x).attr("y1", mark.y - 15).attr("y2", mark.y + 9);
      if (["fault", "heal", "noticed", "end"].includes(event.kind)) {
        const late = mark.x > width * 0.62;
        const clash = event.lane === "events" && mark.x - labelled < 90;
        if (event.lane === "events") labelled = mark.x;
        over.append("text").attr("class", "direct").attr("x", mark.x + (late ? 6 : -6)).attr("y", mark.y + (clash ? 26 : -19)).attr("text-anchor", late ? "end" : "start").text(short(event.text, width < 600 ? 26 : 60));
      }
    }
    drawTimes(axis, happened, scale, first, base, left, right);
  };
  const zoom = d3.zoom().scaleExtent([1, 200]).extent([[left, 0], [right, base]]).translateExtent([[left, 0], [right, base]])
    .filter(() => d3.event.type !== "wheel" || d3.event.ctrlKey || d3.event.metaKey)
    .on("zoom", () => {
      const t = d3.event.transform;
      draw(x.copy().range(x.range().map((at) => t.applyX(at))));
      moved();
    });
  let moved = () => {};
  draw(x);
  svg.call(zoom);
  story.zoom = (by) => zoom.scaleBy(svg, by);
  story.pan = (by) => zoom.translateBy(svg, by, 0);
  story.reset = () => zoom.transform(svg, d3.zoomIdentity);
  const noticed = happened.filter((event) => event.kind === "noticed"), again = happened.filter((event) => event.kind === "again" || event.kind === "probe");
  return {
    height: base + 34, marks, moves: (refresh) => (moved = refresh),
    reading: `${story.trial.title}, trial ${story.trial.position}, on ${story.trial.release}: ${many(again.length, "retransmission or probe", "retransmissions and probes")}, then ` +
      `${noticed.length ? noticed.map((event) => `${event.lane} ${event.text} after ${span(event.t)}`).join("; ") : "nobody noticed anything"}. ` +
      `${story.folded ? "Long waits are folded: a wait of ten times the length is only a little wider. " : ""}Drag, or hold Ctrl and turn the wheel, to look closer.`,
    table: { head: ["after", "seconds", "who", "what"], rows: happened.map((event) => [span(event.t), exact(event.t), event.lane === "events" ? "done to it" : event.lane, event.text]) },
  };
}

// Says how long a wait is, where there is room for it.
function drawWaits(g, happened, scale, top, base) {
  for (const [a, b] of d3.pairs(happened)) {
    const from = scale(a.t), to = scale(b.t), words = span(b.t - a.t);
    if (b.t - a.t < S || to - from < words.length * 6.4 + 10) continue;
    g.append("rect").attr("class", "wait").attr("x", from + 3).attr("width", to - from - 6).attr("y", top - 4).attr("height", base - top);
    g.append("text").attr("class", "wait").attr("x", (from + to) / 2).attr("y", base - 10).attr("text-anchor", "middle").text(words);
  }
}

function drawTimes(axis, happened, scale, first, base, left, right) {
  let free = -Infinity, last = "";
  axis.selectAll("*").remove();
  for (const event of happened) {
    const at = scale(event.t);
    const words = event.t === 0 ? "0" : span(event.t), late = at > right - 30;
    if (late && at - 74 < free - 37) continue;
    if (event.t < first || at < left - 1 || at > right + 1 || at < free || words === last) continue;
    last = words;
    free = at + 74;
    axis.append("line").attr("x1", at).attr("x2", at).attr("y1", base).attr("y2", base + 5);
    axis.append("text").attr("x", at).attr("y", base + 18).attr("text-anchor", late ? "end" : "middle").text(words);
  }
}

function storyTrials() {
  const have = trials.filter((trial) => Object.prototype.hasOwnProperty.call(data.records, trial.i));
  const late = have.filter((trial) => trial.rows.some((row) => Number.isFinite(row.bad)));
  const longest = (trial) => Math.max(...trial.rows.map((row) => row.bad || 0).filter(Number.isFinite));
  const first = have.find((trial) => trial.failures.length) || late.reduce((a, b) => (a && longest(a) >= longest(b) ? a : b), null) || have[0] || null;
  return { have, first };
}

function pictureTrial() {
  const { have, first } = storyTrials();
  story.trial = first;
  const name = (trial) => `${trial.position}: ${trial.title}, ${trial.kernel}, ${trial.rows.map((row) => timeOf(row)).join(" and ")}${trial.verdict === "pass" ? "" : ", " + trial.verdict}`;
  return picture({
    id: "trial", title: "One trial, step by step",
    controls: (redraw) => !have.length ? [] : [
      choice("Trial", (have.includes(story.trial) || !story.trial ? have : [story.trial, ...have]).slice(0, 200).map((trial) => [String(trial.i), name(trial)]), story.trial ? String(story.trial.i) : "",
        (value) => ((story.trial = trials[value]), redraw())),
      button("Closer", () => story.zoom(1.6)), button("Farther", () => story.zoom(1 / 1.6)),
      button("Whole", () => story.reset()), button("←", () => story.pan(120), { "aria-label": "Earlier" }), button("→", () => story.pan(-120), { "aria-label": "Later" }),
      button(story.folded ? "True lengths" : "Fold long waits", () => ((story.folded = !story.folded), redraw())),
      button("Record", () => openTrial(story.trial))],
    draw: drawStory,
  });
}

function showStory(trial) {
  story.trial = trial;
  document.getElementById("record").close();
  const section = document.getElementById("trial");
  section.redraw();
  section.scrollIntoView({ block: "start" });
  section.querySelector("select, button").focus({ preventScroll: true });
}
