# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of studies; see tests/host/lib.bash for what they get.
. "$SOURCE/tests/host/lib.bash"
need sqlite3
cd "$tmp" || exit 1
"$DEADPEER" run process-crash --engine qemu --kernel 6.1 --json >/dev/null 2>"$tmp/kernel" ||
	skip "no kernel 6.1 to boot: $(head -n 1 "$tmp/kernel")"

# study NAME LINE...: writes NAME.yaml.
study() {
	local name=$1
	shift
	printf '%s\n' "name: $name" "summary: A test" "engine: qemu" "kernels: ['6.1']" "$@" >"$name.yaml"
}

# sweep WANTED ARGUMENT...: runs a sweep, which has to exit with that status. It leaves standard output in
# $out and standard error in $err.
sweep() {
	local wanted=$1 status
	shift
	"$DEADPEER" sweep "$@" >out 2>err </dev/null
	status=$?
	# shellcheck disable=SC2034 # Tests read it.
	out=$(cat out)
	err=$(cat err)
	[ $status = "$wanted" ] || fail "sweep $*: exit status $status, not $wanted: $err"
}

# says TEXT PATTERN WHAT: the text contains the pattern.
says() {
	[[ $1 == *"$2"* ]] || fail "$3: no '$2' in: $1"
}

# query DB SQL: prints the result of a query.
query() {
	sqlite3 "$1" "$2"
}

# is WANTED GOT WHAT: both texts are equal.
is() {
	[ "$1" = "$2" ] || fail "$3: expected '$1', got '$2'"
}

# same A B: both stores have the same rows. Times of trials in virtual time may differ by a tick (4 ms);
# everything else is equal.
same() {
	local differences
	differences=$(sqlite3 "$1" "ATTACH '$2' AS o" "
		WITH a AS (SELECT trial, cell, position, scenario, variant, scenario_id, family, engine, kernel,
			release, repeat, seed, phase, verdict, clock, lost FROM main.trial),
		b AS (SELECT trial, cell, position, scenario, variant, scenario_id, family, engine, kernel,
			release, repeat, seed, phase, verdict, clock, lost FROM o.trial)
		SELECT 'trial', * FROM (SELECT * FROM a EXCEPT SELECT * FROM b)
		UNION ALL SELECT 'other trial', * FROM (SELECT * FROM b EXCEPT SELECT * FROM a)" "
		SELECT 'setting', * FROM (SELECT * FROM main.setting EXCEPT SELECT * FROM o.setting)
		UNION ALL SELECT 'other setting', * FROM (SELECT * FROM o.setting EXCEPT SELECT * FROM main.setting)" "
		SELECT 'place', * FROM (SELECT * FROM main.place EXCEPT SELECT * FROM o.place)
		UNION ALL SELECT 'other place', * FROM (SELECT * FROM o.place EXCEPT SELECT * FROM main.place)" "
		WITH a AS (SELECT trial, endpoint, outcome, errno, mechanism, retransmissions, resets FROM main.endpoint),
		b AS (SELECT trial, endpoint, outcome, errno, mechanism, retransmissions, resets FROM o.endpoint)
		SELECT 'endpoint', * FROM (SELECT * FROM a EXCEPT SELECT * FROM b)
		UNION ALL SELECT 'other endpoint', * FROM (SELECT * FROM b EXCEPT SELECT * FROM a)" "
		SELECT 'times', trial, endpoint, a.kernel_s, b.kernel_s, a.application_s, b.application_s, a.wire_s, b.wire_s
		FROM main.endpoint AS a JOIN o.endpoint AS b USING(trial, endpoint)
		WHERE NOT (coalesce(abs(a.kernel_s - b.kernel_s), 0) <= 0.004 AND
			coalesce(abs(a.application_s - b.application_s), 0) <= 0.004 AND
			coalesce(abs(a.wire_s - b.wire_s), 0) <= 0.004 AND
			(a.kernel_s IS NULL) = (b.kernel_s IS NULL) AND (a.wire_s IS NULL) = (b.wire_s IS NULL))" "
		SELECT 'names', * FROM (SELECT * FROM main.scenario EXCEPT SELECT * FROM o.scenario)
		UNION ALL SELECT 'kernels', * FROM (SELECT * FROM main.kernel EXCEPT SELECT * FROM o.kernel)" "
		SELECT 'study', * FROM (SELECT name, text, engine, deadpeer, seed, quick, trials, shard, shards FROM main.study
			EXCEPT SELECT name, text, engine, deadpeer, seed, quick, trials, shard, shards FROM o.study)" 2>&1) ||
		fail "$1 and $2 cannot be compared"
	[ -z "$differences" ] || fail "$1 and $2 differ: $(head -n 8 <<<"$differences")"
	[ "$(query "$1" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" = ok ] || fail "$1 is damaged"
}
