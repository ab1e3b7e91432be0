#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# report-page.bash: what `report` writes is one page whose policy has the hashes of its scripts and its style, whose data are
# JSON and what the store has, and which no text of a store breaks out of; 10,000 trials are less than two megabytes.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/report-stores.bash"
need sqlite3
/usr/bin/python3 -c '' || skip "no python3"
cd "$tmp" || exit 1

# page DB...: writes DB.html, and checks what holds for every page.
page() {
	"$DEADPEER" report "$@" -o "${1%.db}.html" 2>err || { fail "report $*: exit status $?: $(cat err)"; return 1; }
	/usr/bin/python3 "$SOURCE/tests/host/report-page.py" "${1%.db}.html" "${@}" || fail "the page of $*"
}

# refused STATUS TEXT ARGUMENT...: ends with that status and one line that has the text, and leaves nothing behind.
refused() {
	local status=$1 text=$2 before
	shift 2
	before=$(find . -type f ! -name err ! -name out | sort)
	"$DEADPEER" report "$@" >out 2>err
	[ $? = "$status" ] || fail "report $*: not exit status $status: $(cat err)"
	[ "$(wc -l <err)" = 1 ] && grep -qF -- "$text" err || fail "report $*: no '$text' in one line: $(cat err)"
	[ "$(find . -type f ! -name err ! -name out | sort)" = "$before" ] || fail "report $* leaves something behind"
	[ -s out ] && fail "report $* prints something"
}

make_store base.db
if ! "$DEADPEER" report base.db -o base.html 2>err && grep -q 'built without d3' err; then
	refused 3 node-d3 base.db -o x.html
	skip "this build has no d3"
fi
page base.db
outcomes_of base.db outcomes.db
page outcomes.db
hostile_of base.db hostile.db
page hostile.db
older_of base.db older.db
page older.db
page base.db outcomes.db older.db # side by side
empty_of base.db empty.db
page empty.db

many_of outcomes.db many.db 10000
page many.db
size=$(stat -c %s many.html)
[ "$size" -lt 2000000 ] || fail "the page of $(sqlite3 many.db 'SELECT count(*) FROM trial') trials has $size bytes"
[ "$size" -gt 1000000 ] || fail "the page of many trials has no more than $size bytes: where are the records?"

# The same store gives the same bytes, wherever they go.
"$DEADPEER" report many.db -o - >again.html || fail "report -o -"
cmp many.html again.html || fail "the page differs from one time to the next"
echo old >over.html
"$DEADPEER" report base.db -o over.html && grep -q '^<!doctype html>' over.html || fail "a file that was there is not replaced"

refused 2 "deadpeer report DB... -o FILE.html"
refused 2 "deadpeer report DB... -o FILE.html" base.db
refused 2 "absent.db: No such file" absent.db -o x.html
refused 2 "over.html: is no store" over.html -o x.html
head -c 6000 base.db >torn.db
refused 2 "torn.db: is damaged" torn.db -o x.html
refused 2 "torn.db: is damaged" base.db torn.db -o x.html
refused 2 "base.db: is the store itself" base.db -o base.db
refused 2 "no-such-folder/x.html: No such file" base.db -o no-such-folder/x.html
refused 3 "/dev/full: No space left" base.db -o /dev/full
(ulimit -f 8 && refused 3 "x.html: File too large" base.db -o x.html; exit $((failed != 0))) || failed=$((failed + 1))
finish
