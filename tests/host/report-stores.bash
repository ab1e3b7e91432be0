# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of `report` behind lib.bash: stores to make pages of.
# shellcheck disable=SC2154 # lib.bash sets "as"

# make_store DB: a store that deadpeer itself made, of trials that take two seconds.
make_store() {
	"${as[@]}" "$DEADPEER" run process-crash --quick --repeat 2 --db "$1" >run.out 2>&1
	[[ $? = [014] ]] && [ -s "$1" ] || { cat run.out; skip "no trial runs here"; }
}

# outcomes_of FROM DB: trials with each outcome, verdict and kind of finding, on two kernels, along two axes.
outcomes_of() {
	cp "$1" "$2"
	sqlite3 "$2" <<-'SQL'
		CREATE TEMP TABLE model AS SELECT * FROM trial LIMIT 1;
		CREATE TEMP TABLE new(n INTEGER, outcome TEXT, at REAL, verdict TEXT, kernel TEXT, retries TEXT);
		WITH o(outcome, at) AS (VALUES('closed', 0.002), ('reset', 3.1), ('timed-out', 938.8), ('unreachable', 12.5),
			('survived', NULL), ('undetected', NULL), ('refused', 0.1), ('abandoned', 30)),
			v(verdict) AS (VALUES('pass'), ('fail'), ('inconclusive')), k(kernel) AS (VALUES('6.1'), ('6.12')),
			r(retries) AS (VALUES('3'), ('15'))
		INSERT INTO new SELECT row_number() OVER (), outcome, at, verdict, kernel, retries FROM o, v, k, r;
		INSERT INTO trial SELECT printf('%016x', n), 'cell' || retries, 10 + n, 'every', outcome, 'E99', family, 'qemu', new.kernel,
			new.kernel || '.0-cloud', 0, 18446744073709551 + n, n, new.verdict, 1200, 0, clock, 0 FROM model, new;
		INSERT INTO endpoint SELECT printf('%016x', n), 'client', outcome, CASE outcome WHEN 'timed-out' THEN 'ETIMEDOUT' END,
			CASE WHEN at IS NULL THEN NULL ELSE 'retransmission' END, at * (1 + n / 1000.0), at * (1 + n / 1000.0) + 0.00002,
			NULL, NULL, at * 0.9, at * (CASE WHEN n % 12 THEN 1.2 ELSE 0.95 END), n % 5, 0 FROM new;
		INSERT INTO place SELECT printf('%016x', n), 1, 'client.net.ipv4.tcp_retries2', retries FROM new;
		INSERT INTO setting SELECT printf('%016x', n), 'client.net.ipv4.tcp_retries2', retries, retries + 0 FROM new;
		INSERT INTO failure SELECT printf('%016x', n), 1, 'client: expected another outcome' FROM new WHERE verdict = 'fail';
		INSERT INTO reason SELECT printf('%016x', n), 1, 'the clock was late' FROM new WHERE verdict = 'inconclusive';
		INSERT INTO qemu SELECT session, '10.0.3' FROM session LIMIT 1;
		INSERT INTO record SELECT printf('%016x', n), replace(json, '"faults":[', '"faults":[{"t_s":0.0,"took_s":0.1,"event":"power-loss server"},')
			FROM new, (SELECT json FROM record JOIN model USING(trial)) WHERE n % 7;
		INSERT INTO problem SELECT 'none', 900, session, 'now', 'the guest did not start' FROM session;
	SQL
}

# hostile_of FROM DB: a store whose every text would be markup, or end the block of data, or is no text at all.
hostile_of() {
	cp "$1" "$2"
	sqlite3 "$2" <<-'SQL'
		CREATE TEMP TABLE evil(n INTEGER, text TEXT);
		INSERT INTO evil VALUES(0, '<script>document.title="broken"</script>'), (1, '</script><script>document.title="broken"</script>'),
			(2, '<img src=x onerror=''document.title="broken"''>'), (3, '"quotes" ''and'' `ticks` \ back ${document.title}'),
			(4, printf('%.*c', 10000, 'x')), (5, CAST(x'fffe3c2f7363726970743e80c0af' AS TEXT)), (6, ''),
			(7, '--><!-- ]]> <!--<script>'), (8, '__proto__'), (9, 'constructor'), (10, char(8238) || 'rtl' || char(8232, 27, 155, 9, 10)),
			(11, '=cmd|'' /C calc''!A0'), (12, '<svg onload=alert(1)>{{data}}{{title}}');
		INSERT INTO trial SELECT printf('%016x', n), 'evil' || n, 100 + n, e.text, e.text, e.text, e.text, e.text, e.text, e.text, 0,
			9223372036854775807, -9223372036854775807, e.text, 1e300, 0, e.text, 0 FROM trial, evil AS e WHERE position = 1;
		INSERT INTO endpoint SELECT printf('%016x', n), text, text, text, text, n + 0.5, 9e999, -1e300, NULL, 'no number', 2, 'x', 1 FROM evil;
		INSERT INTO place SELECT printf('%016x', e.n), f.n + 1, f.text, e.text FROM evil AS e, evil AS f;
		INSERT OR IGNORE INTO setting SELECT printf('%016x', e.n), f.text, e.text, NULL FROM evil AS e, evil AS f;
		INSERT INTO failure SELECT printf('%016x', n), 1, text FROM evil;
		INSERT INTO reason SELECT printf('%016x', n), 1, text FROM evil;
		INSERT INTO record SELECT printf('%016x', n), CASE WHEN n % 2 THEN text ELSE json_object('faults', json_array(json_object(
			'event', text, 't_s', 0), 7, NULL), 'endpoints', json_object(text, json_object('outcome', text, 'states',
			json_array(json_object('t_s', 1, 'from', text, 'to', text), 3)))) END FROM evil WHERE n <> 5;
		INSERT INTO problem SELECT 'p' || n, n, session, 'now', text FROM evil, session;
		INSERT OR IGNORE INTO kernel SELECT text, text FROM evil;
		INSERT OR IGNORE INTO scenario SELECT text, text FROM evil;
		UPDATE study SET name = '</title><script>document.title="broken"</script>', text = 'summary: "</script><script>document.title=1</script>"',
			file = '<b>', engine = '<i>', deadpeer = '<u>';
		UPDATE session SET command = '</script><img src=x>', host = '<h1>';
	SQL
}

# older_of FROM DB: a store of schema 1.
older_of() {
	cp "$1" "$2"
	sqlite3 "$2" "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(replace(replace(sql,
		' AND verdict <> ''inconclusive''', ''), ' WHERE verdict <> ''inconclusive''', ''),
		'-- pass, fail or inconclusive', '-- pass or fail'); PRAGMA writable_schema = RESET;
		DROP VIEW inconclusive; DROP TABLE reason; DROP TABLE qemu; PRAGMA user_version = 1"
}

# empty_of FROM DB: a store without any trial, as of a sweep that was killed at once.
empty_of() {
	cp "$1" "$2"
	sqlite3 "$2" 'PRAGMA foreign_keys = OFF; DELETE FROM trial; DELETE FROM endpoint; DELETE FROM place; DELETE FROM setting;
		DELETE FROM record; DELETE FROM failure; DELETE FROM reason; DELETE FROM finished'
}

# many_of FROM DB N: a store of at least N trials, which are those of FROM with other identities.
many_of() {
	cp "$1" "$2"
	sqlite3 "$2" <<-SQL
		PRAGMA foreign_keys = OFF;
		BEGIN;
		CREATE TEMP TABLE old AS SELECT trial, row_number() OVER () AS n FROM trial;
		CREATE TEMP TABLE new AS WITH RECURSIVE k(k) AS (VALUES(1) UNION ALL SELECT k + 1 FROM k
			WHERE k * (SELECT count(*) FROM old) < $3) SELECT trial AS old, printf('%08x%08x', k, n) AS new, k FROM old, k;
		CREATE INDEX temp.by_old ON new(old);
		INSERT INTO trial SELECT new, cell, position + k * 1000, scenario, variant, scenario_id, family, engine, kernel,
			release, k, seed, abs(random()) % 32768, verdict, span_s, lateness_s, clock, lost FROM trial JOIN new ON trial = old;
		INSERT INTO endpoint SELECT new, endpoint, outcome, errno, mechanism, kernel_s + (k * 7919 % 10007) / 1e4,
			application_s + (k * 7919 % 10007) / 1e4, wire_s, recovered_s, earliest_s, latest_s + 2, retransmissions, resets
			FROM endpoint JOIN new ON trial = old;
		INSERT INTO place SELECT new, n, axis, value FROM place JOIN new ON trial = old;
		INSERT INTO setting SELECT new, key, text, number FROM setting JOIN new ON trial = old;
		INSERT INTO failure SELECT new, n, text FROM failure JOIN new ON trial = old;
		INSERT INTO reason SELECT new, n, text FROM reason JOIN new ON trial = old;
		INSERT INTO record SELECT new, json FROM record JOIN new ON trial = old;
		COMMIT;
	SQL
}
