# SPDX-License-Identifier: GPL-2.0-or-later
# abandoned.bash PROGRAM [OPTION...]: a user's own server gives a dead client up after 3 s, of which one is over when the
# client's power goes. It lives on, or it exits, or it never calls close() itself; the row is the same. One that is told by
# a FIN has not given up. OPTIONs are for `deadpeer run`.
. "$(dirname "$0")/lib.bash"
program=$(realpath "$1")
shift

cat >"$tmp/gives-up.yaml" <<-END
	name: gives-up
	summary: The user's program gives the peer up
	client: {workload: idle}
	horizon: 6s
	timeline: [{at: 1s, fault: power-loss, node: client}]
	expect:
	  server: {outcome: abandoned, error: none, mechanism: application, after: 200ms, before: 3500ms}
	variants:
	  - {name: close, server.command: [$program, "listen :: 5000", "accept 0", "await 1 3000", "close 1", "sleep 1000000"]}
	  - {name: shutdown, server.command: [$program, "listen :: 5000", "accept 0", "await 1 3000", "shutdown 1", "sleep 1000000"]}
	  - {name: exit, server.command: [$program, "listen :: 5000", "accept 0", "await 1 3000"]}
	  - name: told
	    server.command: [$program, "listen :: 5000", "accept 0", "await 1 3000", "close 1", "sleep 1000000"]
	    timeline: [{at: 1s, fault: crash, node: client}]
	    expect: {server: {outcome: closed, mechanism: fin-received, after: 0s, before: 1s}}
END
chmod 755 "$tmp"
chmod 644 "$tmp"/*.yaml

start gives-up "$tmp/gives-up.yaml" --family both "$@"
await gives-up
json gives-up 'length == 8 and all(.verdict == "pass")'
# The program's clock has the moment, and the kernel's none: it ended nothing.
json gives-up 'map(select(.variant != "told").endpoints.server.detection_s)
	| all(.kernel == null and .application > 0.2 and .wire <= .application + 0.001)'
finish
