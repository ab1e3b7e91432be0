# SPDX-License-Identifier: GPL-2.0-or-later
# expectations.bash KERNEL: what is measured does not depend on what is expected. Each scenario runs without
# expectations, with some that hold and with some that do not, and the records differ in verdict and failures.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
kernel=$1
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"

# scenario NAME, with the file but for its expectations on standard input.
scenario() {
	{
		printf '%s\n' "name: $1" 'summary: What is measured'
		cat
	} >"$tmp/$1.base"
	names+=("$1")
}

# expect SET NAME TEXT
expect() {
	mkdir -p "$tmp/$1"
	{
		cat "$tmp/$2.base"
		[ -z "$3" ] || echo "expect: $3"
	} >"$tmp/$1/$2.yaml"
}

names=()
scenario power-loss <<-END
	client: {workload: idle}
	server: {workload: echo, keepalive: {enabled: true, idle: 1s, interval: 1s, count: 2}}
	timeline: [{at: 1s, fault: power-loss, node: client}]
	horizon: 10s
END
scenario undetected <<-END
	client: {workload: idle}
	server: {workload: echo}
	timeline: [{at: 1s, fault: power-loss, node: client}]
	horizon: 10s
END
scenario heartbeat <<-END
	client: {workload: heartbeat, interval: 5s, misses: 3, size: 16}
	server: {workload: echo}
	timeline: [{at: 2500ms, fault: blackhole}]
	horizon: 10min
END
scenario time-wait <<-END
	client: {workload: idle}
	server: {workload: sink}
	sample: 10s
	timeline: [{at: 1s, action: close, node: client}]
	horizon: 5min
END
scenario healed <<-END
	client: {workload: idle}
	server: {workload: echo}
	timeline: [{at: 1s, fault: blackhole}, {at: 3s, heal: blackhole}]
	horizon: 1min
END
for name in "${names[@]}"; do
	expect nothing "$name" ''
done
expect holds power-loss '{server: {outcome: timed-out, mechanism: keepalive}}'
expect fails power-loss '{server: {outcome: undetected, gone: never}}'
expect holds undetected '{server: {outcome: undetected, gone: never}}'
expect fails undetected '{server: {outcome: timed-out}, client: {calls: [read 0]}}'
expect holds heartbeat '{client: {outcome: abandoned, gone: {after: 1min}}}'
expect fails heartbeat '{server: {outcome: closed}}'
expect holds time-wait '{client: {states: [FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE], samples: [{at: 30s, state: TIME_WAIT}]}}'
expect fails time-wait '{server: {outcome: survived}}'
expect holds healed '{client: {outcome: survived}, server: {outcome: survived}}'
expect fails healed '{client: {outcome: closed, gone: {before: 1s}}}'

for set in nothing holds fails; do
	(cd "$tmp/$set" && timeout 300 "$DEADPEER" run ./*.yaml --engine qemu --kernel "$kernel" --family both --json) \
		>"$tmp/$set.json" 2>"$tmp/$set.err"
	jq -c 'del(.verdict, .failures)' "$tmp/$set.json" >"$tmp/$set.measured"
done
json nothing 'length == 10 and all(.verdict == "pass")'
json holds 'all(.verdict == "pass")'
json fails 'all(.verdict == "fail")'
for set in holds fails; do
	cmp "$tmp/nothing.measured" "$tmp/$set.measured" || fail "$set: other records than without expectations"
done

# Each end on a host that lives is measured, and nothing was sent that the scenario does not say.
json nothing 'map(select(.scenario == "power-loss").endpoints.server) | all(.mechanism == "keepalive" and .detection_s.kernel > 2)'
json nothing 'map(select(.scenario == "undetected")) | all(.endpoints.server.outcome == "undetected" and .span_s > 9.9)'
json nothing 'map(select(.scenario == "heartbeat").endpoints) | all(.client.outcome == "abandoned"
	and .client.detection_s.application < 18 and .client.gone_s > 60 and .server.outcome == "undetected")'
json nothing 'map(select(.scenario == "healed").endpoints[]) | all(.outcome == "survived" and .bytes.read == 0 and .bytes.written == 0)'
finish
