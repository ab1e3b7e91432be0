#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report-browser.py CHROMIUM FOLDER [AXE]: the checks of report-browser.bash on the pages in FOLDER."""
import csv
import io
import json
import os
import sqlite3
import sys

from browser import Browser

PICTURES = ("by-time", "kernels", "heat", "frontier", "trial")
chromium, folder, axe = (sys.argv[1:] + [""])[:3]
browser = Browser(chromium)
wrong = 0


def check(holds, what):
    global wrong
    if not holds:
        wrong += 1
        print(f"report-browser: {what}")


def path(name):
    return os.path.join(folder, name)


def quiet(name, took, what=""):
    check(took is not None, f"{name}{what}: the page is not ready")
    for complaint in browser.complaints()[:5]:
        check(False, f"{name}{what}: {complaint[:300]}")


def wide_and_dark():
    for name in ("base", "outcomes", "hostile", "empty", "merged"):
        for width, dark in ((380, True), (1280, False), (2560, False)):
            quiet(name, browser.open(path(name + ".html"), width, dark=dark), f" at {width}")
            over = browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            check(over <= 0, f"{name} at {width}: the page is {over} pixels too wide")
            check(browser.eval("getComputedStyle(document.documentElement).backgroundColor") ==
                  ("rgb(20, 22, 26)" if dark else "rgb(255, 255, 255)"), f"{name}: not the colours of {'dark' if dark else 'light'}")


def inert():
    browser.open(path("hostile.html"))
    check("broken" not in browser.eval("document.title").split(" - deadpeer")[0][:6], "hostile: a script of a store ran")
    check(browser.eval("document.querySelectorAll('script').length") == 3, "hostile: there are other scripts than three")
    check(browser.eval("document.querySelectorAll('img, iframe, b, i:not(.swatch), u, svg[onload]').length") == 0, "hostile: there is markup of a store")
    check(browser.eval("document.querySelectorAll('#all-trials tbody tr').length") >= 13, "hostile: not each trial has a row")
    for i in range(13):  # each record opens, whatever is in it
        browser.eval(f"document.querySelectorAll('#all-trials tbody button')[{i}].click()")
        check(browser.eval("document.getElementById('record').open"), f"hostile: record {i} does not open")
        browser.eval("(document.querySelector('#record .main') || document.querySelector('#record button')).click()")
        browser.settle(0.05)
    quiet("hostile", 0, ", its records")


def pictures():
    browser.open(path("outcomes.html"))
    for name in PICTURES:
        drawn = browser.eval(f"document.querySelectorAll('#{name} svg.picture > *').length")
        reason = browser.eval(f"document.querySelector('#{name}').classList.contains('nothing')")
        check(drawn > 3 or (name == "frontier" and reason), f"outcomes: {name} is not drawn")
        said = browser.eval(f"document.querySelector('#{name} .reading').textContent")
        check(len(said) > 30, f"outcomes: {name} says nothing")
        if reason:
            continue
        browser.eval(f"document.querySelector('#{name} details').open = true")
        browser.settle(0.1)
        check(browser.eval(f"document.querySelectorAll('#{name} details tbody tr').length") > 0, f"outcomes: {name} has no table")
    dots = browser.eval("[...document.querySelectorAll('#by-time path.dots')].reduce((n, p) => n + p.getAttribute('d').split('M').length - 1, 0)")
    wanted = query("outcomes.db", "SELECT count(*) FROM detections WHERE detected_s IS NOT NULL OR outcome IN ('survived', 'undetected')")[0][0]
    check(dots == wanted, f"outcomes: {dots} dots, not {wanted}")
    browser.open(path("base.html"))
    check("Left out" in browser.eval("document.querySelector('#frontier .reading').textContent"), "base: the frontier is not left out with a reason")


def query(name, sql):
    with sqlite3.connect(f"file:{path(name)}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def label():
    return browser.eval("document.activeElement.getAttribute('aria-label') || ''")


def keyboard():
    browser.open(path("outcomes.html"))
    browser.eval("window.seen = 0")
    for _ in range(200):  # from the top, by Tab alone
        browser.key("Tab")
        if browser.eval("document.activeElement.matches('#by-time .cursor')"):
            break
    check(browser.eval("document.activeElement.matches('#by-time .cursor')"), "keyboard: Tab does not reach the first picture")
    first = label()
    browser.key("ArrowRight")
    second = label()
    check(first and second and first != second, "keyboard: an arrow does not move to another trial")
    check(not browser.eval("document.getElementById('tip').hidden"), "keyboard: no numbers are shown")
    browser.key("Enter")
    check(browser.eval("document.getElementById('record').open"), "keyboard: Enter does not open the record")
    command = browser.eval("document.querySelector('#record code').textContent")
    check(command.startswith("deadpeer run ") and "--seed" in command and "--phase" in command, f"keyboard: the command is {command}")
    browser.key("Escape")
    check(not browser.eval("document.getElementById('record').open"), "keyboard: Escape does not close the record")
    check(browser.eval("document.activeElement.matches('#by-time .cursor')"), "keyboard: the focus does not come back")
    reached = set()
    for _ in range(200):
        browser.key("Tab")
        found = browser.eval("(document.activeElement.matches('.cursor') && document.activeElement.closest('section').id) || ''")
        reached.add(found)
        if browser.eval("Boolean(document.activeElement.closest('#all-trials'))"):
            break
    check({"kernels", "heat", "trial"} <= reached, f"keyboard: Tab reaches only {reached}")


def tables():
    browser.open(path("outcomes.html"))
    browser.eval("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    copied = lambda table: (browser.eval(f"[...document.querySelectorAll('#{table} button')].find((b) => b.textContent === 'Copy as CSV').click()"),
                            browser.settle(0.1), list(csv.DictReader(io.StringIO(browser.eval("window.copied")))))[2]
    rows = copied("all-trials")
    wanted = query("outcomes.db", "SELECT position, printf('%.6f', coalesce(kernel_s, application_s)) FROM trial JOIN endpoint USING(trial) "
                   "WHERE coalesce(kernel_s, application_s) IS NOT NULL ORDER BY 1, 2")
    got = sorted((int(row["trial"]), row["noticed after"]) for row in rows if row["noticed after"] not in ("", "never"))
    check(got == sorted(wanted), f"tables: times of trials are not those of the store: {got[:3]} {wanted[:3]}")
    combined = copied("combinations")
    greatest = dict(query("outcomes.db", "SELECT kernel || p.value, printf('%.6f', max(detected_s)) FROM detections JOIN place AS p USING(trial) "
                          "WHERE scenario = 'every' AND variant = 'timed-out' GROUP BY 1"))
    found = {row["kernel"] + row["client.net.ipv4.tcp_retries2"]: row["greatest"] for row in combined if row["scenario"] == "every/timed-out"}
    check(found == greatest and len(found) == 4, f"tables: greatest times {found}, not {greatest}")
    failed = query("outcomes.db", "SELECT count(*) FROM trial WHERE verdict = 'fail'")[0][0]
    check(browser.eval("document.querySelector('.counts strong').textContent") == str(failed), "tables: the answer does not count failures as the store does")
    order = lambda: browser.eval("[...document.querySelectorAll('#all-trials tbody tr')].map((tr) => tr.cells[0].textContent).slice(0, 3).join()")
    before = order()
    browser.eval("[...document.querySelectorAll('#all-trials thead button')].find((b) => b.textContent.startsWith('noticed after')).focus()")
    browser.key("Enter")
    check(order() != before, "tables: a table does not sort")
    check(browser.eval("document.querySelector('#all-trials th[aria-sort=descending]') !== null"), "tables: the order is not told")
    browser.eval("(() => { const i = document.querySelector('#all-trials input'); i.value = 'unreachable 6.12'; i.dispatchEvent(new Event('input')); })()")
    check(browser.eval("document.querySelectorAll('#all-trials tbody tr').length") == 6, "tables: words do not filter")
    browser.eval("(() => { const s = document.querySelectorAll('#filters select')[0]; s.selectedIndex = 1; s.dispatchEvent(new Event('change')); })()")
    check(browser.eval("document.querySelectorAll('#all-trials tbody tr').length") < 6, "tables: an axis does not filter")
    quiet("outcomes", 0, ", its tables")


def tampered():
    with open(path("base.html"), encoding="utf-8", newline="") as file:
        page = file.read()
    for name, text in (("script", page.replace("drawPage();\n", "drawPage(); \n")), ("library", page.replace("Mike Bostock", "Mike Bostocc"))):
        check(text != page, f"tampered: the {name} has not what was to be changed")
        with open(path("tampered.html"), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        check(browser.open(path("tampered.html"), seconds=3) is None, f"tampered: a changed {name} runs")
        check(any("Content Security Policy" in complaint for complaint in browser.complaints()), f"tampered: the policy does not refuse a changed {name}")
    with open(path("tampered.html"), "w", encoding="utf-8", newline="") as file:
        file.write(page.replace("</main>", "<script>document.title = 'broken'</script><img src='http://127.0.0.1:9/x' onerror='document.title=1'></main>"))
    browser.open(path("tampered.html"))
    check(browser.eval("document.title").startswith("trials"), "tampered: a script that was put in runs")
    check(not any(complaint.startswith("request") and "/x" in complaint and "blocked" not in json.dumps(browser.events) for complaint in browser.complaints()),
          "tampered: an image was asked for")


def accessible():
    with open(axe, encoding="utf-8") as file:
        script = file.read()
    browser.call("Page.setBypassCSP", enabled=True)
    for name in ("outcomes", "merged", "hostile"):
        for dark in (False, True):
            browser.open(path(name + ".html"), dark=dark)
            browser.eval("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            browser.settle(0.3)
            browser.eval(script + ";0")
            found = json.loads(browser.eval("axe.run().then((r) => JSON.stringify(r.violations.map((v) => [v.impact, v.id, v.nodes[0].html.slice(0, 200)])))"))
            for impact, rule, where in found:
                check(impact not in ("serious", "critical"), f"{name}: axe: {impact}: {rule}: {where}")
    browser.call("Page.setBypassCSP", enabled=False)


try:
    wide_and_dark()
    inert()
    pictures()
    keyboard()
    tables()
    tampered()
    took = browser.open(path("many.html"))
    quiet("many", took)
    print(f"report-browser: 10,000 trials are ready after {took or 0:.2f} s")
    check(took is not None and took < 10, "many: not ready in ten seconds, on whatever machine this is")
    if axe:
        accessible()
finally:
    browser.close()
sys.exit(wrong > 0)
