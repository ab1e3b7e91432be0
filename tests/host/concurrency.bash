# SPDX-License-Identifier: GPL-2.0-or-later
# 200 trials at once say what few at a time say: all verdicts hold, and the median is the same to 1 %.
# The few are 40, ten at a time: the kernel's timer wheel spreads single times over 4 %, so that the
# median of a handful would not be known to 1 % by itself.
. "$(dirname "$0")/lib.bash"

busy=(power-loss-busy --set client.net.ipv4.tcp_retries2=3)
for i in 1 2 3 4; do
	start few$i "${busy[@]}" --repeat 10
	sleep 1
done
for i in 1 2 3 4; do
	await few$i
done
cat "$tmp"/few?.json >"$tmp/few.json"
start many "${busy[@]}" --repeat 200
await many
for name in few many; do
	json $name 'all(.verdict == "pass" and .lost == 0)'
	jq -s --arg name "$name" '[.[].endpoints.client.detection_s.kernel] | sort | {name: $name,
		trials: length, first: .[0], median: .[length / 2 | floor], last: .[-1]}' "$tmp/$name.json" |
		tee "$tmp/$name.summary"
done
json many 'length == 200 and (map(.repeat) | unique | length) == 200'
jq -es '.[1].median / .[0].median | . > 0.99 and . < 1.01' "$tmp/few.summary" "$tmp/many.summary" ||
	fail "the medians differ by more than 1 %"
finish
