// SPDX-License-Identifier: GPL-2.0-or-later
// Times, counts and names as people say them.

const MS = 1e3, S = 1e6, MIN = 60 * S, H = 60 * MIN, D = 24 * H;

function trim(number, digits) {
  return String(Number(number.toPrecision(digits)));
}

// "850 ms", "12.6 s", "15 min 39 s", "2 h 12 min", "30 d"
function span(usec) {
  if (usec === null || Number.isNaN(usec)) return "–";
  if (usec === Infinity) return "never";
  if (usec < 0) return "−" + span(-usec);
  if (usec < MS) return `${usec} µs`;
  if (usec < 999.5 * MS) return `${trim(usec / MS, 3)} ms`;
  if (usec < 59.95 * S) return `${trim(usec / S, 3)} s`;
  const two = (big, unit, small, smaller) => {
    const whole = Math.round(usec / small), per = big / small;
    return `${Math.floor(whole / per)} ${unit}` + (whole % per ? ` ${whole % per} ${smaller}` : "");
  };
  if (usec < H - S / 2) return two(MIN, "min", S, "s");
  if (usec < D - MIN / 2) return two(H, "h", MIN, "min");
  return two(D, "d", H, "h");
}

// Seconds with all their decimals, for tables, CSV and whoever looks closely.
function exact(usec) {
  return usec === null || !Number.isFinite(usec) ? "" : (usec / S).toFixed(6);
}

function many(n, one, more = one + "s") {
  return `${n.toLocaleString("en")} ${n === 1 ? one : more}`;
}

function list(words) {
  return words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];
}

// A stranger's text may have ten thousand characters; a label has room for a few.
function short(text, most = 48) {
  if (text === null) return "–";
  if (text === "") return "(empty)";
  const characters = [...text.slice(0, most * 2 + 2)];
  return characters.length <= most ? text : characters.slice(0, most - 1).join("") + "…";
}

function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  return part && percent < 1 ? "<1 %" : part < whole && percent > 99 ? ">99 %" : `${Math.round(percent)} %`;
}

// Wilson's interval of 95 %, in which the true rate lies; see src/report/rate.h.
function wilson(count, total) {
  const z = 1.959964, p = count / total, d = 1 + (z * z) / total;
  const middle = (p + (z * z) / (2 * total)) / d;
  const half = (z / d) * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

// What became of an endpoint, in words, and what it took.
function outcomeOf(row) {
  if (row.outcome === null) return row.trial.verdict === "inconclusive" ? "not measured" : "not watched";
  if (row.undetected) return `not noticed in ${span(row.trial.span)}`;
  if (row.alive) return row.outcome === "survived" ? "survived" : `still connected after ${span(row.trial.span)}`;
  return row.outcome + (row.mechanism ? ` by ${row.mechanism}` : "") + (row.time === null ? "" : ` after ${span(row.time)}`);
}

function timeOf(row) {
  if (row.undetected) return "never";
  if (row.alive) return "alive";
  return span(row.time);
}

function placeOf(row, without = []) {
  const shown = axes.filter((axis) => !without.includes(axis.name) && axis.of(row) !== null);
  return shown.map((axis) => `${axis.name} ${short(axis.of(row))}`).join(", ");
}

// A word for a shell.
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + String(word).replace(/'/g, "'\\''") + "'";
}

// What netem loses is drawn in a guest that the trials of a sweep share, so that the draws of one alone are others.
function byChance(trial) {
  return /\bnetem\b/.test(trial.events || "");
}

// The command that makes a trial again. In virtual time it comes out the same, unless chance decides.
function commandOf(trial) {
  const store = data.stores[trial.store], study = store.study[0] || {};
  const words = ["deadpeer", "run", nameOf(trial), "--engine", trial.engine];
  if (trial.engine === "qemu") words.push("--kernel", trial.release);
  words.push("--family", trial.family, "--seed", trial.seed);
  if (trial.engine === "qemu" && trial.phase !== null) words.push("--phase", String(trial.phase));
  if (study.quick === "1" || store.sessions.some((session) => / (--quick|-q) /.test(session.command + " "))) words.push("--quick");
  const few = study.name && [...places].every(([name, values]) => settings.has(name) || new Set(values).size > 1);
  for (const [key, values] of settings)
    if (values[trial.cell] !== null && !/\.command\b/.test(key) && (!few || places.has(key) || variesWithin(key, trial.title)))
      words.push("--set", `${key}=${values[trial.cell]}`);
  const horizon = /^horizon:\s*([\w.]+)\s*(?:#.*)?$/m.exec(study.text || "");
  if (horizon) words.push("--horizon", horizon[1]);
  return words.map(quoted).join(" ");
}

// Whether a study changes a setting of a scenario: what it does not change the scenario says by itself.
const varying = new Map();
function variesWithin(key, title) {
  if (!varying.has(title)) {
    const cells = [...new Set(trials.filter((trial) => trial.title === title).map((trial) => trial.cell))];
    varying.set(title, new Set([...settings.keys()].filter((each) => new Set(cells.map((cell) => settings.get(each)[cell])).size > 1)));
  }
  return varying.get(title).has(key);
}

// A scenario that a study or a command named by its file is not in the catalogue: its text is in the store.
function hasFile(trial) {
  const store = data.stores[trial.store], study = store.study[0] || {};
  return store.scenarios.some((each) => each.scenario === trial.scenario + ".yaml") &&
    [study.text || "", ...store.sessions.map((session) => session.command)].some((said) => said.includes(trial.scenario + ".yaml"));
}

function nameOf(trial) {
  return hasFile(trial) ? `./${trial.scenario}.yaml` + (trial.variant === null ? "" : "/" + trial.variant) : trial.title;
}

function extractCommand(trial) {
  const file = trial.scenario + ".yaml";
  return `sqlite3 ${quoted(data.stores[trial.store].file)} "SELECT text FROM scenario WHERE scenario = '${file.replace(/'/g, "''")}'" > ${quoted(file)}`;
}

function fetchCommand(trial) {
  const file = data.stores[trial.store].file;
  return `sqlite3 ${quoted(file)} 'SELECT json FROM record JOIN trial USING(trial) WHERE position = ${trial.position}'`;
}
