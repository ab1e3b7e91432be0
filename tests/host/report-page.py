#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report-page.py PAGE DB...: checks a page of `report` without a browser, and its numbers against SQL."""
import base64
import hashlib
import html.parser
import json
import re
import sqlite3
import sys

wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


class Page(html.parser.HTMLParser):
    """The elements that a browser would see. Contents of script and style are raw, as they are in HTML."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], False

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.texts[-1] += data


def hash_of(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def values(packed, n):
    if isinstance(packed, dict):
        total, made = 0, []
        for step in packed["d"]:
            total += step
            made.append(total)
        return made
    return packed if isinstance(packed, list) else [packed] * n


def check_elements(page):
    scripts = [(attrs, text) for (tag, attrs), text in zip(page.elements, page.texts) if tag == "script"]
    styles = [text for (tag, attrs), text in zip(page.elements, page.texts) if tag == "style"]
    policies = [attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"]
    check(len(scripts) == 3 and len(styles) == 1 and len(policies) == 1, f"{len(scripts)} scripts, {len(styles)} styles, {len(policies)} policies")
    policy = {words.split()[0]: words.split()[1:] for words in policies[0].split(";")}
    running = [text for attrs, text in scripts if attrs.get("type") is None]
    check(sorted(policy["script-src"]) == sorted(hash_of(text) for text in running), "script-src is not the hashes of the scripts")
    check(policy["style-src"] == [hash_of(text) for text in styles], "style-src is not the hash of the style")
    check(policy["default-src"] == ["'none'"] and policy["base-uri"] == ["'none'"] and policy["form-action"] == ["'none'"], "the policy is not strict")
    check(set(policy) == {"default-src", "base-uri", "form-action", "script-src", "style-src"}, "the policy allows more")
    for tag, attrs in page.elements:
        check(not any(name in ("src", "style") or name.startswith("on") for name in attrs), f"<{tag}> has {attrs}")
        check(tag not in ("link", "img", "iframe", "object", "embed", "base", "form"), f"there is <{tag}>")
        check(attrs.get("href", "#").startswith("#"), f"a link to {attrs.get('href')}")
    return next(text for attrs, text in scripts if attrs.get("type") == "application/json")


TIMES = ("kernel", "application", "wire", "recovered", "earliest", "latest")


def times_of(rows):
    """The times of each row; those behind the first that there is count from it."""
    times = {name: list(values(rows[name], rows["n"])) for name in TIMES}
    for i in range(rows["n"]):
        first = next((name for name in TIMES if times[name][i] is not None), None)
        for name in TIMES:
            if name != first and times[name][i] is not None:
                times[name][i] += times[first][i]
    return times


def check_numbers(data, paths):
    trials, rows, texts = data["trials"], data["rows"], data["texts"]
    stores = values(trials["store"], trials["n"])
    check(len(data["stores"]) == len(paths), "the page does not have each store")
    times = times_of(rows)
    of = values(rows["trial"], rows["n"])
    outcomes = values(rows["outcome"], rows["n"])
    for number, path in enumerate(paths):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        db.text_factory = lambda raw: raw.decode(errors="replace")
        check(stores.count(number) == db.execute("SELECT count(*) FROM trial").fetchone()[0], f"{path}: not each trial once")
        tells = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'qemu'").fetchone()[0]
        versions = [row[0] for row in db.execute("SELECT DISTINCT version FROM qemu ORDER BY version")] if tells else []
        check([e["version"] for e in data["stores"][number]["emulators"]] == versions, f"{path}: other versions of QEMU")
        wanted = {}
        sums = ", ".join(f"coalesce(sum(CAST(round({name}_s * 1e6) AS INTEGER)), 0)" for name in TIMES)
        for outcome, *numbers in db.execute(f"SELECT outcome, count(*), {sums} FROM endpoint WHERE outcome IS NOT NULL "
                "AND abs(coalesce(kernel_s, 0)) < 9e9 GROUP BY outcome"):
            wanted[outcome] = numbers
        got = {}
        for i in range(rows["n"]):
            if stores[of[i]] == number and outcomes[i] is not None:
                numbers = got.setdefault(texts[outcomes[i]], [0] * (1 + len(TIMES)))
                numbers[0] += 1
                for place, name in enumerate(TIMES):
                    numbers[place + 1] += times[name][i] or 0
        if "hostile" not in path: # its bytes that are no UTF-8 are others in the page
            check(got == wanted, f"{path}: outcomes and sums of times: {got}, not {wanted}")
        failures = db.execute("SELECT count(*) FROM failure").fetchone()[0]
        of_failures = values(data["failures"]["trial"], data["failures"]["n"])
        check(sum(stores[trial] == number for trial in of_failures) == failures, f"{path}: not each failure")
        problems = values(data["problems"]["trial"], data["problems"]["n"])
        check(problems.count(number) == db.execute("SELECT count(*) FROM problem").fetchone()[0], f"{path}: not each problem")


def check_records(data):
    failed = set(values(data["failures"]["trial"], data["failures"]["n"]))
    remarkable = failed | set(values(data["reasons"]["trial"], data["reasons"]["n"]))
    times, of = times_of(data["rows"]), values(data["rows"]["trial"], data["rows"]["n"])
    for i, trial in enumerate(of):
        detected = times["kernel"][i] if times["kernel"][i] is not None else times["application"][i]
        earliest, latest = times["earliest"][i], times["latest"][i]
        if detected is not None and ((earliest is not None and detected < earliest) or (latest is not None and detected > latest)):
            remarkable.add(trial)
    for number, record in data["records"].items():
        check(int(number) < data["trials"]["n"] and isinstance(record, str), f"record {number}")
    if 2 * len(data["records"]) < len(remarkable):
        check(all(int(number) in remarkable for number in data["records"]), "records of failures and surprises do not go first")


def main():
    path, *stores = sys.argv[1:]
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    block = check_elements(page)
    check("<" not in block, "the data have a <")
    check(not re.search(r"https?://(?!www\.w3\.org/|d3js\.org)[a-z]", re.sub(re.escape(block), "", text).split("<script>")[0]), "there is an address")
    data = json.loads(block)
    check_numbers(data, stores)
    check_records(data)
    for what in wrong[:10]:
        print(f"{path}: {what}")
    sys.exit(bool(wrong))


main()
