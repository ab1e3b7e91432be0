#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which connection of real programs is followed: of a client that talks to a helper over its loopback first, of a
# server that is dual-stack or opens another port first, and of a pool that reconnects.
. "$(dirname "$0")/lib.bash"
need jq
program=$(realpath "$1")
cd "$tmp" || exit 1

# scenario NAME CLIENT SERVER REST: a file of that name; CLIENT and SERVER are the steps of a program (program.c), one
# a line, or empty for the built-in agents.
scenario() {
	local end
	{
		printf 'name: %s\nsummary: Which connection is followed\nhorizon: 3s\n' "$1"
		for end in client server; do
			local steps="$2"
			[ "$end" = server ] && steps="$3"
			[ -n "$steps" ] || continue
			printf '%s:\n  command:\n    - %s\n' "$end" "$program"
			printf '%s\n' "$steps" | sed 's/.*/    - "&"/'
		done
		printf '%s\n' "$4"
	} >"$1.yaml"
}

# holds NAME FILTER: runs the scenario, and holds its record against a filter of jq.
holds() {
	"${as[@]}" "$DEADPEER" run "./$1.yaml" --engine host --json >"$1.json" 2>"$1.err" ||
		fail "$1: $(cat "$1.err")"
	jq -e "$2" "$1.json" >/dev/null ||
		fail "$1: not $2: $(jq -c '[.follow, (.endpoints[] | [.connection, .outcome, .states[0:2]])]' "$1.json")"
}

crash='timeline: [{at: 1s, fault: crash, node: server}]
expect: {client: {outcome: [closed, reset]}}'
connect='connect {server} {port}'
both='.endpoints.client.connection.peer == .endpoints.server.connection.local and
	.endpoints.server.connection.peer == .endpoints.client.connection.local'

# The helper listens at the very port, on the loopback and at the client's own address.
scenario loopback "listen 127.0.0.1 {port}
connect 127.0.0.1 {port}
accept 0
write 1
listen {client} {port}
connect {client} {port}
accept 3
write 4
listen :: 7000
connect ::ffff:127.0.0.1 7000
sleep 100
$connect
print 8
read 8
sleep 9000" "" "$crash"
holds loopback "$both and .follow == {number: 1, tried: 1, left_out: 0} and
	(.endpoints.client | (.command.output | split(\" \")[0] | tonumber) ==
		(.connection.local | split(\":\")[1] | tonumber))"

scenario dual-stack "" "listen :: 5000
accept 0
read 1" "$crash"
holds dual-stack "$both and .endpoints.server.states[-1].to != \"ESTABLISHED\""

scenario other-port-first "" "listen 0.0.0.0 9
sleep 1000
listen 0.0.0.0 5000
accept 1
read 2" "$crash"
holds other-port-first "$both and (.endpoints.server.connection.local | endswith(\":5000\"))"

pool="$connect
sleep 100
$connect
sleep 100
$connect
sleep 100
close 1
$connect
print 0
print 3
print 2
sleep 9000"
while read -r follow number place; do
	scenario "pool-$follow" "$pool" "" "$crash
follow: $follow"
	holds "pool-$follow" "$both and .follow == {number: $number, tried: 4, left_out: 0} and .endpoints.client.outcome == \"closed\" and
		(.endpoints.client | (.command.output | split(\" \")[$place] | tonumber) ==
			(.connection.local | split(\":\")[1] | tonumber)) and
		(.endpoints.server.states[0:2] | map(.to)) == [\"SYN_RECV\", \"ESTABLISHED\"] and
		(.endpoints.client.states[1].t_s - .endpoints.server.states[1].t_s | fabs) < 0.1"
done <<'END'
first 1 0
3 3 2
last 4 1
END

# All that are open at the first event, in the order in which they were tried; the second was closed. What is expected
# of the client is expected of each.
scenario pool-all "$pool" "" "$crash
follow: all"
holds pool-all '(.endpoints | keys) == ["1.client", "1.server", "2.client", "2.server", "3.client", "3.server"] and
	([.endpoints | .["1.client", "2.client", "3.client"] | .outcome] | unique) == ["closed"] and
	([.endpoints | .["1.client", "2.client", "3.client"].connection.local | split(":")[1]]
		== (.endpoints["1.client"].command.output | split(" ") | [.[0], .[2], .[1]])) and
	(.endpoints as $e | ["1", "2", "3"] | all($e[. + ".client"].connection.local == $e[. + ".server"].connection.peer))'
sed 's/\[closed, reset\]/timed-out/' pool-all.yaml >pool-wrong.yaml
"${as[@]}" "$DEADPEER" run ./pool-wrong.yaml --engine host --json >pool-wrong.json 2>/dev/null
jq -e '[1, 2, 3] as $n | .failures | '"$without_remark"' | length == 3 and ([$n, .] | transpose | all(.[0] as $k | .[1] | startswith("\($k).client")))' \
	pool-wrong.json >/dev/null || fail "pool-wrong: $(jq -c .failures pool-wrong.json)"

# There are more than can be followed.
many=$(for _ in $(seq 18); do echo "$connect"; done)
scenario pool-many "$many
sleep 9000" "" "$crash
follow: all"
holds pool-many '(.endpoints | length) == 32 and .follow.left_out == 2'
finish
