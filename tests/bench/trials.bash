# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark tells how many trials of process-crash deadpeer runs per second in real time: 20 trials one after the
# other, and 200 of which deadpeer runs as many at once as it chooses. Each trial waits 200 ms for its fault, and looks
# for 300 ms at what comes of it, so the first rate would be 2 if no time were lost beside that.
. "$(dirname "$0")/lib.bash"
measure_yardstick
rate() {
	local name=$1 n=$2
	shift 2
	measure "$DEADPEER" run process-crash --quick --horizon 300ms --repeat "$n" --json "$@"
	cp "$tmp/out" "$tmp/$name.json"
	json "$name" "length == $n and all(.verdict == \"pass\")"
	figure "trials.$name.rate" "$(calc "$n / $wall")" trials/s "$name: trials a second in real time"
	figure "trials.$name.yardsticks" "$(calc "$cpu / $n / $yardstick")" yardsticks/trial \
		"$name: processor time a trial beside the yardstick"
}
if [ "$quick" = 0 ]; then
	rate one-by-one 20 --jobs 1
	rate at-once 200
else
	rate one-by-one 2 --jobs 1
fi
finish
