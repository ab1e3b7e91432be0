# SPDX-License-Identifier: GPL-2.0-or-later
# looks.bash LIBRARY VARIANT CALL...: a look at the kernel that fails is no answer. Whichever of the looks of a kind
# (LIBRARY's CALL, of `agents:CALL` those of the built-in programs, of `derived:CALL` without BPF) fails, once or from
# then on, the trial has the result that it has without the failure, or it is inconclusive and says why, or it ends
# with an error. Some kinds are asked again, so that one failure is made up for; the line of each kind below says so.
. "$(dirname "$0")/lib.bash"
library=$(realpath "$1")
variant=$2
shift 2
at_once=$((2 * $(nproc)))

# CALL, the errno of one failure, how many make one, the errno of those that do not end, whether one is made up for.
kinds='
recvmsg-diag       105 1 12 yes
sendto-diag        105 1 12 yes
recv-diag          12  1 12 yes
recvmsg-netlink    105 1 12 no
sendto-netlink     105 1 12 no
recv-control       12  1 12 yes
recvmmsg           12  1 12 yes
getsockopt-packet  12  1 12 yes
getsockopt         12  1 12 no
setsockopt         12  1 12 no
getsockname        12  1 12 no
socket             24  1 24 no
open               24  1 23 no
clock-real         22  3 22 no
derived:clock-real 22  3 22 no
clock-coarse       22  3 22 no
clock              22  3 22 no
clock_getres       22  1 22 yes
epoll_wait         4   1 12 yes
epoll_ctl          12  1 12 no
timerfd_settime    12  1 12 yes
wait               12  1 12 yes
pidfd_send_signal  1   1 1  yes
bpf                12  1 22 no
clone              11  1 11 no
agents:getsockopt  12  1 12 yes
agents:getsockname 12  1 12 yes
agents:send-control 12 1 12 yes
agents:recv-control 12 1 12 yes
agents:socket      24  1 24 no
agents:open        24  1 24 no
agents:clock       22  3 22 no
agents:epoll_wait  4   1 12 yes
agents:epoll_ctl   12  1 12 no
agents:ioctl       12  1 12 yes
'

# what FILE: the result of the run in FILE, without its times.
what() {
	jq -c '[.endpoints[] | .outcome, .mechanism, [.states[].to]]' "$1"
}

# run NAME CALL ERRNO FIRST COUNT: one run with these looks failing.
run() {
	local who=main call=$2 options=()
	case $call in
	agents:*) who=agents ;;
	derived:*) options=(--no-bpf) ;;
	esac
	: >"$tmp/$1.log"
	chmod 666 "$tmp/$1.log"
	timeout 60 "${as[@]}" env LD_PRELOAD="$library" LOOK_WHO=$who LOOK_CALL="${call#*:}" LOOK_ERRNO="$3" \
		LOOK_FIRST="$4" LOOK_COUNT="$5" LOOK_LOG="$tmp/$1.log" \
		"$DEADPEER" run "$SOURCE/tests/host/looks.yaml/$variant" "${options[@]}" --json >"$tmp/$1.json" 2>"$tmp/$1.err"
	echo $? >"$tmp/$1.status"
}

# judge NAME TEXT: what became of the run.
judge() {
	local status
	status=$(cat "$tmp/$1.status")
	[ -s "$tmp/$1.log" ] || return
	case $status in
	0) what "$tmp/$1.json" | cmp -s - "$tmp/right" || fail "$2: pass, with $(what "$tmp/$1.json")" ;;
	4) json "$1" 'all(.verdict == "inconclusive" and (.inconclusive | length > 0))' ;;
	2 | 3) [ "$(grep -c . "$tmp/$1.err")" = 1 ] || fail "$2: not one reason: $(cat "$tmp/$1.err")" ;;
	*) fail "$2: exit status $status: $(head -n 3 "$tmp/$1.err")" ;;
	esac
	verdicts[status]=$((${verdicts[status]-0} + 1))
	[ "$status" = 0 ] || [ "$3" = no ] || { [ "$status" = 4 ] && busy "$1"; } ||
		fail "$2: not made up for by another look: $(cat "$tmp/$1.err") $(jq -c .inconclusive "$tmp/$1.json")"
}

# busy NAME: the run is inconclusive for what the machine did.
busy() {
	jq -e '.inconclusive | any(contains("too busy for real time"))' "$tmp/$1.json" >/dev/null 2>&1
}

# each CALL ERRNO COUNT MADE_UP: each look is the first that fails once, up to the last one.
each() {
	local first n
	verdicts=()
	run count "$1" "$2" 1 0
	n=$(stat -c %s "$tmp/count.log")
	for ((first = 1; first <= n; first++)); do
		run "$first" "$1" "$2" "$first" "$3" &
		((first % at_once)) || wait
	done
	wait
	for ((first = 1; first <= n; first++)); do
		judge "$first" "$variant: $1 errno $2, $3 from $first on" "$4"
	done
	rm -f "$tmp"/[0-9]*.*
	[ "$n" -gt 0 ] || echo "$variant: $1: there is no such look"
	echo "$variant: $1 errno $2, $3 in a row: $n runs; by exit status:" "$(declare -p verdicts)" "${SECONDS}s"
}

for _ in 1 2 3; do
	"${as[@]}" "$DEADPEER" run "$SOURCE/tests/host/looks.yaml/$variant" --json >"$tmp/right.json" 2>"$tmp/right.err" &&
		break
done
json right 'all(.verdict == "pass")'
what "$tmp/right.json" >"$tmp/right"
for wanted; do
	read -r call once count ever made_up < <(grep "^$wanted " <<<"$kinds") || fail "$wanted: no such kind"
	each "$call" "$once" "$count" "$made_up"
	each "$call" "$ever" 1000000 no
done
finish
