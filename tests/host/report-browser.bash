#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# report-browser.bash: pages of `report` in a browser without a window: nothing is said on the console, nothing is
# requested, all pictures are there, the keyboard does what the pointer does, tables and answer have SQL's numbers, and a
# script that was changed does not run. With AXE=axe.min.js axe-core has to find nothing serious.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/report-stores.bash"
need sqlite3 chromium
/usr/bin/python3 -c '' || skip "no python3"
cd "$tmp" || exit 1

make_store base.db
"$DEADPEER" report base.db -o base.html 2>err || { grep -q 'built without d3' err && skip "this build has no d3"; fail "report: $(cat err)"; }
outcomes_of base.db outcomes.db
hostile_of base.db hostile.db
empty_of base.db empty.db
older_of base.db older.db
many_of outcomes.db many.db 10000
for store in outcomes hostile empty many; do
	"$DEADPEER" report $store.db -o $store.html || fail "report $store.db"
done
"$DEADPEER" report outcomes.db base.db older.db -o merged.html || fail "report of three stores"
/usr/bin/python3 "$SOURCE/tests/host/report-browser.py" "$(command -v chromium)" "$tmp" "${AXE-}" || fail "the pages in a browser"
finish
