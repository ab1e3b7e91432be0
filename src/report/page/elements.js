// SPDX-License-Identifier: GPL-2.0-or-later
// Makes elements. Text always goes in as text nodes; there is no innerHTML anywhere in this page.

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function button(text, onclick, attributes) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

// A labelled choice. `options` are [value, text] pairs.
function choice(label, options, chosen, onchange) {
  const select = el("select", { onchange: () => onchange(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, short(text, 60))));
  return el("label", { class: "choice" }, el("span", {}, short(label, 60)), select);
}

function copyable(text, what) {
  const copy = button("Copy", () => copyText(text, copy), { "aria-label": `Copy ${what}` });
  return el("div", { class: "copyable" }, el("code", { tabindex: "0" }, text), copy);
}

async function copyText(text, from) {
  const before = from.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch (_) {
    const area = el("textarea", { class: "aside" });
    area.value = text;
    from.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  from.textContent = "Copied";
  say("Copied");
  setTimeout(() => (from.textContent = before), 1500);
}

// Tells those who do not see the screen.
function say(text) {
  document.getElementById("status").textContent = text;
}

const tip = document.getElementById("tip");

function showTip(lines, x, y) {
  tip.replaceChildren(...lines.map((line, i) => el(i ? "div" : "strong", {}, line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, x + 14), document.documentElement.clientWidth - box.width - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${y - box.height - 14 < 8 ? y + 18 : y - box.height - 14}px`;
}

function hideTip() {
  tip.hidden = true;
}
