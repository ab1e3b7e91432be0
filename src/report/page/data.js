// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the data block, which src/report/page.c writes, into trials and rows. A row is one endpoint of one trial. Times
// are microseconds after the first event. Everything in it may be a stranger's text: it becomes text, never markup.

const data = JSON.parse(document.getElementById("data").textContent);

// Makes a list of `n` values of a column: one value for all, a list, or differences ({"d": [...]}).
function column(packed, n) {
  if (packed && packed.d) {
    let sum = 0;
    return packed.d.map((step) => (sum += step));
  }
  return Array.isArray(packed) ? packed : new Array(n).fill(packed);
}

function texts(packed, n) {
  return column(packed, n).map((i) => (i === null ? null : data.texts[i]));
}

// Turns {"a": column, "b": column} into a list of objects.
function objects(table, asText) {
  const made = Array.from({ length: table.n }, () => ({}));
  for (const name of Object.keys(table).filter((each) => !["n", "places", "settings"].includes(each))) {
    const values = (asText.includes(name) ? texts : column)(table[name], table.n);
    for (let i = 0; i < made.length; i++) made[i][name] = values[i];
  }
  return made;
}

function named(table, n) {
  return new Map(table.names.map((name, i) => [name, texts(table.columns[i], n)]));
}

const places = named(data.trials.places, data.trials.n);
const settings = named(data.cells.settings, data.cells.n);
const cellEvents = texts(data.cells.events, data.cells.n);
const ENDS_IT = /^(power-loss|reboot|crash|conntrack-flush|take-over|close|shutdown|exit|start)\b/;

// Whether the connection could have lived on: every fault that lasts was healed, or only lost some packets. Who gives
// up then has raised a false alarm. Null events: nothing is known.
function isHealthy(events) {
  const open = new Set();
  for (const event of events === null ? ["crash"] : events.split("; ").filter(Boolean)) {
    if (ENDS_IT.test(event)) return false;
    if (event.startsWith("heal ")) open.delete(event.slice(5));
    else if (!/^(netem|connect|send|pause-reading|resume-reading|free-descriptors)\b/.test(event)) open.add(event);
  }
  return open.size === 0;
}

const trials = objects(data.trials, [
  "scenario", "variant", "family", "engine", "kernel", "release", "seed", "verdict", "clock",
]);
const cellHealthy = cellEvents.map(isHealthy);
trials.forEach((trial, i) => {
  trial.i = i;
  trial.title = trial.variant === null ? trial.scenario : trial.scenario + "/" + trial.variant;
  trial.events = cellEvents[trial.cell];
  trial.healthy = cellHealthy[trial.cell];
  trial.failures = [];
  trial.reasons = [];
  trial.rows = [];
});
for (const kind of ["failures", "reasons"]) {
  const of = column(data[kind].trial, data[kind].n);
  texts(data[kind].text, data[kind].n).forEach((text, i) => trials[of[i]][kind].push(text));
}
const problems = texts(data.problems.text, data.problems.n).map((text, i) => ({
  text,
  store: column(data.problems.trial, data.problems.n)[i],
  position: data.problems.n ? column(data.problems.place, data.problems.n)[i] : null,
}));

const rows = objects(data.rows, ["endpoint", "outcome", "errno", "mechanism"]);
const TIMES = ["kernel", "application", "wire", "recovered", "earliest", "latest"];
rows.forEach((row, i) => {
  row.i = i;
  const first = TIMES.find((name) => row[name] !== null);
  for (const name of TIMES) if (name !== first && row[name] !== null) row[name] += row[first];
  row.trial = trials[row.trial];
  row.trial.rows.push(row);
  // The kernel's clock, or the application's where there is no kernel's, as in the store's view `detections`.
  row.time = row.kernel === null ? row.application : row.kernel;
  row.counts = row.outcome !== null && row.trial.verdict !== "inconclusive";
  row.alive = row.outcome === "survived" || (row.outcome === "undetected" && row.trial.healthy);
  row.undetected = row.outcome === "undetected" && !row.trial.healthy;
  row.falseAlarm = row.trial.healthy && ["timed-out", "unreachable", "reset", "abandoned"].includes(row.outcome);
  row.surprise = row.counts && row.time !== null &&
    ((row.earliest !== null && row.time < row.earliest) || (row.latest !== null && row.time > row.latest));
  // What it is worth where the worst is sought: never is worse than late. NaN: it says nothing of detection.
  row.bad = !row.counts || row.alive || (row.time === null && !row.undetected) ? NaN : row.undetected ? Infinity : row.time;
});

function recordOf(trial) {
  try {
    return JSON.parse(data.records[trial.i]);
  } catch (_) {
    return null;
  }
}

// ---- axes: whatever differs between the trials, and is not a repeat of the same

// The number that a text stands for, so that 5s comes before 2min; NaN where it is none.
function numberOf(text) {
  const units = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400, "%": 1, k: 1e3, M: 1e6 };
  const found = /^(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d|%|k|M)?$/.exec(text);
  return found ? Number(found[1]) * (found[2] ? units[found[2]] : 1) : NaN;
}

// An axis knows the place of each row on it once and for all: `at` has its number among the values.
function makeAxis(name, of) {
  const said = rows.map(of), values = [...new Set(said)].filter((value) => value !== null);
  if (values.every((value) => !Number.isNaN(numberOf(value)))) values.sort((a, b) => numberOf(a) - numberOf(b));
  else if (name === "kernel") values.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (said.includes(null)) values.push(null);
  const rank = new Map(values.map((value, i) => [value, i]));
  return { name, values, at: Int32Array.from(said, (value) => rank.get(value)), of: (row) => said[row.i] };
}

// Cells of the same scenario at the same places; a list of cells for each.
function cellsByPlace() {
  const found = new Map(), done = new Set();
  for (const trial of trials) {
    if (done.has(trial.cell)) continue;
    done.add(trial.cell);
    const place = JSON.stringify([trial.title, ...[...places.values()].map((values) => values[trial.i])]);
    found.set(place, [...(found.get(place) || []), trial.cell]);
  }
  return [...found.values()];
}

// A setting counts as an axis if scenario and places do not determine it: trials of `run --set` differ in it.
function isFree(key, byPlace) {
  const values = settings.get(key);
  return byPlace.some((cells) => cells.some((cell) => values[cell] !== values[cells[0]]));
}

// A kernel is what its release says. It is called as people asked for it where that is one release in all stores.
function kernelNames() {
  const releases = new Map(), names = new Map();
  for (const { kernel, release } of trials) {
    releases.set(kernel, (releases.get(kernel) || new Set()).add(release));
    if (!names.has(release) || /^\d/.test(kernel)) names.set(release, kernel);
  }
  return new Map([...names].map(([release, name]) => [release, releases.get(name).size === 1 ? name : release]));
}

function findAxes() {
  const called = kernelNames();
  const found = [], byPlace = cellsByPlace();
  if (data.stores.length > 1) found.push(makeAxis("store", (row) => data.stores[row.trial.store].file));
  found.push(makeAxis("scenario", (row) => row.trial.title));
  for (const [name, values] of places) {
    const fallback = settings.get(name);
    found.push(makeAxis(name, (row) => values[row.trial.i] ?? (fallback ? fallback[row.trial.cell] : null)));
  }
  for (const [key, list] of settings)
    if (!places.has(key) && new Set(list).size > 1 && isFree(key, byPlace))
      found.push(makeAxis(key, (row) => list[row.trial.cell]));
  found.push(makeAxis("family", (row) => row.trial.family));
  found.push(makeAxis("engine", (row) => row.trial.engine));
  found.push(makeAxis("endpoint", (row) => row.endpoint));
  found.push(makeAxis("kernel", (row) => called.get(row.trial.release)));
  return found;
}

const allAxes = findAxes();
// Those with more than one value: what can be compared.
const axes = allAxes.filter((axis) => axis.values.length > 1);
const axisNamed = (name) => allAxes.find((axis) => axis.name === name);

// Groups rows by their places on some axes; the groups are in the order of the axes' values.
function groupBy(list, by) {
  const groups = new Map();
  for (const row of list) {
    const key = by.length === 1 ? by[0].at[row.i] : by.map((axis) => axis.at[row.i]).join();
    let group = groups.get(key);
    if (!group) {
      group = { values: by.map((axis) => axis.of(row)), order: by.map((axis) => axis.at[row.i]), rows: [] };
      groups.set(key, group);
    }
    group.rows.push(row);
  }
  return [...groups.values()].sort((a, b) => {
    const i = a.order.findIndex((place, n) => place !== b.order[n]);
    return i < 0 ? 0 : a.order[i] - b.order[i];
  });
}

// The median of sorted times: of an even number the mean of the two in the middle, as in tables and in the view cells.
function middleOf(times) {
  const low = times[Math.floor((times.length - 1) / 2)], high = times[Math.floor(times.length / 2)];
  return low === high ? low : (low + high) / 2;
}

// What a group of rows says: the spread of its times, what is predicted, how often nothing was noticed. A connection
// has two ends, and counts once where it could have lived on.
function summarise(list) {
  const s = {
    n: list.length, least: NaN, median: NaN, worst: NaN, worstRow: null, earliest: null, latest: null, horizon: 0,
    undetected: 0, alive: 0, falseAlarms: 0, healthy: 0, passed: 0, failed: 0, inconclusive: 0,
  };
  const times = [], healthy = new Set(), alarms = new Set();
  for (const row of list) {
    const { trial, bad } = row;
    if (trial.verdict === "pass") s.passed++;
    else if (trial.verdict === "fail") s.failed++;
    else if (trial.verdict === "inconclusive") s.inconclusive++;
    if (!row.counts) continue;
    if (!Number.isNaN(bad)) times.push(bad);
    if (!s.worstRow || bad > s.worstRow.bad || (Number.isNaN(s.worstRow.bad) && !Number.isNaN(bad))) s.worstRow = row;
    if (row.earliest !== null && (s.earliest === null || row.earliest < s.earliest)) s.earliest = row.earliest;
    if (row.latest !== null && (s.latest === null || row.latest > s.latest)) s.latest = row.latest;
    if (row.undetected) {
      s.undetected++;
      s.horizon = Math.max(s.horizon, trial.span || 0);
    }
    if (row.alive) s.alive++;
    if (trial.healthy) healthy.add(trial);
    if (row.falseAlarm) alarms.add(trial);
  }
  times.sort((a, b) => a - b);
  if (times.length) [s.least, s.median, s.worst] = [times[0], middleOf(times), times[times.length - 1]];
  s.healthy = healthy.size;
  s.falseAlarms = alarms.size;
  return s;
}
