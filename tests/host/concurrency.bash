# SPDX-License-Identifier: GPL-2.0-or-later
# 200 trials at once measure what few at a time measure: all pass, and the median is the same to 1 %. At HZ=250
# the kernel rounds the last timer, 3.3 s, up to whole 256 ms (kernel/time/timer.c, LVL_GRAN), so single times
# differ by up to 4 %. Trials that start together share their phase, so the few are eight batches of five, of
# which each starts an eighth of 256 ms later than the one before.
. "$(dirname "$0")/lib.bash"

busy=(power-loss-busy --set client.net.ipv4.tcp_retries2=3)
for i in 1 2 3 4 5 6 7 8; do
	start few$i "${busy[@]}" --repeat 5
	sleep 0.288
done
for i in 1 2 3 4 5 6 7 8; do
	await few$i
done
cat "$tmp"/few?.json >"$tmp/few.json"
start many "${busy[@]}" --repeat 200
await many
for name in few many; do
	json $name 'all(.verdict == "pass" and .lost == 0)'
	jq -cs --arg name "$name" '[.[].endpoints.client.detection_s.kernel] | sort | {name: $name,
		trials: length, first: .[0], median: .[length / 2 | floor], last: .[-1]}' "$tmp/$name.json" |
		tee "$tmp/$name.summary"
done
json many 'length == 200 and (map(.repeat) | unique | length) == 200'
jq -es '.[1].median / .[0].median | . > 0.99 and . < 1.01' "$tmp/few.summary" "$tmp/many.summary" ||
	fail "the medians differ by more than 1 %"
finish
