# SPDX-License-Identifier: GPL-2.0-or-later
# hosts.bash PROGRAM [--engine qemu --kernel NAME]: the test shows that any number of hosts run any number of programs
# that get ready one after the other, that events act on one of them, that faults strike between two hosts only, that
# several connections are followed, that a recovery is told, and that what the programs wrote is in the record, in the
# trace and in files. What is wrong is one error that names the line.
. "$(dirname "$0")/lib.bash"
need jq
program=$(realpath "$1")
shift
chmod 755 "$tmp" && mkdir "$tmp/logs" && chmod 777 "$tmp/logs"
cd "$tmp" || exit 1

# scenario NAME: the rest of a scenario comes from standard input.
scenario() {
	{
		printf 'name: %s\nsummary: s\n' "$1"
		cat
	} >"$tmp/$1.yaml"
}
engine=("$@")

scenario several <<END
hosts:
  store:
    port: 7000
    programs:
      - {name: prepares, run: [sh, -c, "echo prepared"], ready: finished}
      - {name: talks, run: [sh, -c, "sleep 0.3; echo here I am; exec sleep 1000"], ready: {output: here I am}}
      - {name: asked, run: [sh, -c, "exec sleep 1000"], ready: {command: [sh, -c, "test -d /proc/1"]}}
      - {name: listens, run: [$program, "listen :: 7000", "accept 0", "read 1", "sleep 1000000"]}
  other: {workload: echo}
client:
  programs:
    - {name: early, run: [$program, "connect {store} 7000", "read 0", "sleep 1000000"]}
    - {name: last, run: [$program, "connect {other} {port}", "write 0", "read 0", "sleep 1000000"]}
server: {workload: echo}
follow:
  - {name: left, from: client, to: store}
  - {name: right, from: client, to: other, port: 5000}
timeline:
  - {at: 1s, fault: crash, node: store, program: talks}
  - {at: 2s, fault: blackhole, between: [client, other]}
  - {at: 3s, fault: crash, node: store, program: listens}
horizon: 4s
END
start several several.yaml "${engine[@]}" --trace --logs logs
await several
json several 'length == 1 and (.[0].endpoints | keys) == ["left.client", "left.store", "right.client", "right.other"]'
json several '.[0].endpoints | .["left.client"].outcome == "closed" and (.["left.client"].detection_s.kernel | . > 2 and . < 2.5) and
	.["right.client"].outcome != "closed" and .["right.other"].outcome != "closed"'
json several '.[0].output | map(select(.line == "here I am")) | length == 1 and .[0].host == "store" and .[0].t_s < 0'
json several '.[0].output | map(.line) | index("prepared") < index("here I am")'
grep -qx 'here I am' logs/several-ipv4-store.talks.log || fail "logs: $(ls logs)"

# All connections of two kinds, of which one kind is between those of the other. Each has its own packets.
scenario all <<END
hosts: {store: {workload: echo}}
client:
  command:
    - $program
    - connect {store} {port}
    - connect {server} {port}
    - connect {store} {port}
    - close 0
    - connect {store} {port}
    - connect {server} {port}
    - sleep 1000000
server: {workload: echo}
follow:
  - {name: left, from: client, to: store, number: all}
  - {name: right, from: client, to: server, number: all}
timeline: [{at: 1s, fault: crash, node: store}]
horizon: 2s
expect: {left.client: {outcome: closed}, right.client: {outcome: undetected}}
END
start all all.yaml "${engine[@]}" --trace
await all
json all 'map(.verdict) == ["pass"]'
json all '.[0].endpoints | keys_unsorted | map(select(endswith(".client"))) ==
	["left-1.client", "left-2.client", "right-1.client", "right-2.client"]'
json all '.[0] | .endpoints as $e | .trace | map(select(.kind == "packet" and .flags == "S") | .from) | sort ==
	($e | keys | map(select(endswith(".client"))))'

# A client that connects again, and how long it had nothing.
scenario again <<END
client:
  command:
    take: [$program]
    run: [sh, -c, "$program 'connect {server} {port}' 'write 0' 'read 0' 'read 0'; echo once more; sleep 1; exec $program 'connect {server} {port}' 'write 0' 'read 0' 'sleep 1000000'"]
server: {workload: echo, reuse_address: true}
timeline:
  - {at: 1s, fault: crash, node: server}
  - {at: 1500ms, action: start, node: server}
until: 4s
horizon: 6s
expect: {client: {outcome: closed, recovered: {after: 1ms, before: 3s}}}
END
start again again.yaml "${engine[@]}"
await again
json again '.[0].verdict == "pass" and (.[0].endpoints.client | .recovered_by == "connection" and .recovered_s > 0.5)'
json again '.[0].output | map(.line) | index("once more") != null'
# exit NAME STATUS PATTERN: the scenario ends with that status and says so on one line.
refused() {
	timeout 120 "${as[@]}" "$DEADPEER" run "$1.yaml" "${engine[@]}" >"$tmp/out" 2>"$tmp/err"
	local status=$?
	[ $status = "$2" ] || fail "$1: exit status $status, not $2: $(cat "$tmp/err" "$tmp/out")"
	grep -qE -- "$3" "$tmp/err" || fail "$1: does not say '$3', but: $(cat "$tmp/err")"
	[ "$(grep -c . "$tmp/err")" = 1 ] || fail "$1: more than one line: $(cat "$tmp/err")"
}
for case in \
	'never-ready|run: [sh, -c, "echo no; exec sleep 1000"], ready: {output: yes}, start_within: 1s|has not written .yes.; its output ends: no' \
	'still-runs|run: [sh, -c, "exec sleep 1000"], ready: finished, start_within: 1s|it still runs' \
	'fails|run: [sh, -c, "echo broken; exit 3"], ready: finished|exit status 3; its output ends: broken' \
	'killed|run: [sh, -c, "kill -9 $$"]|signal 9' \
	'background|run: [sh, -c, "sleep 1000 & exit 0"]|background.*foreground' \
	'asks-in-vain|run: [sh, -c, "exec sleep 1000"], ready: {command: [sh, -c, "exit 1"]}, start_within: 1s|.sh. does not succeed' \
	'missing|run: [no-such-program-1]|no-such-program-1.*PATH' \
	'not-executable|run: [/etc/passwd]|/etc/passwd' \
	'misspelt|run: [sh], redy: {port: 1}|did you mean .ready.'; do
	IFS='|' read -r name command message <<<"$case"
	scenario "$name" <<END
client: {command: [$program, "connect {server} {port}", "read 0"]}
server:
  programs:
    - {$command}
    - {run: [$program, "listen {server} {port}", "accept 0", "read 1"]}
horizon: 1s
END
	refused "$name" 2 "$name.yaml:6: .*$message"
done
finish
