# SPDX-License-Identifier: GPL-2.0-or-later
# fidelity.bash KERNEL...: virtual time does not distort what is measured. Short timers take the same time on
# this machine's kernel in real time as on each guest's kernel in virtual time; a trial takes the same time
# alone in a guest as among many; and a trial whose events come late fails.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
for kernel; do
	"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"
done

# The latest that timers of so many seconds, one after the other, may be in all: each is rounded up to
# the granule of its level of the wheel (kernel/time/timer.c: LVL_START, LVL_GRAN, calc_index()).
# HZ is 250 in Debian's kernels; this machine's must be too.
granules() {
	printf '%s\n' "$@" | awk '{
		ticks = $1 * 250
		for (level = 0; ticks >= 63 * 8 ^ level; level++)
			;
		sum += 8 ^ level
	} END { print sum / 250 }'
}
[ "$(granules 0.2 75 7200)" = 133.124 ] || fail "granules: $(granules 0.2 75 7200)"

# NAME, the mechanism of each detection, the timers that the detection is made of, arguments.
cases=(
	'keepalive|keepalive|2 1 1 1|power-loss-idle --quick'
	'retransmission|retransmission|.2 .4 .8 1.6 3.2|power-loss-busy --set client.net.ipv4.tcp_retries2=3'
	'user-timeout|user-timeout|.2 .4 .8 1|power-loss-busy --set client.user_timeout=2s'
	'retries-0|retransmission|.2 .4|power-loss-busy --set client.net.ipv4.tcp_retries2=0'
	'retries-2|retransmission|.2 .4 .8 1.6|power-loss-busy --set client.net.ipv4.tcp_retries2=2'
)
# A tick that is under way when a timer is armed, and what a detection's own work takes.
slack=0.012

# detections NAME MECHANISM: the detections of NAME, sorted, without what a busy machine adds. Keepalive counts
# from when the connection was established, however late the fault struck. Retransmission timeouts grow with
# the RTT, so trials whose first timeout was longer than TCP_RTO_MIN and a few ticks have other timers, and are
# left out.
detections() {
	jq -cs --arg mechanism "$2" 'map(.endpoints.client | select($mechanism == "keepalive" or
			([.retransmissions[] | select(.reason == "rto" and .rto_s) | .rto_s][0] // 0.204) < 0.209)
		| .detection_s.kernel - if $mechanism == "keepalive" then
			[.states[] | select(.to == "ESTABLISHED") | .t_s][0] else 0 end) | sort' "$tmp/$1.json"
}

# compare NAME CLOCK MECHANISM TIMERS: each detection in a guest beside the earliest of this machine. A timer is
# never early, but on this machine a process that has to close a socket before sock_diag tells of it may be late.
compare() {
	local host guest bound
	# shellcheck disable=SC2086 # numbers
	bound=$(awk -v granules="$(granules $4)" -v slack=$slack 'BEGIN { print granules + slack }')
	host=$(detections "$1-$2-host" "$3")
	guest=$(detections "$1-$2-qemu" "$3")
	echo "$kernel: $1, $2: within $bound s: host $host, qemu $guest"
	jq -en --argjson host "$host" --argjson guest "$guest" --argjson bound "$bound" '
		($host | length > 0) and ($guest | length == 8) and
		($host[0] as $h | all($guest[]; . - $h | fabs < $bound))' >/dev/null ||
		fail "$kernel: $1, $2: apart by more than $bound s"
	json "$1-$2-qemu" "map(.endpoints.client.mechanism) | all(. == \"$3\")"
	json "$1-$2-host" "map(.endpoints.client.mechanism) | all(. == \"$3\")"
	json "$1-$2-qemu" 'all(.lost == 0 and .lateness_s < 0.004)'
}

# each ENGINE CLOCK: runs all cases, on this machine all at once. What the scenarios themselves expect is judged
# elsewhere: here the arguments change their timers.
each() {
	local case name mechanism timers arguments option=()
	[ "$2" = bpf ] || option=(--no-bpf)
	for case in "${cases[@]}"; do
		IFS='|' read -r name mechanism timers arguments <<<"$case"
		# shellcheck disable=SC2086 # words
		start "$name-$2-${1%% *}" $arguments --repeat 8 "${option[@]}" --engine $1
		[ "$1" = host ] || wait "${started[$name-$2-qemu]}"
	done
	[ "$1" != host ] || wait
}

# short_timers: on this machine and in guests of $kernel.
short_timers() {
	local clock case name mechanism timers arguments
	for clock in bpf no-bpf; do
		each "qemu --kernel $kernel" $clock
		for case in "${cases[@]}"; do
			IFS='|' read -r name mechanism timers arguments <<<"$case"
			compare "$name" $clock "$mechanism" "$timers"
		done
	done
}

# crowds: a repeat has its phase, so the same repeat takes the same time, within a tick, alone in a guest, among 20
# and among 100, and another tick for what a hundred timers take that share a bucket of the wheel.
cores=$(nproc)
crowds() {
	local scenario n apart
	for scenario in power-loss-idle power-loss-busy; do
		for n in 1 20 100; do
			start "$scenario-$n" "$scenario" --repeat $((n * cores)) --engine qemu --kernel "$kernel"
			await "$scenario-$n"
			json "$scenario-$n" "length == $((n * cores)) and all(.verdict == \"pass\")"
		done
		apart=$(cat "$tmp/$scenario"-{1,20,100}.json | jq -s 'group_by(.repeat) | map(select(length > 1)
			| map(.endpoints.client.detection_s.kernel) | max - min) | max')
		awk -v apart="$apart" 'BEGIN { exit !(apart < 0.008) }' ||
			fail "$kernel: $scenario: alone, among 20 and among 100 in a guest: $apart s apart"
		echo "$kernel: $scenario: 1, 20 and 100 in a guest: at most $apart s apart"
	done
}

# A guest that cannot keep up is not believed: nobody changes a qdisc a hundred times within a tick.
late_guest() {
	local status i
	{
		sed '/^timeline:/,$d; s/^id:.*/id: X01/; s/^name:.*/name: late/' \
			"$SOURCE/scenarios/3-a-host-loses-power/power-loss-idle.yaml"
		echo 'timeline:'
		for ((i = 0; i < 100; i++)); do
			echo "  - {at: 1s, fault: netem, delay: $((i + 1))ms}"
		done
		echo '  - {at: 2s, fault: power-loss, node: server}'
		echo 'horizon: 3h'
	} >"$tmp/late.yaml"
	"$DEADPEER" run "$tmp/late.yaml" --engine qemu --kernel "$kernel" --json >"$tmp/late.json" 2>"$tmp/late.err"
	status=$?
	[ $status = 1 ] || fail "$kernel: a late guest: exit status $status: $(cat "$tmp/late.err")"
	json late 'length == 1 and .[0].verdict == "fail" and .[0].lateness_s > 0.004
		and any(.[0].failures[]; contains("timers within a tick"))'
}

# Real time first, and by itself: guests keep every processor busy.
each host bpf
each host no-bpf
for kernel; do
	short_timers
	crowds
	late_guest
done
finish
