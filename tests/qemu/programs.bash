# SPDX-License-Identifier: GPL-2.0-or-later
# programs.bash KERNEL PROGRAM: the test shows that the user's own programs run in a guest, with what they need and
# nothing else of this machine, that their full-length timers take no time, and that the same seed gives the same bytes.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64 jq
kernel=$1
program=$(realpath "$2")
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"

# scenario NAME: the rest of a scenario comes from standard input.
scenario() {
	{
		printf 'name: %s\nsummary: s\n' "$1"
		cat
	} >"$tmp/$1.yaml"
}
run() {
	timeout 300 "${as[@]}" "$DEADPEER" run "$tmp/$1.yaml" --engine qemu --kernel "$kernel" "${@:2}"
}

# A program that has something in flight, and one that only waits, when the server's power is lost.
scenario busy <<END
client: {command: [$program, "connect {server} {port}", "sleep 3000", "write 0", "read 0"]}
server: {command: [$program, "listen {server} {port}", "accept 0", "read 1", "read 1"]}
timeline: [{at: 2s, fault: power-loss, node: server}]
horizon: 1h
expect: {client: {outcome: timed-out, error: ETIMEDOUT, mechanism: retransmission, after: 924s, before: 1000s}}
END
run busy --family both --json >"$tmp/busy.json" 2>"$tmp/busy.err" || fail "busy: exit status $?"
json busy 'length == 2 and all(.verdict == "pass" and .endpoints.client.command.status != null)'
run busy --family both --json >"$tmp/again.json" || fail "busy again: exit status $?"
cmp "$tmp/busy.json" "$tmp/again.json" || fail "the same seed gives other bytes"

# What a program has set is read of its socket.
scenario set <<END
client: {command: [$program, "connect {server} {port}", "keepalive 0 7", "read 0"]}
server: {command: [$program, "listen {server} {port}", "accept 0", "timeout 1 9000", "read 1"]}
timeline: [{at: 2s, fault: blackhole}]
horizon: 1h
variants:
  - name: client
  - name: server
    server: {command: [$program, "listen {server} {port}", "accept 0", "timeout 1 9000", "sleep 4000", "write 1", "read 1"]}
END
run set --json >"$tmp/set.json" 2>"$tmp/set.err" || fail "set: exit status $?"
json set 'map(.endpoints.client) | all(.mechanism == "keepalive" and .detection_s.kernel > 26 and .options ==
	{keepalive: "on", keepalive_idle_s: 7, keepalive_interval_s: 7, keepalive_count: 3, user_timeout_s: null, nodelay: "off",
	 linger_s: null, send_buffer: null, receive_buffer: null})'
json set '.[1].endpoints.server | .mechanism == "user-timeout" and .options.user_timeout_s == 9 and .options.keepalive == "off"'

# What a program finds around itself. Its words, its user, its environment, a file and a folder that go along.
mkdir -p "$tmp/folder/below"
echo content >"$tmp/folder/below/file"
echo "echo helper runs" >"$tmp/helper"
echo stays >"$tmp/stays"
chmod 755 "$tmp"
scenario around <<END
client:
  command:
    user: 1000
    env: {GREETING: "hello {node}"}
    take: [$tmp/folder]
    run:
      - sh
      - -c
      - |
        echo "\$GREETING"; id -u; id -un; id -G
        cat $tmp/folder/below/file; . \$1
        echo written >/tmp/written && cat /tmp/written
        getent hosts localhost | wc -l
        ls -1 $tmp; ls -d /root/.cache /home/* 2>/dev/null
        cat /etc/shadow 2>/dev/null | wc -c
        exec $program "connect {server} {port}" 'read 0'
      - sh
      - $tmp/helper
server: {command: [$program, "listen {server} {port}", "accept 0", "sleep 10000"]}
timeline: [{at: 1s, fault: crash, node: server}]
horizon: 5s
END
run around --json >"$tmp/around.json" 2>"$tmp/around.err" || fail "around: exit status $?"
jq -j '.endpoints.client.command.output' "$tmp/around.json" >"$tmp/output"
cat >"$tmp/expected" <<END
hello client
1000
user
1000
content
helper runs
written
1
folder
helper
0
END
diff "$tmp/expected" "$tmp/output" || fail "the program's surroundings are others"
json around '.[0].settings["client.command.user"] == 1000 and .[0].settings["client.command.env"] == "GREETING=hello {node}"'

# What cannot go along is one error that names the line, before anything runs.
scenario missing <<END
client: {command: [sh, -c, "true"]}
server: {command: {run: [$program], take: [$tmp/nothing]}}
horizon: 5s
END
run missing >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status = 2 ] || fail "a missing file: exit status $status"
grep -q "missing.yaml:4: .*nothing: No such file" "$tmp/err" && [ "$(wc -l <"$tmp/err")" = 1 ] || fail "a missing file: $(cat "$tmp/err")"

# A client that never connects is given up, with what it said.
scenario late <<END
client: {command: {run: [sh, -c, "echo not yet; sleep 1000"], start_within: 700s}}
server: {command: [$program, "listen {server} {port}", "accept 0"]}
horizon: 5s
END
run late >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status = 2 ] || fail "late: exit status $status"
grep -q "late.yaml:3: command 'sh': after 11 min 40.0 s (start_within) the client has no connection to port 5000, .*; its output ends: not yet" "$tmp/err" ||
	fail "late: $(cat "$tmp/err")"
finish
