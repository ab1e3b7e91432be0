# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark tells how long 200 trials with programs take in guests, redis-cli and redis-server, each trial in a guest
# of its own: a first one, for which the guest boots and the programs start, one that is restored where they are ready,
# and 200 repetitions. The processor time of a trial does not depend on how busy the machine is, and memory is that of
# the largest process, of which as many run at once as there are processors.
. "$(dirname "$0")/lib.bash"
need redis-server redis-cli
find_guest
runs=1 n=200
[ "$quick" = 0 ] || n=2
cp -r "${XDG_CACHE_HOME:-$HOME/.cache}/deadpeer/kernels" "$tmp/" || skip "no kernel: deadpeer kernels fetch 6.12"
mkdir -p "$tmp/cache/deadpeer" && mv "$tmp/kernels" "$tmp/cache/deadpeer/"
export XDG_CACHE_HOME=$tmp/cache

rate() {
	measure "$DEADPEER" run redis/power-loss "${guest[@]}" --repeat "$2" --json
	cp "$tmp/out" "$tmp/$1.json"
	json "$1" "length == $2 and all(.verdict == \"pass\")"
	figure "programs.$1.rate" "$(calc "$2 / $wall")" trials/s "$1: trials a second"
	figure "programs.$1.yardsticks" "$(calc "$cpu / $2 / $yardstick")" yardsticks/trial \
		"$1: processor time a trial beside the yardstick"
	figure "programs.$1.memory" "$memory" MiB "$1: RSS of the largest process"
}
measure_yardstick
rate first 1
rate restored 1
rate many "$n"
figure programs.cache "$(du -sm "$XDG_CACHE_HOME" | cut -f1)" MiB "the cache after that"
finish
