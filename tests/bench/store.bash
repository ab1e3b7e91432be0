# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark tells how many bytes a store takes for a trial: studies of power-loss-idle and power-loss-busy in virtual
# time, one of which has twice as many trials. What one more trial takes is the difference, without what each store
# has once.
. "$(dirname "$0")/lib.bash"
find_guest
n=50
[ "$quick" = 0 ] || n=1

# sweep REPEATS: sets `size`, in bytes.
sweep() {
	printf '%s\n' "name: bench" "summary: Trials for a store" "scenarios: [power-loss-idle, power-loss-busy]" \
		"repeats: $1" >"$tmp/bench.yaml"
	"$DEADPEER" sweep "$tmp/bench.yaml" "${guest[@]}" --db "$tmp/$1.db" >"$tmp/out" 2>&1 ||
		fail "sweep: exit status $?: $(tail -n 3 "$tmp/out")"
	size=$(stat -c %s "$tmp/$1.db") || finish
}
sweep "$n"
small=$size
sweep $((2 * n))
figure store.small "$(calc "$small / (2 * $n)")" bytes/trial "a store of $((2 * n)) trials"
figure store.large "$(calc "$size / (4 * $n)")" bytes/trial "a store of $((4 * n)) trials"
figure store.more "$(calc "($size - $small) / (2 * $n)")" bytes/trial "each trial more"
finish
