#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which connection of real programs is followed: of a client that talks to a helper over its loopback first, of a
# server that is dual-stack or opens another port first, and of a pool that reconnects.
. "$(dirname "$0")/lib.bash"
need python3 jq
cd "$tmp" || exit 1

# scenario NAME CLIENT SERVER REST: a file of that name; CLIENT and SERVER are scripts of Python, or empty for the
# built-in agents.
scenario() {
	local end
	{
		printf 'name: %s\nsummary: Which connection is followed\nhorizon: 3s\n' "$1"
		for end in client server; do
			local script="$2"
			[ "$end" = server ] && script="$3"
			[ -n "$script" ] || continue
			printf '%s:\n  command:\n    - python3\n    - -c\n    - |\n' "$end"
			printf '%s\n' "$script" | sed 's/^/      /'
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
connect='import os, socket, threading, time
address = (os.environ["DEADPEER_SERVER"], int(os.environ["DEADPEER_PORT"]))'
both='.endpoints.client.connection.peer == .endpoints.server.connection.local and
	.endpoints.server.connection.peer == .endpoints.client.connection.local'

# The helper listens at the very port, on the loopback and at the client's own address.
scenario loopback "$connect
for own in '127.0.0.1', os.environ['DEADPEER_CLIENT']:
    helper = socket.create_server((own, address[1]))
    near = socket.create_connection(helper.getsockname())
    far, peer = helper.accept()
    near.sendall(b'x')
six = socket.create_server(('::', 7000), family=socket.AF_INET6, dualstack_ipv6=True)
near = socket.create_connection(('::ffff:127.0.0.1', 7000))
time.sleep(0.1)
s = socket.create_connection(address)
print('real', s.getsockname()[1], flush=True)
s.recv(1)
time.sleep(9)" "" "$crash"
holds loopback "$both and .follow == {number: 1, tried: 1} and
	(.endpoints.client | (.command.output | split(\" \")[1] | tonumber) ==
		(.connection.local | split(\":\")[1] | tonumber))"

scenario dual-stack "" "import socket
s = socket.create_server(('::', 5000), family=socket.AF_INET6, dualstack_ipv6=True)
c, peer = s.accept()
c.recv(1)" "$crash"
holds dual-stack "$both and .endpoints.server.states[-1].to != \"ESTABLISHED\""

scenario other-port-first "" "import socket, time
first = socket.create_server(('', 9))
time.sleep(1)
s = socket.create_server(('', 5000))
c, peer = s.accept()
c.recv(1)" "$crash"
holds other-port-first "$both and (.endpoints.server.connection.local | endswith(\":5000\"))"

pool="$connect
pool = [socket.create_connection(address) for i in range(3)]
pool[1].close()
pool[1] = socket.create_connection(address)
print(*(s.getsockname()[1] for s in pool), flush=True)
time.sleep(9)"
while read -r follow number place; do
	scenario "pool-$follow" "$pool" "" "$crash
follow: $follow"
	holds "pool-$follow" "$both and .follow == {number: $number, tried: 4} and .endpoints.client.outcome == \"closed\" and
		(.endpoints.client | (.command.output | split(\" \")[$place] | tonumber) ==
			(.connection.local | split(\":\")[1] | tonumber)) and
		(.endpoints.server.states[0:2] | map(.to)) == [\"SYN_RECV\", \"ESTABLISHED\"]"
done <<'END'
first 1 0
3 3 2
last 4 1
END
finish
