// SPDX-License-Identifier: GPL-2.0-or-later
// The first screen: the question, the answer, and where it is from.

const MOST_ROWS = 60, MOST_FINDINGS = 8;

function countTrials(verdict) {
  return trials.filter((trial) => trial.verdict === verdict).length;
}

// Each summary once, of the studies, or of the scenarios where there is no study.
function questions() {
  const said = data.stores.flatMap((store) => {
    const study = store.study[0];
    return study && (study.summary || study.name) ? [study.summary || study.name] : store.scenarios.map((s) => s.summary);
  });
  return [...new Set(said.filter(Boolean))];
}

function drawTop() {
  const asked = questions();
  const names = data.stores.map((store) => (store.study[0] && store.study[0].name) || store.file);
  const worst = summarise(rows);
  const one = asked.length === 1;
  document.getElementById("top").append(...[
    el("p", { class: "kicker" }, el("span", { class: "brand" }, "deadpeer"), " report on ",
      list([...new Set(names)].slice(0, 4).map((name) => short(name))), names.length > 4 ? " and others" : ""),
    el("h1", {}, one ? short(asked[0], 200) : asked.length ? `${asked.length} questions, side by side` : "What these trials found"),
    one ? null : el("ul", { class: "asked" }, asked.slice(0, 8).map((text) => el("li", {}, short(text, 200))),
      asked.length > 8 ? el("li", {}, `… and ${asked.length - 8} more`) : null),
    el("p", { class: "lede" }, lede(worst)),
  ].filter(Boolean));
}

function lede(all) {
  const kernels = axisNamed("kernel").values.filter((value) => value !== null);
  const what = `${many(trials.length, "trial")} on ${many(kernels.length, "kernel")}. `;
  if (!trials.length) return "This store has no finished trial.";
  const losses = rows.filter((row) => !row.trial.healthy && row.counts);
  const parts = [what];
  if (all.undetected)
    parts.push(`At worst the loss was not noticed at all: ${share(all.undetected, losses.length)} of the ` +
      `${many(losses.length, "end")} that were watched had noticed nothing when the trial ended, after up to ${span(all.horizon)}. `);
  const timed = rows.filter((row) => Number.isFinite(row.bad) && !row.falseAlarm);
  if (timed.length) {
    const late = timed.reduce((a, b) => (a.time >= b.time ? a : b)), soon = timed.reduce((a, b) => (a.time <= b.time ? a : b));
    parts.push(timed.length === 1 ? `It took ${span(late.time)}. ` :
      `${all.undetected ? "Where it was noticed, that" : "The loss of the peer was noticed; that"} took from ${span(soon.time)} to ${span(late.time)}` +
      (axes.length ? `, longest with ${placeOf(late)}. ` : ". "));
  }
  if (all.healthy)
    parts.push(`${all.falseAlarms ? many(all.falseAlarms, "healthy connection") : "None"} of ${all.healthy.toLocaleString("en")}` +
      `${all.falseAlarms ? "" : " healthy connections"} ${all.falseAlarms === 1 || !all.falseAlarms ? "was" : "were"} declared dead.`);
  parts.push(whatDecides());
  return parts.join("");
}

// Which axes the times of each scenario go with, those of less than a tenth left out.
function whatDecides() {
  const asked = axes.filter((axis) => !["scenario", "endpoint", "store", "engine"].includes(axis.name));
  const parts = [];
  for (const group of groupBy(rows, [axisNamed("scenario")]).slice(0, 6)) {
    const weights = asked.map((axis) => [axis.name, weightOf(axis, group.rows)])
      .filter(([, weight]) => weight >= 0.1).sort((a, b) => b[1] - a[1]);
    if (weights.length)
      parts.push(`${axisNamed("scenario").values.length > 1 ? `${group.values[0]}: ` : ""}` +
        weights.map(([name, weight]) => `${name} (${Math.round(weight * 100)} %)`).join(", "));
  }
  return parts.length ? `What decides, with its share of the differences between the times: ${parts.join("; ")}. ` : "";
}

// Findings first: what failed, came otherwise than predicted, has no record, or says nothing.
function findingGroups() {
  const groups = new Map();
  const add = (kind, text, trial) => {
    const key = kind + "\n" + text;
    if (!groups.has(key)) groups.set(key, { kind, text, trials: [], n: 0 });
    groups.get(key).n++;
    if (trial) groups.get(key).trials.push(trial);
  };
  for (const trial of trials) for (const text of new Set(trial.failures)) add("expectation", text, trial);
  for (const trial of trials)
    if (trial.verdict === "fail" && !trial.failures.length) add("expectation", "failed, and its record does not say why", trial);
  for (const row of rows.filter((each) => each.surprise))
    add("prediction", `${row.trial.title}: ${row.endpoint} came ${row.time < row.earliest ? "sooner" : "later"} than predicted`, row.trial);
  for (const problem of problems) add("no record", problem.text, null);
  for (const trial of trials) for (const text of new Set(trial.reasons)) add("inconclusive", text, trial);
  return [...groups.values()];
}

const KINDS = {
  expectation: "An expectation did not hold",
  prediction: "Otherwise than predicted",
  "no record": "Could not be run",
  inconclusive: "Inconclusive: not measured",
};

function drawFinding(group) {
  const example = group.trials[0];
  const where = example ? [...new Set(group.trials.map((trial) => trial.title))] : [];
  const kernels = [...new Set(group.trials.map((trial) => trial.kernel))];
  return el("li", { class: "finding " + group.kind.replace(" ", "-") },
    el("span", { class: "kind" }, KINDS[group.kind]),
    el("span", { class: "what" }, short(group.text, 300)),
    el("span", { class: "where" }, many(group.n, "trial"),
      where.length ? ` of ${short(where[0])}${where.length > 1 ? ` and ${where.length - 1} more` : ""} on ${list(kernels.slice(0, 3).map((k) => short(k)))}. ` : ". ",
      example ? button("Show one", () => openTrial(example), { "aria-label": `Show one: ${short(group.text, 80)}` }) : null));
}

function drawFindings() {
  const groups = findingGroups();
  const passed = countTrials("pass"), failed = countTrials("fail"), open = countTrials("inconclusive");
  const surprises = new Set(rows.filter((row) => row.surprise).map((row) => row.trial)).size;
  const expected = data.stores.reduce((sum, store) => sum + Number((store.study[0] || {}).trials || 0), 0);
  const missing = Math.max(0, expected - trials.length - problems.length);
  const count = (n, word, kind) => el("li", { class: n ? kind : "none" }, el("strong", {}, n.toLocaleString("en")), " " + word);
  const hidden = groups.slice(MOST_FINDINGS);
  return el("section", { "aria-labelledby": "held" },
    el("h2", { id: "held" }, failed || problems.length ? "What did not hold" : open ? "Nothing failed, but not all was measured" : "Everything held that was expected"),
    el("ul", { class: "counts" },
      count(failed, "failed", "bad"), count(surprises, "otherwise than predicted", "odd"),
      count(open, "inconclusive", "odd"), count(problems.length, "without a record", "bad"), count(passed, "passed", "good"),
      missing ? count(missing, "not run yet, or in another store", "odd") : null),
    groups.length ? el("ul", { class: "findings" }, groups.slice(0, MOST_FINDINGS).map(drawFinding)) : null,
    hidden.length ? el("details", {}, el("summary", {}, many(hidden.length, "more finding")),
      el("ul", { class: "findings" }, hidden.slice(0, 200).map(drawFinding),
        hidden.length > 200 ? el("li", {}, `… and ${hidden.length - 200} more, in the table of trials`) : null)) : null);
}

// The axes of the answer's rows: the scenario, what programs do, and what else is not a plain setting.
function answerAxes() {
  const wanted = axes.filter((axis) => ["scenario", "endpoint"].includes(axis.name) || /workload/.test(axis.name));
  if (data.stores.length > 1 && groupBy(rows, [axisNamed("scenario")]).some((g) => new Set(g.rows.map((r) => r.trial.store)).size > 1))
    wanted.unshift(axisNamed("store"));
  return wanted.length ? wanted : [axisNamed("scenario")];
}

function rangeGraphic(s, scale) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const svg = d3.select(node).attr("class", "range").attr("viewBox", "0 0 100 10").attr("preserveAspectRatio", "none").attr("aria-hidden", "true");
  const at = (time) => (time === Infinity ? 100 : Math.max(1, Math.min(98, scale(Math.max(1, time)))));
  svg.append("rect").attr("class", "track").attr("width", 100).attr("y", 4).attr("height", 2);
  svg.append("rect").attr("class", "reach").attr("x", at(s.least) - 1).attr("y", 3).attr("height", 4)
    .attr("width", Math.max(2, at(s.worst) - at(s.least) + 1));
  return node;
}

function answerCell(cellRows, scale, without, label) {
  if (!cellRows.length) return el("td", { class: "empty", "data-label": label }, "–");
  const s = summarise(cellRows), row = s.worstRow;
  const lines = [];
  if (!Number.isNaN(s.worst) && s.worst !== Infinity && (!s.healthy || !s.falseAlarms)) {
    lines.push(el("button", { type: "button", class: "figure", onclick: () => openTrial(row.trial) }, span(s.worst)));
    lines.push(rangeGraphic(s, scale));
    if (s.least !== s.worst) lines.push(el("span", { class: "small" }, `least ${span(s.least)}, median ${span(s.median)}`));
  } else if (s.undetected) {
    lines.push(el("button", { type: "button", class: "figure never", onclick: () => openTrial(row.trial) }, "not noticed"));
    lines.push(rangeGraphic(s, scale));
    lines.push(el("span", { class: "small" },
      s.undetected === s.n ? `within ${span(s.horizon)}` : `by ${s.undetected} of ${s.n} within ${span(s.horizon)}; soonest ${span(s.least)}`));
  }
  if (s.healthy) {
    const [low, high] = wilson(s.falseAlarms, s.healthy);
    lines.push(el("span", { class: s.falseAlarms ? "figure never" : "figure" }, `${share(s.falseAlarms, s.healthy)} false alarms`),
      el("span", { class: "small" }, `${s.falseAlarms} of ${s.healthy} healthy ones declared dead (95 %: ${share(low, 1)} to ${share(high, 1)})`));
  }
  if (!lines.length)
    lines.push(el("span", { class: "figure" }, s.inconclusive === s.n ? "inconclusive" : s.alive ? "survived" : "no loss noticed"));
  const place = row && !s.healthy ? placeOf(row, without) : "";
  if (place) lines.push(el("span", { class: "small" }, `worst with ${place}`));
  if (s.failed) lines.push(el("span", { class: "small bad" }, `${s.failed} of ${many(s.n, "trial")} failed`));
  return el("td", { "data-label": label }, lines);
}

function releaseOf(kernel) {
  const found = data.stores.flatMap((store) => store.kernels).find((each) => each.kernel === kernel);
  return found ? found.release : kernel;
}

function drawAnswer() {
  const by = answerAxes(), kernel = axisNamed("kernel");
  const groups = groupBy(rows, by);
  groups.forEach((group) => (group.s = summarise(group.rows)));
  const times = rows.map((row) => row.bad).filter((time) => Number.isFinite(time) && time > 0);
  const scale = d3.scaleLog().domain([Math.max(1, d3.min(times) || 1), Math.max(10, d3.max(times) || 10)]).range([1, 97]);
  const without = [...by.map((axis) => axis.name), "kernel"];
  const workload = (row) => (settings.get("client.workload") || [])[row.trial.cell] || null;
  return el("section", { "aria-labelledby": "answer-title" },
    el("h2", { id: "answer-title" }, "The worst of each"),
    el("p", { class: "note" }, "The longest time from the first fault until this end noticed, on each kernel. The bar spans the least to the longest; all bars share one logarithmic scale."),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of the worst of each" },
      el("table", { class: "answer" },
        el("thead", {}, el("tr", {}, by.map((axis) => el("th", { scope: "col" }, axis.name === "scenario" ? "Scenario" : short(axis.name))),
          el("th", { scope: "col" }, "What happens"),
          kernel.values.map((value) => el("th", { scope: "col" }, value === null ? "–" : short(/^\d/.test(value) ? "Linux " + value : value),
            releaseOf(value) === value ? null : el("span", { class: "small" }, short(releaseOf(value))))))),
        el("tbody", {}, groups.slice(0, MOST_ROWS).map((group) => el("tr", {},
          group.values.map((value, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, short(value, 60))),
          el("td", { class: "events" }, short(group.rows[0].trial.events, 80),
            workload(group.rows[0]) && !by.some((axis) => /workload/.test(axis.name)) ? el("span", { class: "small" }, `client: ${short(workload(group.rows[0]))}`) : null),
          kernel.values.map((value) => answerCell(group.rows.filter((row) => kernel.of(row) === value), scale, without, short(value)))))))),
    groups.length > MOST_ROWS ? el("p", { class: "note" }, `${groups.length - MOST_ROWS} more rows are in the table of combinations below.`) : null);
}

function fact(name, value) {
  return value ? [el("dt", {}, name), el("dd", {}, value)] : [];
}

function drawStore(store, i) {
  const study = store.study[0] || {};
  const commands = [...new Set(store.sessions.map((session) => session.command))];
  const unique = (values) => list([...new Set(values)].slice(0, 6).map((value) => short(value, 80)));
  const here = trials.filter((trial) => trial.store === i).length;
  const firstLast = [store.sessions[0], store.sessions[store.sessions.length - 1]];
  const day = (time) => (time || "").slice(0, 16).replace("T", " ");
  return el("div", { class: "provenance" },
    el("h3", {}, short(store.file, 60)),
    el("dl", {},
      fact("Study", study.name ? short(study.name, 80) : "none: of run --db"),
      fact("Trials", study.trials && study.trials !== "0" ? `${here.toLocaleString("en")} of ${Number(study.trials).toLocaleString("en")}` +
        (study.shards !== "1" ? `, shard ${study.shard} of ${study.shards}` : "") : String(here)),
      fact("Kernels", store.kernels.map((k) => el("div", {}, k.kernel === k.release ? short(k.release, 80) : `${short(k.kernel)} = ${short(k.release, 80)}`))),
      fact("Engine", study.engine === "qemu" ? "qemu, virtual time" : short(study.engine || null)),
      fact("QEMU", store.emulators.length ? store.emulators.map((e) => short(e.version)).join(", ") : null),
      fact("Seed", study.seed), fact("Settings", study.quick === "1" ? "the scenarios' quick ones" : null),
      fact("deadpeer", unique([study.deadpeer, ...store.sessions.map((session) => session.deadpeer)].filter(Boolean))),
      fact("Host", unique(store.sessions.map((s) => `${s.host}, ${s.machine}, Linux ${s.release}, ${many(Number(s.processors), "processor")}, ${s.memory_mib} MiB`))),
      fact("When", firstLast[0] ? `${day(firstLast[0].started)} to ${day(firstLast[1].ended) || "a kill, or it still runs:"} UTC` : null)),
    commands.length ? el("p", { class: "again" }, "To make it again:") : null,
    commands.slice(0, 4).map((command) => copyable(command, "the command")),
    study.text ? el("details", {}, el("summary", {}, "The study's text"), el("pre", { tabindex: "0" }, study.text)) : null,
    store.scenarios.slice(0, 50).map((scenario) => el("details", {}, el("summary", {}, `Scenario ${short(scenario.scenario, 80)}`),
      el("pre", { tabindex: "0" }, scenario.text))));
}

function drawProvenance() {
  return el("section", { "aria-labelledby": "from" }, el("h2", { id: "from" }, "Where it is from"),
    el("div", { class: "stores" }, data.stores.map(drawStore)));
}
