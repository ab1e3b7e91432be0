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


def check_numbers(data, paths):
    trials, rows, texts = data["trials"], data["rows"], data["texts"]
    stores = values(trials["store"], trials["n"])
    check(len(data["stores"]) == len(paths), "the page does not have each store")
    times = {name: values(rows[name], rows["n"]) for name in ("kernel", "application", "wire", "earliest", "latest")}
    of = values(rows["trial"], rows["n"])
    outcomes = values(rows["outcome"], rows["n"])
    for number, path in enumerate(paths):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        db.text_factory = lambda raw: raw.decode(errors="replace")
        check(stores.count(number) == db.execute("SELECT count(*) FROM trial").fetchone()[0], f"{path}: not each trial once")
        wanted = {}
        for outcome, n, total in db.execute("SELECT outcome, count(*), sum(CAST(round(kernel_s * 1e6) AS INTEGER)) FROM endpoint "
                "WHERE outcome IS NOT NULL AND abs(coalesce(kernel_s, 0)) < 9e9 GROUP BY outcome"):
            wanted[outcome] = (n, total or 0)
        got = {}
        for i in range(rows["n"]):
            if stores[of[i]] == number and outcomes[i] is not None:
                n, total = got.get(texts[outcomes[i]], (0, 0))
                got[texts[outcomes[i]]] = (n + 1, total + (times["kernel"][i] or 0))
        if "hostile" not in path: # its bytes that are no UTF-8 are others in the page
            check(got == wanted, f"{path}: outcomes and sums of times: {got}, not {wanted}")
        failures = db.execute("SELECT count(*) FROM failure").fetchone()[0]
        of_failures = values(data["failures"]["trial"], data["failures"]["n"])
        check(sum(stores[trial] == number for trial in of_failures) == failures, f"{path}: not each failure")
        problems = values(data["problems"]["trial"], data["problems"]["n"])
        check(problems.count(number) == db.execute("SELECT count(*) FROM problem").fetchone()[0], f"{path}: not each problem")


def check_records(data, text, paths):
    for number, record in data["records"].items():
        check(int(number) < data["trials"]["n"] and isinstance(record, str), f"record {number}")
    failed = set(values(data["failures"]["trial"], data["failures"]["n"]))
    if len(data["records"]) < data["trials"]["n"] / 2:
        check(any(int(number) in failed for number in data["records"]) or not failed, "failures' records do not go first")


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
    check_records(data, text, stores)
    for what in wrong[:10]:
        print(f"{path}: {what}")
    sys.exit(bool(wrong))


main()
