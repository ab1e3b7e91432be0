# SPDX-License-Identifier: GPL-2.0-or-later
# The test runs sweeps from end to end and checks the content of a store, shards, merging, exports, and what is refused.
. "$(dirname "$0")/lib.bash"

study mix "scenarios: [process-crash, power-loss-idle, power-loss-busy]" \
	"axes: {client.nodelay: [true, false]}" "families: [ipv4, ipv6]" "repeats: 3"

whole() {
	sweep 0 mix.yaml --junit swept.xml
	"$DEADPEER" export mix.db --format junit | cmp - swept.xml || fail "sweep --junit is not what export writes"
	[ "$(sed -n 's/.*<testcase .* time="\([0-9.]*\)".*/\1/p' swept.xml | awk '{ sum += $1 } END { print (sum > 0 && sum < 600) }')" = 1 ] ||
		fail "JUnit's times are not real ones: $(head -n 9 swept.xml)"
	says "$out" "36 of 36 trials are in mix.db" "the end"
	is 36 "$(query mix.db 'SELECT count(*) FROM trial')" "trials"
	is "1|36" "$(query mix.db 'SELECT min(position), max(position) FROM trial')" "positions"
	is "3|24|12" "$(query mix.db "SELECT count(DISTINCT phase), (SELECT count(*) FROM detections WHERE
		outcome = 'timed-out' AND errno = 'ETIMEDOUT'), (SELECT count(*) FROM detections WHERE
		endpoint = 'client' AND outcome = 'closed' AND mechanism = 'fin-received') FROM trial
		WHERE scenario = 'power-loss-idle' AND family = 'ipv4' AND cell = (SELECT cell FROM trial
		WHERE scenario = 'power-loss-idle' LIMIT 1)")" "outcomes"
	is 0 "$(query mix.db 'SELECT count(*) FROM findings')" "findings"
	is "$(cat mix.yaml)" "$(query mix.db 'SELECT text FROM study')" "the study's text"
	is "$("$DEADPEER" --version)" "deadpeer $(query mix.db 'SELECT deadpeer FROM study')" "version"
	is "$(cat "$SOURCE/scenarios/3-a-host-loses-power/power-loss-idle.yaml")" \
		"$(query mix.db "SELECT text FROM scenario WHERE scenario = 'power-loss-idle.yaml'")" "scenario"
	is "$(hostname)|36" "$(query mix.db "SELECT host, (SELECT count(*) FROM finished WHERE
		finished.session = session.session) FROM session")" "session"
	is "7200" "$(query mix.db "SELECT DISTINCT CAST(number AS INTEGER) FROM setting WHERE
		key = 'client.net.ipv4.tcp_keepalive_time'")" "a setting"
	is "false|18" "$(query mix.db "SELECT value, count(*) FROM place WHERE value = 'false'")" "places"
	[ ! -e mix.db-wal ] || fail "a write-ahead log is left"
	is "16|3|3" "$(query mix.db "SELECT count(*), min(trials), max(passed) FROM cells")" "cells" # of four ends
}

# The same answer after a sweep, for a terminal and for a ticket.
answers() {
	sweep 2 mix.yaml --resume --by nodela
	says "$err" "--by: there is no axis 'nodela'; did you mean 'nodelay'?" "a wrong axis"
	sweep 0 mix.yaml --resume
	says "$out" "The same in all: study mix, kernel 6.1" "what is the same"
	says "$out" "No difference (alike in how they ended, and in time within an eighth): family (ipv4, ipv6), client.nodelay" "what made none"
	is 4 "$(grep -c "12 of 12 pass" out)" "rows"
	sweep 0 mix.yaml --resume --by nodelay,scenario
	is 8 "$(grep -c "6 of 6 pass" out)" "rows by name"
	"$DEADPEER" report mix.db --format md --by nodelay -o mix.md || fail "report: md"
	is 2 "$(grep -c '^| .*18 of 18 pass |$' mix.md)" "rows of Markdown"
	"$DEADPEER" report mix.db --format txt >mix.txt || fail "report: txt"
	grep -q 'LOG SCALE' mix.txt || fail "report: txt without bars"
	"$DEADPEER" report mix.db --format svg -o mix.svg && python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' mix.svg ||
		fail "report: svg"
	"$DEADPEER" report mix.db --format pdf >out 2>err && fail "report: pdf"
	says "$(cat err)" "expected html, md, txt or svg" "an unknown format"
	"$DEADPEER" report mix.db -o mix.html --by nodelay >out 2>err && fail "report: --by of a page"
	says "$(cat err)" "the page has all axes" "--by of a page"
}

refused() {
	sweep 2 mix.yaml
	says "$err" "mix.db: is there already: go on with --resume" "a second sweep"
	sweep 2 mix.yaml --resume --seed 2
	says "$err" "another seed" "another seed"
	sweep 2 mix.yaml --resume --shard 1/2 --db mix.db
	says "$err" "holds shard 1/1" "another shard"
	sweep 0 mix.yaml --resume
	says "$out" "36 of 36" "resumed at the end"
	sweep 0 mix.yaml --resume --format md
	says "$out" "| 36 | 36 | 0 | 0 | 0 | 0 |" "Markdown"
	query mix.db "VACUUM INTO 'kernels.db'"
	query kernels.db "UPDATE kernel SET kernel = '6.12'"
	sweep 2 mix.yaml --resume --db kernels.db
	says "$err" "kernels.db: holds trials of other kernels" "other kernels"
	"$DEADPEER" merge mix.db kernels.db -o none.db 2>err && fail "merge: other kernels are accepted"
	says "$(cat err)" "in one only of the stores" "merge of other kernels"
	cp mix.db damaged.db
	truncate -s 30000 damaged.db
	sweep 2 mix.yaml --resume --db damaged.db
	says "$err" "damaged.db: is damaged" "a damaged store"
	sweep 2 mix.yaml --kernel 2.4 --db new.db
	says "$err" "no kernel '2.4' at hand" "a kernel that is not there"
	sed 's/client.nodelay/client.nodelai/' mix.yaml >wrong.yaml
	sweep 2 wrong.yaml --db new.db
	says "$err" "wrong.yaml:6: client.nodelai: there is no such setting; did you mean" "an axis"
	printf 'repeats: 500000\n' >>wrong.yaml
	printf '%s\n' "name: m" "summary: m" "scenarios: [process-crash]" \
		"axes: {client.size: {from: 1, to: 1000}, client.interval: {from: 1ms, to: 1000ms}}" >million.yaml
	sweep 2 million.yaml --db new.db
	says "$err" "million.yaml:4: more than 100000 trials; take values away, or give --max-trials" "a million"
	"$DEADPEER" check million.yaml >out 2>err && fail "check: a million trials are accepted"
	says "$(cat err)" "more than 100000 trials" "check"
	sweep 2 mix.yaml --shard 5/4
	echo "no store" >junk.db
	sweep 2 mix.yaml --db junk.db --resume
	says "$err" "junk.db: is no store of deadpeer's" "junk"
	[ ! -e new.db ] || fail "a refused sweep has left a store"
	"$DEADPEER" check mix.yaml >out 2>err || fail "check: $(cat err)"
	says "$(cat out)" "qemu: 36 trials (3 scenarios x 2 client.nodelay x 1 kernel x 2 families x 3 repeats), about" "check"
}

shards() {
	local k
	for k in 1 2 3 4; do
		sweep 0 mix.yaml --shard $k/4
	done
	SLURM_ARRAY_TASK_ID=20 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_STEP=10 \
		sweep 0 mix.yaml --db half2.db
	JOB_COMPLETION_INDEX=0 JOB_COMPLETIONS=2 sweep 0 mix.yaml --db half1.db
	is "1/2 2/2" "$(query half1.db "SELECT shard || '/' || shards FROM study") $(query half2.db \
		"SELECT shard || '/' || shards FROM study")" "shards of the environment"
	"$DEADPEER" merge half2.db half1.db -o halves.db >out || fail "merge of halves"
	"$DEADPEER" merge mix.3-of-4.db mix.1-of-4.db -o quarters.db >out || fail "merge of two"
	says "$(cat out)" "of the study's 36 are missing" "a merge of two shards of four"
	"$DEADPEER" merge mix.{4,2,1}-of-4.db -o quarters.db >out || fail "merge of the others"
	same mix.db halves.db
	same mix.db quarters.db
	cp quarters.db before.db
	"$DEADPEER" merge mix.{1,2,3,4}-of-4.db quarters.db -o quarters.db >out || fail "merging again"
	is "$(query before.db .dump | sort)" "$(query quarters.db .dump | sort)" "merging again"
	sweep 0 mix.yaml --db quarters.db --resume
}

merge_refuses() {
	study other "scenarios: [process-crash]"
	sweep 0 other.yaml
	"$DEADPEER" merge mix.db other.db -o none.db 2>err && fail "merge: another study is accepted"
	says "$(cat err)" "other.db: holds another study than mix.db" "merge"
	cp mix.db changed.db
	query changed.db "UPDATE endpoint SET kernel_s = kernel_s + 1 WHERE outcome = 'timed-out' AND trial =
		(SELECT trial FROM trial WHERE scenario = 'power-loss-busy' ORDER BY position LIMIT 1)"
	"$DEADPEER" merge mix.db changed.db -o none.db 2>err && fail "merge: a conflict is accepted"
	says "$(cat err)" "changed.db: 1 trial ended differently in another of the stores: power-loss-busy (6.1, ipv4, repeat 0, trial " "conflict"
	cp mix.db newer.db
	query newer.db "UPDATE study SET deadpeer = '99'"
	"$DEADPEER" merge mix.db newer.db -o none.db 2>err && fail "merge: another version is accepted"
	says "$(cat err)" "newer.db: holds another version of deadpeer than mix.db" "merge"
	# Another QEMU of the same release is the same; one of another release is not.
	is "$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/\1/p')" \
		"$(query mix.db "SELECT DISTINCT version FROM qemu JOIN session USING(session)")" "the store's QEMU"
	is 0 "$(query mix.db "SELECT count(*) FROM record JOIN finished USING(trial) JOIN qemu USING(session)
		WHERE json_extract(json, '\$.qemu') <> version")" "records of another QEMU than the store has"
	cp mix.db qemu.db
	query qemu.db "UPDATE qemu SET version = version || '9'"
	"$DEADPEER" merge mix.db qemu.db -o same.db >out 2>err || fail "merge: a later QEMU of the same release: $(cat err)"
	query qemu.db "UPDATE qemu SET version = '1.7.1'"
	"$DEADPEER" merge mix.db qemu.db -o none.db 2>err && fail "merge: another QEMU is accepted"
	is 2 $? "the exit status of a merge of another QEMU"
	says "$(cat err)" "qemu.db: QEMU 1.7.1 ran its trials" "merge"
	"$DEADPEER" sweep mix.yaml --db qemu.db --resume >out 2>err && fail "--resume: another QEMU is accepted"
	says "$(cat err)" "qemu.db: QEMU 1.7.1 ran its trials" "--resume"
	query qemu.db "DROP TABLE qemu"
	"$DEADPEER" merge mix.db qemu.db -o same.db >out 2>err || fail "merge: a store without a QEMU: $(cat err)"
	[ "$(echo none.db*)" = "none.db*" ] || fail "a refused merge has left a file"
}

exports() {
	"$DEADPEER" export mix.db --format csv -o mix.csv || fail "export csv"
	is "$(query mix.db "SELECT count(*), sum(kernel_s), count(DISTINCT trial) FROM detections")" \
		"$(sqlite3 :memory: '.import --csv mix.csv t' 'SELECT count(*), sum(kernel_s), count(DISTINCT trial) FROM t')" \
		"CSV read back"
	is "7200|75|9|0|18" "$(sqlite3 :memory: '.import --csv mix.csv t' "SELECT \"client.net.ipv4.tcp_keepalive_time\",
		\"client.net.ipv4.tcp_keepalive_intvl\", \"client.net.ipv4.tcp_keepalive_probes\", \"client.nodelay\", count(*) FROM t
		WHERE \"client.nodelay\" = 0 AND scenario <> 'process-crash' GROUP BY scenario
		HAVING scenario = 'power-loss-idle'" | sed 's/|6$/|18/')" "settings in CSV"
	"$DEADPEER" export mix.db --format jsonl >mix.json || fail "export jsonl"
	json mix 'length == 36 and all(.verdict == "pass") and (.[35].scenario == "power-loss-busy")'
	"$DEADPEER" export mix.db --format junit >mix.xml || fail "export junit"
	is 36 "$(grep -c '<testcase ' mix.xml)" "JUnit's cases"
	if command -v xmllint >/dev/null; then
		xmllint --noout --schema "$SOURCE/tests/junit.xsd" mix.xml 2>err || fail "JUnit's XML: $(cat err)"
		is "36|0|3" "$(xmllint --xpath 'concat(/testsuites/@tests, "|", /testsuites/@failures, "|", count(/testsuites/testsuite))' mix.xml)" "JUnit's counts"
	fi
	query changed.db "UPDATE trial SET verdict = 'fail' WHERE position = 1;
		INSERT INTO failure SELECT trial, 1, 'expected <a> & \"b\"' FROM trial WHERE position = 1"
	"$DEADPEER" export changed.db --format junit | grep -qF \
		'<failure type="expectation" message="expected &lt;a&gt; &amp; &quot;b&quot;">' || fail "JUnit: a failure"
	query changed.db "UPDATE trial SET family = 'ipv4\"/><evil a=\"', scenario = '<b>' || char(27, 65535, 128512);
		UPDATE trial SET repeat = '\"/>', trial = trial || '<&'; UPDATE failure SET text = CAST(x'ff2222c3' AS TEXT);
		UPDATE trial SET verdict = 'fail' WHERE verdict <> 'pass'"
	"$DEADPEER" export changed.db --format junit >changed.xml || fail "export junit of strange values"
	grep -q '<evil\|<b>' changed.xml && fail "JUnit: a value of the store became an element"
	grep -qF 'ipv4&quot;/&gt;&lt;evil a=&quot;' changed.xml || fail "JUnit: a value is not escaped"
	if command -v python3 >/dev/null; then
		python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' changed.xml ||
			fail "JUnit of strange values is not well-formed"
	fi
	cp mix.db self.db
	"$DEADPEER" export self.db --format csv -o ./self.db 2>err && fail "export: over the store itself"
	says "$(cat err)" "./self.db: is the store itself" "export"
	cmp -s mix.db self.db || fail "export has changed the store"
	echo kept >kept.csv
	query self.db "DROP TABLE place"
	"$DEADPEER" export self.db --format csv -o kept.csv 2>/dev/null && fail "export without a table"
	is "kept|kept.csv" "$(cat kept.csv)|$(echo kept.csv*)" "what an export that failed has left"
	"$DEADPEER" export mix.db --format jsonl 2>err >/dev/full && fail "export to a full disk"
	says "$(cat err)" "standard output: No space left on device" "export"
	"$DEADPEER" export mix.db --format xml 2>/dev/null && fail "export: format xml is accepted"
}

# Several runs add their trials to one store.
runs() {
	"$DEADPEER" run power-loss-busy --quick --engine qemu --kernel 6.1 --db run.db >/dev/null || fail "run --db"
	"$DEADPEER" run process-crash --engine qemu --kernel 6.1 --repeat 2 --db run.db >/dev/null || fail "run --db"
	is "3|2|2" "$(query run.db "SELECT count(*), (SELECT count(*) FROM session), (SELECT count(*) FROM
		scenario) FROM trial")" "run.db"
	"$DEADPEER" run process-crash --engine qemu --kernel 6.1 --db run.db >/dev/null 2>err ||
		fail "run --db: the same trial again: $(cat err)"
	is "2|2" "$(query run.db "SELECT count(*), count(DISTINCT session) FROM trial JOIN finished USING(trial)
		WHERE scenario = 'process-crash' AND repeat = 0")" "the same trial in two runs"
	"$DEADPEER" run process-crash --engine qemu --kernel 6.1 --db once.db >/dev/null || fail "run --db once.db"
	"$DEADPEER" merge run.db once.db -o merged.db >out 2>err || fail "merge of runs: $(cat err)"
	is "4" "$(query merged.db "SELECT count(*) FROM trial")" "a merge of a store with a trial that is there already"
	is "4" "$(query merged.db "SELECT count(*) FROM took")" "took after a merge"
	"$DEADPEER" run process-crash --db mix.db >/dev/null 2>err && fail "run --db: a study's store is accepted"
	says "$(cat err)" "holds the study 'mix'" "run --db"
}

# While a sweep writes a store, others may read it but not write it. A sweep that is interrupted says how
# to resume it.
interrupted() {
	local sweeper again
	"$DEADPEER" sweep mix.yaml --jobs 2 --db slow.db >slow.out 2>slow.err </dev/null &
	sweeper=$!
	until [ -s slow.db ] && [ "$(query slow.db 'SELECT count(*) FROM trial' 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $sweeper 2>/dev/null || break
		sleep 0.1
	done
	kill -0 $sweeper || fail "it has ended already: $(cat slow.err)"
	sweep 2 mix.yaml --jobs 2 --db slow.db --resume
	says "$err" "slow.db: another process is writing it" "a second writer"
	kill -INT $sweeper
	wait $sweeper
	is 130 $? "the exit status after SIGINT"
	again=$(sed -n 's/.*to go on: deadpeer //p' slow.err)
	says "$again" "sweep" "SIGINT: $(cat slow.err)"
	eval "\"\$DEADPEER\" $again" >out 2>err || fail "$again: $(cat err)"
	same mix.db slow.db
}

# A sweep stops when the disk is full. It is resumed when there is room again.
full() {
	local again
	study many "scenarios: [process-crash]" "repeats: 120"
	(ulimit -f 200; exec "$DEADPEER" sweep many.yaml --engine host --quick --db full.db) >out 2>err </dev/null
	is 3 $? "the exit status on a full disk"
	says "$(cat err)" "full.db: no space left on the disk" "a full disk"
	again=$(query full.db 'SELECT count(*) FROM trial')
	[ "$again" -gt 0 ] && [ "$again" -lt 120 ] || fail "a full disk: $again trials are stored"
	"$DEADPEER" sweep many.yaml --engine host --quick --db full.db --resume >out 2>err </dev/null ||
		[[ $? = [14] ]] || fail "resumed: $(cat err)" # On a busy machine a trial in real time may fail, or measure nothing.
	is "120|ok" "$(query full.db 'SELECT count(*) FROM trial')|$(query full.db 'PRAGMA integrity_check')" "resumed"
}

# A store may come from anywhere: whatever is not as deadpeer makes it is refused with one error.
stranger() { # stranger SQL PATTERN
	cp mix.db stranger.db
	query stranger.db "$1"
	"$DEADPEER" export stranger.db --format junit >out 2>err
	is 2 $? "the exit status of an export after $1"
	says "$(cat err)" "$2" "an export after $1"
	sweep 2 mix.yaml --resume --db stranger.db
	says "$err" "$2" "a resumed sweep after $1"
	"$DEADPEER" merge mix.db stranger.db -o none.db >out 2>err
	is 2 $? "the exit status of a merge after $1"
	[ ! -e none.db ] || fail "a refused merge has left a store"
}

strangers() {
	local change='PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql'
	stranger "DROP TABLE failure" "its table 'failure' is not as deadpeer makes it"
	stranger "DROP VIEW findings; CREATE VIEW findings AS WITH RECURSIVE n(i) AS
		(SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n" "its view 'findings' is not"
	stranger "CREATE TRIGGER t AFTER INSERT ON trial BEGIN DELETE FROM trial; END" "has a trigger, 't'"
	stranger "$change, 'release TEXT NOT NULL', 'release TEXT') WHERE name = 'kernel'" "its table 'kernel'"
	cp mix.db null.db
	query null.db "$change, 'text TEXT NOT NULL', 'text TEXT') WHERE name = 'setting'"
	query null.db "UPDATE setting SET text = NULL WHERE key = 'client.nodelay'"
	query null.db "$change, 'text TEXT', 'text TEXT NOT NULL') WHERE name = 'setting'"
	"$DEADPEER" export null.db --format csv >out 2>err
	is 2 $? "the exit status of an export of a NULL"
	says "$(cat err)" "null.db: is damaged (NULL value in setting.text)" "an export of a NULL"
	mkfifo fifo.db
	timeout 5 "$DEADPEER" export fifo.db --format csv 2>err
	is 2 $? "the exit status of an export of a FIFO"
	timeout 5 "$DEADPEER" merge fifo.db -o none.db 2>err
	is 2 $? "the exit status of a merge of a FIFO"
	query mix.db "CREATE VIEW own AS SELECT count(*) FROM trial"
	"$DEADPEER" export mix.db --format csv >out 2>err || fail "a user's own view: $(cat err)"
	query mix.db "DROP VIEW own"
	cp mix.db real.db
	ln -s real.db link.db
	"$DEADPEER" merge mix.db -o link.db >out 2>err || fail "a merge into a link: $(cat err)"
	[ -L link.db ] || fail "a merge has replaced a symbolic link"
}

# An inconclusive trial is neither a pass nor a finding; another store's result takes its place, or another run.
inconclusive() {
	cp mix.db open.db
	query open.db "INSERT INTO reason SELECT trial, 1, 'a <lost> look' FROM trial WHERE position = 1;
		UPDATE trial SET verdict = 'inconclusive' WHERE position = 1"
	is "0|1" "$(query open.db "SELECT (SELECT count(*) FROM findings), (SELECT count(*) FROM inconclusive)")" "views"
	is 0 "$(query open.db 'SELECT count(*) FROM detections WHERE position = 1')" "detections"
	"$DEADPEER" export open.db --format junit >open.xml 2>err || fail "an export: $(cat err)"
	says "$(cat open.xml)" '<skipped type="inconclusive" message="inconclusive: a &lt;lost&gt; look">a &lt;' "JUnit"
	says "$(cat open.xml)" '<testsuites name="mix" tests="36" failures="0" errors="0" time=' "JUnit's counts"
	for stores in "open.db mix.db" "mix.db open.db"; do
		rm -f both.db
		"$DEADPEER" merge "${stores% *}" "${stores#* }" -o both.db >out 2>err || fail "merge $stores: $(cat err)"
		is "36|0" "$(query both.db "SELECT sum(verdict = 'pass'), (SELECT count(*) FROM reason) FROM trial")" "$stores"
	done
	"$DEADPEER" merge open.db -o alone.db >out 2>err || fail "merge: $(cat err)"
	is "a <lost> look" "$(query alone.db 'SELECT text FROM inconclusive')" "a reason that was merged"
	sweep 0 mix.yaml --resume --db open.db
	is "36|0" "$(query open.db "SELECT sum(verdict = 'pass'), (SELECT count(*) FROM reason) FROM trial")" "run again"
}

# What version 0.1.0 stored is read as it is, and becomes of today when a sweep goes on in it.
older() {
	local content="SELECT group_concat(trial || verdict) FROM (SELECT * FROM trial ORDER BY trial)"
	cp mix.db old.db
	query old.db "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(replace(replace(sql,
		' AND verdict <> ''inconclusive''', ''), ' WHERE verdict <> ''inconclusive''', ''),
		'-- pass, fail or inconclusive', '-- pass or fail'); PRAGMA writable_schema = RESET;
		DROP VIEW inconclusive; DROP TABLE reason; PRAGMA user_version = 1"
	"$DEADPEER" export old.db --format junit >old.xml 2>err || fail "an export of schema 1: $(cat err)"
	"$DEADPEER" export mix.db --format junit | cmp - old.xml || fail "an export of schema 1 differs"
	"$DEADPEER" merge old.db -o new.db >out 2>err || fail "a merge of schema 1: $(cat err)"
	is 1 "$(query old.db 'PRAGMA user_version')" "the schema of a store that was read"
	is "$(query mix.db "$content")" "$(query new.db "$content")" "content of a merged store"
	sweep 0 mix.yaml --resume --db old.db
	is 2 "$(query old.db 'PRAGMA user_version')" "the schema after --resume"
	is "$(query mix.db "$content")" "$(query old.db "$content")" "content after --resume"
	"$DEADPEER" export old.db --format csv >out 2>err || fail "an export after --resume: $(cat err)"
}

whole
answers
refused
inconclusive
older
strangers
shards
merge_refuses
exports
runs
interrupted
full
finish
