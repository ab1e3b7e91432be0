# SPDX-License-Identifier: GPL-2.0-or-later
# detection.bash [OPTION...]: the test shows the detections that the project promises, each with IPv4
# and IPv6. The options go to deadpeer. The bounds are those that the kernel's timers allow, except for detections
# that happen at once.
. "$(dirname "$0")/lib.bash"

clock=tracepoint
if [ "${TEST_ROOTLESS-}" = 1 ] || [ "$(id -u)" != 0 ] || [[ " $* " == *" --no-bpf "* ]]; then
	clock=sock_diag
fi
start power power-loss-busy --set client.net.ipv4.tcp_retries2=3 --family both --repeat 3 "$@"
start crash process-crash --family both "$@"
start reboot reboot-new-server --family both "$@"
start path path-loss --quick --family both "$@"
for name in power crash reboot path; do
	await $name
done

for name in power crash reboot path; do
	json $name "include \"record\" {search: \"$SOURCE/tests/host\"}; all(record)"
	# Tracepoints may have missed something (see src/trial/state.h): the record then says so.
	json $name "any(.clock == \"$clock\") and all(.clock == \"$clock\" or .clock == \"sock_diag\")"
	json $name "all(.lost == 0)"
	json $name 'map(.family) | unique == ["ipv4", "ipv6"]'
done

json power 'length == 6 and all(.verdict == "pass" and .settings["client.net.ipv4.tcp_retries2"] == 3)'
json power 'map(.endpoints.client) | all(.outcome == "timed-out" and .error == "ETIMEDOUT"
	and .mechanism == "retransmission" and .predicted_s != null)'
json power 'map(.endpoints.client.detection_s) | all(.kernel >= 6.1 and .kernel <= 7.2
	and .wire < .kernel)'
# The median of six trials counts, so that one trial that had to wait for a processor does not fail the test.
json power "include \"record\" {search: \"$SOURCE/tests/host\"};
	map(.endpoints.client.detection_s | .kernel - .application | fabs) | median < 0.005"
# Of the timeouts after the power loss each is twice the one before it; it is four or eight times as long where the
# tracepoints missed one or two between. Before it a machine that stands still for 0.2 s makes one expire too, which
# the acknowledgment then undoes. The last timeout is the only one without a segment.
# Only the tracepoints tell of timeouts.
json power 'map(select(.clock == "tracepoint") | .endpoints.client.retransmissions
		| map(select(.t_s > 0 and .reason == "rto" and .rto_s).rto_s))
	| all(length > 1 and ([., .[1:]] | transpose | map(select(.[1]) | .[1] / .[0] | log2)
		| all(. > 0.9 and (. - round | fabs) < 0.1)))'
json power 'map(.endpoints.server) | all(.outcome == null and .error == null and .mechanism == null
	and .predicted_s == null and .detection_s.kernel == null)'

json crash 'length == 2 and all(.verdict == "pass")'
json crash 'map(.endpoints.client) | all(.outcome == "closed" and .error == null
	and .mechanism == "fin-received" and .detection_s.kernel >= 0 and .detection_s.kernel < 0.05)'

json reboot 'length == 2 and all(.verdict == "pass")'
json reboot 'map(.endpoints.client) | all(.outcome == "reset" and .error == "ECONNRESET"
	and .mechanism == "rst-received" and (.resets | any(.direction == "received")))'

json path 'all(.verdict == "pass")'
# The errno tells in which way the path was lost. ICMPv6 has codes of its own, so that its errnos differ.
json path 'def errno($family; $variant): .[] | select(.family == $family and .variant == $variant)
		| .endpoints.client.error;
	errno("ipv4"; "silent-drop") == "ETIMEDOUT" and errno("ipv6"; "silent-drop") == "ETIMEDOUT"
	and errno("ipv4"; "unreachable") == "EHOSTUNREACH" and errno("ipv6"; "unreachable") == "ENETUNREACH"
	and errno("ipv4"; "prohibit") == "EHOSTUNREACH" and errno("ipv6"; "prohibit") == "EACCES"
	and errno("ipv4"; "far-link-down") == "ENETUNREACH"'
finish
