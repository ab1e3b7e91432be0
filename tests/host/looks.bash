# SPDX-License-Identifier: GPL-2.0-or-later
# looks.bash LIBRARY: a look at the kernel that fails is no answer. Whichever of the looks fails, the trial has
# the result that it has without the failure, or it is inconclusive and says why, or it ends with an error.
. "$(dirname "$0")/lib.bash"
library=$(realpath "$1")

# what FILE: the result of the run in FILE, without its times.
what() {
	jq -c '[.endpoints[] | .outcome, .mechanism, [.states[].to]]' "$1"
}

"${as[@]}" "$DEADPEER" run process-crash --quick --json >"$tmp/right.json" || fail "without failures: exit status $?"
what "$tmp/right.json" >"$tmp/right"

# look CALL ERRNO FIRST COUNT: one run; false when there are not that many looks.
look() {
	local status
	: >"$tmp/log"
	chmod 666 "$tmp/log"
	timeout 60 "${as[@]}" env LD_PRELOAD="$library" LOOK_CALL="$1" LOOK_ERRNO="$2" LOOK_FIRST="$3" LOOK_COUNT="$4" \
		LOOK_LOG="$tmp/log" "$DEADPEER" run process-crash --quick --json >"$tmp/look.json" 2>"$tmp/look.err"
	status=$?
	[ -s "$tmp/log" ] || return
	verdicts[status]=$((${verdicts[status]-0} + 1))
	case $status in
	0) what "$tmp/look.json" | cmp -s - "$tmp/right" || fail "$*: pass, with $(what "$tmp/look.json")" ;;
	4) json look 'all(.verdict == "inconclusive" and (.inconclusive | length > 0))' ;;
	3) [ -s "$tmp/look.err" ] || fail "$*: no reason" ;;
	*) flake "$tmp/look.json" late missed-event || fail "$*: exit status $status: $(cat "$tmp/look.err")" ;;
	esac
}

# every CALL ERRNO COUNT: each look is the first to fail once, up to the last one.
every() {
	local first
	verdicts=()
	for ((first = 1; first <= 60; first++)); do
		look "$1" "$2" "$first" "$3" || break
	done
	[ "$first" -gt 1 ] || fail "$1: there was no look"
	echo "$1 errno $2, $3 in a row: $((first - 1)) runs; by exit status:" "$(declare -p verdicts)"
}

for call in recvmsg sendto; do
	every $call 105 1 # ENOBUFS
	[ -z "${verdicts[4]-}" ] || fail "$call: one failure is not made up for by another look"
	every $call 12 100000 # ENOMEM
	[ -n "${verdicts[4]-}" ] || fail "$call: no run was inconclusive"
done
every recv 105 1
every recv 12 100000
every socket 24 1 # EMFILE
every clock 22 3 # EINVAL
[ -n "${verdicts[4]-}" ] || fail "clock: no run was inconclusive"

# A refused pidfd_send_signal() is made up for by kill().
look pidfd_send_signal 1 1 100000 || fail "pidfd_send_signal: there was no call"
[ "$(cat "$tmp/look.err")" = "" ] || fail "pidfd_send_signal: $(cat "$tmp/look.err")"
finish
