# SPDX-License-Identifier: GPL-2.0-or-later
# What the calls of a built-in agent give, and what they do not mean: EPIPE after its own shutdown is no end; what
# has arrived is read before the error; an orphan's user timeout ends it.
. "$(dirname "$0")/lib.bash"

cat >"$tmp/send-after-shutdown.yaml" <<-END
	name: send-after-shutdown
	summary: A send after shutdown gets EPIPE
	client: {workload: idle}
	server: {workload: echo, close_on_eof: false}
	timeline:
	  - {at: 100ms, action: shutdown, node: client}
	  - {at: 200ms, action: send, node: client, size: 1000}
	horizon: 1s
	expect: {client: {outcome: undetected, written: 0, calls: [shutdown, "write EPIPE", "!close"]}}
END
cat >"$tmp/unread.yaml" <<-END
	name: unread
	summary: Data received before the end can still be read
	client: {workload: idle, paused: true, net.ipv4.tcp_retries2: 1}
	server: {workload: idle}
	timeline:
	  - {at: 500ms, action: send, node: server, size: 100}
	  - {at: 1s, fault: blackhole}
	  - {at: 1100ms, action: send, node: client, size: 100}
	  - {at: 6s, action: resume-reading, node: client}
	horizon: 8s
	expect: {client: {outcome: timed-out, error: ETIMEDOUT, read: 100, calls: [read 100, read ETIMEDOUT, "!read 0"]}}
END
cat >"$tmp/half-closed.yaml" <<-END
	name: half-closed
	summary: A FIN that the timeline ordered is no detection of the power loss after it
	client: {workload: stream, interval: 50ms, size: 100, close_on_eof: false, net.ipv4.tcp_retries2: 1}
	server: {workload: idle, close_on_eof: false}
	timeline:
	  - {at: 500ms, action: shutdown, node: server}
	  - {at: 1500ms, fault: power-loss, node: server}
	horizon: 10s
	expect: {client: {outcome: timed-out, error: ETIMEDOUT, mechanism: retransmission, after: 1500ms, calls: [read 0]}}
END
chmod 755 "$tmp"
chmod 644 "$tmp"/*.yaml
for name in send-after-shutdown unread half-closed; do
	start $name "$tmp/$name.yaml" --family both "$@"
done
start orphan last-ack-never --quick --set server.user_timeout=2s --family both "$@"
for name in send-after-shutdown unread half-closed; do
	await $name
	json $name 'length == 2 and all(.verdict == "pass")'
done
json half-closed 'map(.endpoints.client) | all(.detection_s.application >= .detection_s.kernel
	and .detection_s.kernel <= .gone_s)'
# Without tracepoints, the end of a socket that its program still holds is known when the program is told.
json unread 'all(.clock != "tracepoint" or .endpoints.client.detection_s.kernel < 5)'
# The scenario expects the mechanism `orphan`, so its exit status is 1.
wait "${started[orphan]}"
json orphan 'map(.endpoints.server) | length == 2 and all(.outcome == "timed-out" and .error == null and .mechanism == "user-timeout"
	and .detection_s.kernel == .gone_s)'
finish
