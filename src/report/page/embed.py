#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""embed.py OUTPUT TEMPLATE STYLE SCRIPT... -- LIBRARY: makes a C file that has the page of `report`.

The template has {{style}}, {{library}}, {{script}} and {{policy}} where the style sheet, the library, our own script
(all SCRIPTs, one after the other, in one function) and the Content-Security-Policy go. The policy has the SHA-256 of
each, so that a browser runs and applies just these bytes. {{title}} and {{data}} are for the program to fill: the C
file has the three parts around them.
"""
import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def hash_of(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def literal(text):
    """The text as C string literals, one for each line; long lines are cut."""
    lines = []
    for line in text.encode().splitlines(keepends=True):
        for start in range(0, len(line), 2000):
            lines.append('"' + "".join(escape(byte) for byte in line[start : start + 2000]) + '"')
    return "\n".join(lines)


def escape(byte):
    if byte == 10:
        return "\\n"
    if byte in b'"\\?':  # a question mark may begin a trigraph
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else "\\%03o" % byte


def main():
    output, template, style, *scripts, dashes, library = sys.argv[1:]
    if dashes != "--":
        sys.exit(__doc__)
    contents = {
        "style": read(style),
        "library": read(library),
        "script": '(() => {\n"use strict";\n' + "".join(read(script) for script in scripts) + "})();\n",
    }
    for name, text in contents.items():
        if "</" + ("style" if name == "style" else "script") in text or "<!--" in text:
            sys.exit(f"embed.py: the {name} would end its own element")
    contents["policy"] = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src {hash_of(contents['library'])} {hash_of(contents['script'])}; "
        f"style-src {hash_of(contents['style'])}"
    )
    page = read(template)
    for name, text in contents.items():
        before, after = page.split("{{" + name + "}}")
        page = before + text + after
    before_title, rest = page.split("{{title}}")
    before_data, after_data = rest.split("{{data}}")
    with open(output, "w", encoding="utf-8") as file:
        file.write('/* Made by src/report/page/embed.py. */\n#include "src/report/page-parts.h"\n')
        for name, text in (
            ("before_title", before_title),
            ("before_data", before_data),
            ("after_data", after_data),
        ):
            file.write(f"const char page_{name}[] =\n{literal(text)};\n")


main()
