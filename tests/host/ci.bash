# SPDX-License-Identifier: GPL-2.0-or-later
# What CI systems read: --junit, held against the schema in tests/junit.xsd, --format md and --retries.
. "$(dirname "$0")/lib.bash"
cd "$tmp" || exit 1
chmod 777 .

# run WANTED ARGUMENT...: `deadpeer run`, which has to exit with one of these statuses ("1|4"). Standard output and
# error are in the files out and err, and the status is in $status.
status=0 failing=()
run() {
	local wanted=$1 turn
	shift
	for turn in 1 2 3; do # where it is not asked for, 4 is a busy machine
		"${as[@]}" "$DEADPEER" run "$@" >out 2>err </dev/null
		status=$?
		[[ $status = 4 && ! 4 =~ ^($wanted)$ && $turn -lt 3 ]] || break
	done
	if [ "$status" = 4 ] && [ $turn = 3 ] && [[ $* != *qemu* ]]; then
		echo "the machine is too busy for: run $*"
		return
	fi
	[[ $status =~ ^($wanted)$ ]] || fail "run $*: exit status $status, not $wanted: $(cat err)"
}

: >out
: >err
chmod 666 out err

# valid FILE: it is what the schema says, and its counts are those of its cases.
valid() {
	python3 - "$1" <<-'END' || fail "$1: its counts are wrong"
		import sys, xml.etree.ElementTree as tree
		root = tree.parse(sys.argv[1]).getroot()
		def count(of, what): return len(of.findall('.//' + what))
		for of in [root] + root.findall('testsuite'):
		    assert int(of.get('tests')) == count(of, 'testcase'), of.attrib
		    assert int(of.get('failures')) == count(of, 'failure'), of.attrib
		    assert int(of.get('errors')) == count(of, 'error'), of.attrib
		    total = sum(float(c.get('time')) for c in of.iter('testcase'))
		    assert abs(float(of.get('time')) - total) < 0.01 * count(of, 'testcase') + 0.01, of.attrib
		for suite in root.findall('testsuite'):
		    assert int(suite.get('skipped')) == count(suite, 'skipped'), suite.attrib
	END
	command -v xmllint >/dev/null || { echo "no xmllint: $1 is not held against the schema"; return; }
	xmllint --noout --schema "$SOURCE/tests/junit.xsd" "$1" 2>xml || fail "$1: $(cat xml)"
}

# xml FILE XPATH: prints what is there.
xml() {
	python3 - "$1" "$2" <<-'END'
		import sys, xml.etree.ElementTree as tree
		for e in tree.parse(sys.argv[1]).getroot().findall(sys.argv[2]):
		    print('|'.join(e.get(k, '') for k in ('classname', 'name', 'type', 'message') if e.get(k)))
	END
}

# scenario NAME LINE...: writes NAME.yaml, in which the server's process dies after half a second.
scenario() {
	local name=$1
	shift
	printf '%s\n' "name: $name" "summary: A test" "server: {workload: sink}" "horizon: 2s" "$@" >"$name.yaml"
}
kill="timeline: [{at: 500ms, fault: crash, node: server}]"
scenario held "client: {workload: idle}" "$kill" "expect: {client: {outcome: closed}}"
scenario broken "client: {workload: idle}" "$kill" "expect: {client: {outcome: timed-out}}"
# The program ends before the event, the first time: nothing is measured then.
again='exec 3<>/dev/tcp/{server}/{port}; [ -e tried ] || { touch tried; sleep 0.3; exit; }; cat <&3'
never='exec 3<>/dev/tcp/{server}/{port}; sleep 0.3'
late=${kill/500ms/2500ms} # for a busy machine
scenario again "client: {command: [bash, -c, '$again']}" "$late" "expect: {client: {outcome: closed}}"
# Likewise, beside another one.
scenario slow "client: {command: [bash, -c, '$never']}" "$late" "expect: {client: {outcome: closed}}"
scenario never "client: {command: [bash, -c, '$never']}" "$late" "expect: {client: {outcome: closed}}"
scenario delayed "path: {delay: 5ms}" "client: {workload: idle}" "$kill"

# On a busy host what fails is inconclusive instead, which is not so in virtual time.
release=$(uname -r)
if "${as[@]}" "$DEADPEER" kernels list 2>/dev/null | grep -q '^6\.1\.'; then
	failing=(--engine qemu --kernel 6.1)
	release=$("${as[@]}" "$DEADPEER" kernels list | awk '/^6\.1\./ { print $1; exit }')
fi
echo old >junit.xml
chmod 666 junit.xml
run 1 ./held.yaml ./broken.yaml --family both --repeat 2 --junit junit.xml --retries 1 "${failing[@]}"
if [ "$status" = 1 ]; then
	valid junit.xml
	[ "$(xml junit.xml .//testcase | sort | uniq -d)" = "" ] || fail "two cases have the same name"
	[ "$(xml junit.xml .//testcase | sed -n 1p)" = "held|ipv4, repeat 0" ] || fail "a case: $(xml junit.xml .//testcase)"
	[ "$(xml junit.xml .//failure | sort -u | cut -c 1-12)" = "expectation|" ] || fail "failures: $(xml junit.xml .//failure)"
	[ ${#failing[@]} = 0 ] || [ "$(xml junit.xml .//failure | wc -l)" = 4 ] || fail "failures: $(xml junit.xml .//failure)"
	grep -qxF "held on $release" <<<"$(xml junit.xml testsuite)" || fail "suites: $(xml junit.xml testsuite)"
	grep -qF "$release" <<<"$(xml junit.xml .//testcase)" && fail "the kernel is in the name of a case"
	[ ${#failing[@]} = 0 ] || ! grep -q 'try 2' err || fail "what failed was tried again: $(cat err)"
	[ "$(echo junit.xml*)" = junit.xml ] || fail "left: $(echo junit.xml*)"
	grep -q '^broken .*FAIL\|0 of 2 pass' out || fail "the table is missing: $(cat out)"
fi

run 0 ./held.yaml --format md
grep -qx '| 1 | 1 | 0 | 0 | 0 | 0 |' out || fail "Markdown: $(cat out)"
grep -q '^SCENARIO' out && fail "Markdown with a table for terminals"
run 1 ./broken.yaml ./held.yaml --format md "${failing[@]}"
[ "$status" != 1 ] || { grep -qx '### Failed: 1' out && grep -q '^| broken | ipv4, repeat 0 | .*timed-out' out; } ||
	fail "Markdown of a failure: $(cat out)"

# A try that measures nothing is followed by another, which the record says; the verdict is that of the last.
rm -f tried
run 4 ./again.yaml --json --junit one.xml
[ "$(xml one.xml .//skipped | cut -c 1-26)" = "inconclusive|inconclusive:" ] || fail "skipped: $(cat one.xml)"
valid one.xml
jq -es 'length == 1 and .[0].verdict == "inconclusive" and (.[0] | has("tries") | not)' out >/dev/null || fail "without --retries: $(head -c 300 out)"
rm -f tried
run 0 ./again.yaml ./held.yaml --json --retries 3 --junit two.xml --db two.db
# On a busy machine there may be more of them.
jq -es 'map({scenario, verdict}) == [{scenario: "again", verdict: "pass"}, {scenario: "held", verdict: "pass"}]
	and .[0].tries >= 2 and (.[1].tries == null or .[1].tries >= 2)' out >/dev/null || fail "--retries: $(jq -c '{scenario, verdict, tries}' out)"
grep -q ' inconclusive: try 2 of 4' err || fail "--retries: $(cat err)"
[ "$(xml two.xml testsuite | sed 's/ on .*//' | tr '\n' ' ')" = "again held " ] || fail "suites: $(xml two.xml testsuite)"
if command -v sqlite3 >/dev/null; then
	[ "$(sqlite3 two.db "SELECT scenario, verdict, scenario = 'held' OR json_extract(json, '$.tries') >= 2, real_s > 0
		FROM trial JOIN record USING(trial) JOIN took USING(trial) ORDER BY 1" | tr '\n' ' ')" = \
		"again|pass|1|1 held|pass|1|1 " ] ||
		fail "the store: $(sqlite3 two.db 'SELECT scenario, verdict FROM trial')"
	"${as[@]}" "$DEADPEER" export two.db --format junit >export.xml || fail "export"
	[ "$(xml export.xml .//testcase | sort)" = "$(xml two.xml .//testcase | sort)" ] || fail "run and export name cases otherwise"
	[ "$(xml export.xml testsuite | sort)" = "$(xml two.xml testsuite | sort)" ] || fail "run and export name suites otherwise"
	valid export.xml
	# The same once more, into the same store: both runs are there, each by itself.
	run "0|4" ./held.yaml --db two.db
	[ "$(sqlite3 two.db "SELECT count(*), count(DISTINCT session), count(DISTINCT trial) FROM trial JOIN finished USING(trial)
		WHERE scenario = 'held'")" = "2|2|2" ] || fail "two runs: $(sqlite3 two.db 'SELECT * FROM finished')"
	"${as[@]}" "$DEADPEER" export two.db --format junit >export.xml || fail "export of two runs"
	valid export.xml
	grep -qxF "held on $(uname -r), run 2" <<<"$(xml export.xml testsuite)" || fail "suites of two runs: $(xml export.xml testsuite)"
	[ "$("${as[@]}" "$DEADPEER" export two.db --format csv | sed 's/.*,//' | sort -u | wc -l)" = 3 ] || fail "sessions in CSV"
fi
run 4 ./never.yaml --json --retries 2
jq -es 'length == 1 and .[0].verdict == "inconclusive" and .[0].tries == 3' out >/dev/null || fail "never: $(jq -c '{verdict, tries}' out)"
[ "$(grep -c ': try [23] of 3' err)" = 2 ] || fail "never: $(cat err)"
# A run that is stopped before the next try has what the first one found.
rm -f tried
"${as[@]}" "$DEADPEER" run ./again.yaml ./slow.yaml --json --retries 2 --junit stopped.xml >out 2>err &
pid=$!
for _ in $(seq 100); do
	grep -q ': try 2 of 3' err && break
	sleep 0.1
done
kill -INT $pid
wait $pid
status=$?
[ "$status" = 130 ] || [ "$status" = 0 ] || fail "SIGINT between tries: $status: $(cat err)"
jq -es 'any(.scenario == "again")' out >/dev/null || fail "SIGINT between tries: $(cat out)"

# The same of a sweep.
printf '%s\n' "name: tries" "summary: A test" "scenarios: [./again.yaml, ./held.yaml]" "horizon: 3s" "expect: nothing" >tries.yaml
rm -f tried
"${as[@]}" "$DEADPEER" sweep ./tries.yaml --retries 2 --junit swept.xml --format md >out 2>err </dev/null
status=$?
[ "$status" = 0 ] || [ "$status" = 4 ] || fail "sweep --retries: $status: $(cat err)"
[ "$status" = 4 ] || grep -qx '| 2 | 2 | 0 | 0 | 0 | 0 |' out || fail "sweep --format md: $(cat out)"
valid swept.xml
if command -v sqlite3 >/dev/null; then
	[ "$(sqlite3 tries.db "SELECT json_extract(json, '$.tries') >= 2 FROM trial JOIN record USING(trial)
		WHERE scenario = 'again'")" = 1 ] || fail "the tries of a sweep: $(sqlite3 tries.db 'SELECT scenario, verdict FROM trial')"
fi

# What the machine cannot do is skipped in a suite of its own, and the file is written all the same.
if "${as[@]}" "$DEADPEER" doctor | grep -q '^missing *netem'; then
	run 3 ./delayed.yaml ./held.yaml --junit three.xml
	valid three.xml
	[ "$(xml three.xml testsuite | sed 's/ on .*//' | sort | tr '\n' ' ')" = "held not possible here " ] ||
		fail "suites: $(xml three.xml testsuite)"
	[ "$(xml three.xml .//skipped | grep -v '^inconclusive' | cut -c 1-11)" = "capability|" ] || fail "skipped: $(xml three.xml .//skipped)"
	"${as[@]}" "$DEADPEER" run ./delayed.yaml --db impossible.db >out 2>err
	"${as[@]}" "$DEADPEER" export impossible.db --format junit >export.xml || fail "export of what is not possible"
	valid export.xml
	[ "$(xml export.xml testsuite)|$(xml export.xml .//skipped | cut -c 1-10)" = "not possible here|capability" ] ||
		fail "export of what is not possible: $(cat export.xml)"
fi
"${as[@]}" unshare -r sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' - \
	"$DEADPEER" run ./held.yaml ./broken.yaml --junit four.xml >out 2>err
[ $? = 3 ] || fail "without namespaces: $(cat err)"
valid four.xml
[ "$(xml four.xml testsuite)|$(xml four.xml .//skipped | wc -l)" = "not possible here|2" ] || fail "four.xml: $(cat four.xml)"

# A run that is stopped tells of it, too.
"${as[@]}" "$DEADPEER" run power-loss-busy --junit stopped.xml >out 2>err &
pid=$!
sleep 2
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "SIGINT: $(cat err)"
valid stopped.xml
[ "$(xml stopped.xml .//error | wc -l)" = 1 ] || fail "SIGINT: $(cat stopped.xml)"

printf '%s\n' "name: long" "summary: A test" "scenarios: [power-loss-busy]" >long.yaml
"${as[@]}" "$DEADPEER" sweep ./long.yaml --junit stopped.xml --format md >out 2>err </dev/null &
pid=$!
sleep 2
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "SIGINT of a sweep: $(cat err)"
valid stopped.xml
grep -q '1 of 1 trials were not run: interrupted' <<<"$(xml stopped.xml .//error)" || fail "SIGINT of a sweep: $(cat stopped.xml)"
grep -q 'every expectation held' out && fail "a sweep that was stopped held everything: $(cat out)"

# Wrong input is refused before anything runs.
for file in - none/junit.xml . /dev; do
	run 2 ./held.yaml --junit "$file"
	[ "$(wc -l <err)" = 1 ] && grep -q -- '--junit' err || fail "--junit $file: $(cat err)"
	[ ! -s out ] || fail "--junit $file: it has run: $(cat out)"
done
cp junit.xml store.db
run 2 ./held.yaml --junit ./store.db --db store.db
cmp -s junit.xml store.db || fail "--junit has replaced the store"
"${as[@]}" "$DEADPEER" sweep ./tries.yaml --resume --junit tries.db >out 2>err
[ $? = 2 ] && grep -q -- '--junit tries.db: is the store' err || fail "sweep --junit over its store: $(cat err)"
run 3 ./held.yaml --junit /dev/full
grep -q '/dev/full: No space left on device' err || fail "--junit of a full disk: $(cat err)"
run 2 ./held.yaml --format md --json
run 2 ./held.yaml --format xml
grep -q 'expected table or md' err || fail "--format: $(cat err)"
run 2 ./held.yaml --retries -1
[ "$(echo ./*.tmp)" = './*.tmp' ] || fail "left: $(echo ./*.tmp)"
finish
