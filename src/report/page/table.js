// SPDX-License-Identifier: GPL-2.0-or-later
// Tables that sort by any column, are filtered by words, and are copied as CSV; and what is shown of one trial.

const STEP = 50; // rows that are shown at first, and added by "More"

// A table of `columns`, each {name, number, text, value}: text(item) is what is shown, value(item) what is sorted by and
// copied. `items` returns what the filters leave.
function sortable({ id, title, note, columns, items, open }) {
  const state = { by: null, down: false, shown: STEP, words: "" };
  const found = el("span", { class: "found" });
  const head = el("tr"), body = el("tbody"), more = button("More", () => ((state.shown += 10 * STEP), fill()));
  const search = el("input", { type: "search", oninput: () => ((state.words = search.value), (state.shown = STEP), fill()) });
  const copy = button("Copy as CSV", () => copyText(csv(), copy));
  const line = (item) => columns().map((column) => column.text(item)).join(" ").toLowerCase();
  const chosen = () => {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    const left = items().filter((item) => !words.length || words.every((word) => line(item).includes(word)));
    const column = columns().find((each) => each.name === state.by);
    if (!column) return left;
    const order = (a, b) => {
      const va = column.value(a), vb = column.value(b);
      if (va === vb) return 0;
      if (va === null || Number.isNaN(va)) return 1; // what is not there stays below, whichever way
      if (vb === null || Number.isNaN(vb)) return -1;
      return (va < vb ? -1 : 1) * (state.down ? -1 : 1);
    };
    return left.sort(order);
  };
  const csv = () => {
    const cell = (value) => {
      const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    };
    return [columns().map((column) => cell(column.name)).join(), ...chosen().map((item) => columns().map((column) => cell(column.csv ? column.csv(item) : column.value(item))).join())].join("\n") + "\n";
  };
  const sort = (column) => {
    state.down = state.by === column.name ? !state.down : Boolean(column.number);
    state.by = column.name;
    fill();
    head.querySelectorAll("button")[columns().findIndex((each) => each.name === column.name)].focus();
  };
  const fill = () => {
    const all = chosen(), shown = all.slice(0, state.shown);
    head.replaceChildren(...columns().map((column) => el("th", { scope: "col", class: column.number && "number",
      "aria-sort": state.by === column.name ? (state.down ? "descending" : "ascending") : null },
      button(short(column.name, 40) + (state.by === column.name ? (state.down ? " ↓" : " ↑") : ""), () => sort(column)))));
    body.replaceChildren(...shown.map((item) => el("tr", {}, columns().map((column, i) => el("td", { class: column.number && "number" },
      i || !open ? short(column.text(item), 80) : button(short(column.text(item), 60), () => open(item), { class: "link", "aria-label": `${short(column.text(item), 60)}: record of ${short(line(item), 120)}` }))))));
    found.textContent = all.length > shown.length ? `${shown.length} of ${many(all.length, "row")} shown` : many(all.length, "row");
    more.hidden = all.length <= shown.length;
  };
  const section = el("section", { id, class: "framed", "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), note,
    el("div", { class: "choices" }, el("label", { class: "choice" }, el("span", {}, "Only rows with"), search), copy, found),
    el("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `Table: ${title}` }, el("table", { class: "sortable" }, el("thead", {}, head), body)), more);
  redraws.push(fill);
  section.redraw = fill;
  fill();
  return section;
}

const text = (name, of) => ({ name, text: (item) => of(item) ?? "–", value: (item) => {
  const value = of(item), number = value === null ? NaN : numberOf(value);
  return Number.isNaN(number) ? value : number;
}, csv: of });
const time = (name, of) => ({ name, number: true, text: (item) => span(of(item)), value: of, csv: (item) => (of(item) === Infinity ? "never" : exact(of(item))) });
const count = (name, of) => ({ name, number: true, text: (item) => String(of(item)), value: of });

// ---- combinations: trials that stand at the same places of some axes

let combinedBy = axes.filter((axis) => !["store", "engine"].includes(axis.name)).map((axis) => axis.name);

function tableCombinations() {
  const columns = () => [
    ...combinedBy.map((name, i) => text(name, (item) => item.values[i])),
    count("trials", (item) => item.s.n), count("passed", (item) => item.s.passed), count("failed", (item) => item.s.failed),
    count("inconclusive", (item) => item.s.inconclusive), count("never noticed", (item) => item.s.undetected),
    ...(rows.some((row) => row.trial.healthy) ? [count("false alarms", (item) => item.s.falseAlarms)] : []),
    time("least", (item) => item.s.least), time("median", (item) => item.s.median), time("greatest", (item) => item.s.worst),
    time("predicted from", (item) => item.s.earliest ?? NaN), time("to", (item) => item.s.latest ?? NaN),
  ];
  const items = () => groupBy(shownRows(), combinedBy.map(axisNamed)).map((group) => ({ ...group, s: summarise(group.rows) }));
  const boxes = axes.map((axis) => {
    const box = el("input", { type: "checkbox", checked: combinedBy.includes(axis.name), onchange: () => {
      combinedBy = axes.map((each) => each.name).filter((name) => (name === axis.name ? box.checked : combinedBy.includes(name)));
      section.redraw();
    } });
    return el("label", { class: "check" }, box, short(axis.name, 40));
  });
  const section = sortable({ id: "combinations", title: "Combinations", columns, items,
    note: axes.length ? el("fieldset", { class: "choices" }, el("legend", {}, "A row for each"), boxes) : null });
  return section;
}

// ---- trials

let chosenRows = null;

// Shows only some rows in the table of trials; null: all.
function chooseRows(list, why) {
  chosenRows = list && new Set(list);
  const note = document.getElementById("chosen");
  note.replaceChildren(...(list ? [`Only what was ${why}. `, button("All", () => chooseRows(null))] : []));
  document.getElementById("all-trials").redraw();
  say(list ? `${many(list.length, "trial")} chosen, see the table of trials` : "All trials are in the table");
}

function tableTrials() {
  const columns = () => [
    count("trial", (row) => row.trial.position), text("scenario", (row) => row.trial.title),
    ...axes.filter((axis) => axis.name !== "scenario").map((axis) => text(axis.name, axis.of)),
    ...(axisNamed("kernel").values.length > 1 ? [] : [text("kernel", (row) => row.trial.kernel)]),
    count("repeat", (row) => row.trial.repeat), text("verdict", (row) => row.trial.verdict), text("outcome", (row) => row.outcome),
    text("errno", (row) => row.errno), text("mechanism", (row) => row.mechanism),
    { ...time("noticed after", (row) => (row.time === null ? (row.undetected ? Infinity : NaN) : row.time)) },
    time("predicted from", (row) => row.earliest ?? NaN), time("to", (row) => row.latest ?? NaN),
    count("sent again", (row) => row.retransmissions), text("clock", (row) => row.trial.clock),
    text("seed", (row) => row.trial.seed), text("phase", (row) => (row.trial.phase === null ? null : String(row.trial.phase))),
  ];
  return sortable({ id: "all-trials", title: "Trials", columns, note: el("p", { id: "chosen", class: "note" }),
    items: () => shownRows().filter((row) => !chosenRows || chosenRows.has(row)), open: (row) => openTrial(row.trial) });
}

// ---- one trial

function openTrial(trial) {
  const dialog = document.getElementById("record"), record = recordOf(trial);
  const settingsOf = [...settings].map(([key, values]) => [key, values[trial.cell]]).filter(([, value]) => value !== null);
  const pair = ([name, value]) => [el("dt", {}, short(name, 60)), el("dd", {}, value === null || value === undefined || value === "" ? "–" : short(String(value), 200))];
  hideTip();
  dialog.replaceChildren(...[
    el("div", { class: "dialog-head" }, el("h2", { id: "record-title", tabindex: "-1" }, `Trial ${trial.position}: ${short(trial.title, 80)}`), button("Close", () => dialog.close())),
    el("p", { class: `verdict ${trial.verdict}` }, { pass: "Passed", fail: "Failed", inconclusive: "Inconclusive" }[trial.verdict] || short(trial.verdict, 40), `: ${short(trial.events, 160)}`),
    [...trial.failures, ...trial.reasons].length ? el("ul", { class: "why" }, [...trial.failures, ...trial.reasons].map((why) => el("li", {}, short(why, 600)))) : null,
    trial.rows.map((row) => el("div", { class: "end" }, el("h3", {}, short(row.endpoint)), el("p", { class: "figure" }, outcomeOf(row)),
      el("dl", {}, [["noticed by the kernel, s", exact(row.kernel)], ["by the application, s", exact(row.application)], ["last packet, s", exact(row.wire)],
        ["worked again, s", exact(row.recovered)], ["predicted, s", row.earliest === null && row.latest === null ? "" : `${exact(row.earliest)} to ${exact(row.latest)}`],
        ["error", row.errno], ["sent again", row.retransmissions], ["resets", row.resets]].map(pair)))),
    el("h3", {}, "To run it again"), hasFile(trial) ? copyable(extractCommand(trial), "the command that writes the scenario") : null,
    copyable(commandOf(trial), "the command"), byChance(trial) ? el("p", { class: "note" }, "Chance decides here which packets are lost, and alone the trial may come out otherwise.") : null,
    el("h3", {}, "To read its record in the store"), copyable(fetchCommand(trial), "the query"),
    el("h3", {}, "What it was"),
    el("dl", {}, [["kernel", trial.release], ["engine", trial.engine], ["family", trial.family], ["seed", trial.seed], ["phase of the timer wheel", trial.phase], ["repeat", trial.repeat],
      ["clock", trial.clock], ["took, s", exact(trial.span)], ["store", data.stores[trial.store].file], ...settingsOf].map(pair)),
    record ? el("details", {}, el("summary", {}, "The whole record"), el("pre", { tabindex: "0" }, JSON.stringify(record, null, 1))) :
      el("p", { class: "note" }, "The whole record did not fit into this page; the query above prints it."),
    record ? button("Show it step by step", () => showStory(trial), { class: "main" }) : null,
  ].flat().filter(Boolean));
  dialog.showModal();
  dialog.scrollTop = 0;
  document.getElementById("record-title").focus();
}
