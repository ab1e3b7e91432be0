# SPDX-License-Identifier: GPL-2.0-or-later
# Trials of process-crash per second: 20 one after the other, and 200 of which deadpeer runs as many at once as it
# chooses. Each trial waits 200 ms for its fault, so the first rate tells how much time is lost beside that.
. "$(dirname "$0")/../host/lib.bash"
rate() {
	local name=$1 n=$2 start=$EPOCHREALTIME end
	shift 2
	start "$name" process-crash --quick --repeat "$n" "$@"
	await "$name"
	end=$EPOCHREALTIME
	json "$name" "length == $n and all(.verdict == \"pass\")"
	awk -v name="$name" -v n="$n" -v us="$((${end/./} - ${start/./}))" \
		'BEGIN { printf "%s: %.1f trials per second\n", name, n * 1e6 / us }'
}
rate one-by-one 20 --jobs 1
rate at-once 200
finish
