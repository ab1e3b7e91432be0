# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark tells what trials in virtual time cost, all settings the kernel's defaults. "Many" are 200 in one run,
# half of them power-loss-idle, which waits for two hours, and half power-loss-busy. "One" is a whole command with
# one trial of power-loss-idle, "another" is one of power-loss-busy. A first run of each makes the snapshot, if there
# is none yet, and counts the guests' instructions; what is timed are the runs after it.
#
# Instructions do not depend on the machine, nor on how busy it is, and the same program has the same number each
# time. Those of many are all that the guests execute from their snapshots on, for each trial.
. "$(dirname "$0")/lib.bash"
find_guest
n=100
[ "$quick" = 0 ] || n=1

# count NAME TRIALS SCENARIO... [OPTION]: the first run.
count() {
	local name=$1 trials=$2 sum
	shift 2
	rm -f "$tmp/instructions"
	DEADPEER_INSTRUCTIONS=$tmp/instructions "$DEADPEER" run "$@" "${guest[@]}" --json >"$tmp/$name.json" 2>"$tmp/err" ||
		fail "$name: exit status $?: $(tail -n 3 "$tmp/err")"
	json "$name" "length == $trials and all(.verdict == \"pass\")"
	[ -s "$tmp/instructions" ] || return # a deadpeer that does not count
	sum=$(awk '{ sum += $1 } END { printf "%.0f", sum }' "$tmp/instructions")
	figure "guests.$name.instructions" "$(calc "$sum / $trials / 1e6")" "million/trial" \
		"$name: instructions that the guest executes"
}

# tell NAME: one trial, as a whole command.
tell() {
	figure "guests.$1.wall" "$wall" s "$1: how long the command takes"
	figure "guests.$1.cpu" "$cpu" s "$1: processor time of the command"
	figure "guests.$1.yardsticks" "$(calc "$cpu / $yardstick")" yardsticks "$1: processor time beside the yardstick"
}

measure_yardstick
figure guests.yardstick "$yardstick" s "yardstick: processor time of a fixed piece of work"

count many $((2 * n)) power-loss-idle power-loss-busy --repeat "$n"
measure "$DEADPEER" run power-loss-idle power-loss-busy --repeat "$n" "${guest[@]}" --json
figure guests.many.rate "$(calc "2 * $n / $wall")" trials/s "many: trials a second"
figure guests.many.rate-yardsticks "$(calc "2 * $n / $wall * $yardstick")" trials/yardstick \
	"many: trials in the time of a yardstick, on $(nproc) processors"
figure guests.many.cpu "$(calc "$cpu / (2 * $n) * 1e3")" ms/trial "many: processor time a trial"
figure guests.many.yardsticks "$(calc "$cpu / (2 * $n) / $yardstick")" yardsticks/trial \
	"many: processor time a trial beside the yardstick"
figure guests.many.memory "$memory" MiB "many: RSS of the largest process, of which the guests' snapshot is shared"

count one 1 power-loss-idle
measure "$DEADPEER" run power-loss-idle "${guest[@]}"
tell one
count another 1 power-loss-busy
measure "$DEADPEER" run power-loss-busy "${guest[@]}"
tell another
finish
