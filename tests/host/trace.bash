# SPDX-License-Identifier: GPL-2.0-or-later
# trace.bash FAMILY [OPTION...]: the test compares what `run --trace` says of packets with what tcpdump reads in
# the captures of the same trials: every packet of both ends, in order, word by word, and its time. The
# options are those of `deadpeer run` (--engine qemu --kernel 6.1).
. "$(dirname "$0")/lib.bash"
need tcpdump
family=$1
shift

mkdir -m 777 "$tmp/pcap" "$tmp/again"
scenarios=(power-loss-idle power-loss-busy process-crash linger-zero frozen-peer reboot-no-service
	path-loss cut-and-heal-busy)
"${as[@]}" "$DEADPEER" run "${scenarios[@]}" --quick --family "$family" --pcap "$tmp/pcap" --trace "$@" \
	--json >"$tmp/run.json" 2>"$tmp/run.err"
status=$? # On a busy machine a trial may fail or be inconclusive, and its packets can be compared nevertheless.
grep -q 'kernels fetch' "$tmp/run.err" && skip "$(cat "$tmp/run.err")"
[[ $status = [014] ]] || fail "exit status $status: $(head -n 5 "$tmp/run.err")"
json run 'length > 10 and all(.trace | length > 5)'

# The jq program writes each packet as tcpdump would at the end $node, without options. As in tcpdump, the numbers of
# a SYN are absolute.
cat >"$tmp/packets.jq" <<'JQ'
def line: "Flags [\(.flags)], "
	+ if .length > 0 then "seq \(.seq):\((.seq + .length) % 4294967296), "
	  elif .flags | test("[SFR]") then "seq \(.seq), " else "" end
	+ if .ack != null then "ack \(.ack), " else "" end
	+ "win \(.win), length \(.length)";
.trace[] | select(.kind == "packet")
	| select(.from == $node and .sent_s != null or .to == $node and .arrived_s != null)
	| if .from == $node then [.sent_s, ">"] else [.arrived_s, "<"] end + [line] | @tsv
JQ

# from_first: of lines "TIME DIRECTION LINE" makes the times count from the first packet, and sorts the lines by
# direction, because two packets of opposite directions may have the same microsecond.
from_first() {
	awk -F '\t' -v OFS='\t' '{ if (NR == 1) first = $1; printf "%.6f\t%s\t%s\n", $1 - first, $2, $3 }' |
		sort -s -t "$(printf '\t')" -k 2,2
}

# captured NODE FILE...: prints the packets in the captures of a host. What the host saw after a reboot is in another
# file, which is appended without its header of 24 bytes.
captured() {
	local out='>' back='<' first=$2
	[ "$1" = server ] && out='<' back='>'
	shift 2
	{
		cat "$first"
		for file; do
			[ -f "$file" ] && tail -c +25 "$file"
		done
	} | tcpdump -nn -tt -r - tcp 2>"$tmp/tcpdump.err" |
		sed -nE 's/^([0-9.]+) IP6? [^ ]+\.5000 > [^ ]+: (Flags .*)$/\1\t'$back'\t\2/
			s/^([0-9.]+) IP6? [^ ]+ > [^ ]+\.5000: (Flags .*)$/\1\t'$out'\t\2/
			s/, options \[[^]]*\]//; p' | from_first
}

# in_order FILE: prints the lines of FILE without their times. Lines that the trace has in the same microsecond are
# sorted by content, because one packet may have overtaken the other on another processor, and a record does not say
# which came first.
in_order() {
	awk -F '\t' -v OFS='\t' 'NR == FNR { n += $1 OFS $2 != last; last = $1 OFS $2; moment[FNR] = n; next }
		{ print FNR in moment ? moment[FNR] : n + FNR, $2, $3 }' "$tmp/traced" "$1" |
		sort -s -t "$(printf '\t')" -k 1,1n -k 2 | cut -f 2-
}

# In virtual time the same seed gives the same packets, to the random number. (Their times may be a
# microsecond or two apart on a busy machine, see HACKING.)
content() {
	tcpdump -nn -t -S -r - <"$1" 2>/dev/null | sed -E 's/TS val [0-9]+ ecr [0-9]+/TS/'
}
if [[ " $* " == *" qemu "* ]]; then
	"${as[@]}" "$DEADPEER" run "${scenarios[@]}" --quick --family "$family" --pcap "$tmp/again" --trace "$@" \
		--json >"$tmp/again.json" 2>>"$tmp/run.err"
	[ "$(ls "$tmp/pcap")" = "$(ls "$tmp/again")" ] || fail "the same seed gave other captures"
	for file in "$tmp/pcap"/*; do
		content "$file" >"$tmp/one"
		content "$tmp/again/${file##*/}" | diff "$tmp/one" - >"$tmp/diff" && continue
		fail "${file##*/}: the same seed gave other packets:"
		head -n 5 "$tmp/diff"
	done
	# A ladder that leaves nothing out has each packet of the record in one line.
	short=(process-crash power-loss-idle --quick --family "$family" "$@")
	"$DEADPEER" run "${short[@]}" --trace --json | jq -r 'def line: "Flags [\(.flags)], "
		+ if .length > 0 then "seq \(.seq):\(.seq + .length), "
		  elif .flags | test("[SFR]") then "seq \(.seq), " else "" end
		+ if .ack != null then "ack \(.ack), " else "" end + "win \(.win), length \(.length)";
		.trace[] | select(.kind == "packet") | line' >"$tmp/record"
	"$DEADPEER" run "${short[@]}" --trace | grep -o 'Flags .* length [0-9]*' >"$tmp/ladder"
	diff "$tmp/record" "$tmp/ladder" || fail "the ladder is not the record's"
	[ -s "$tmp/ladder" ] || fail "the ladder has no packets"
fi

compared=0
for ((i = 0; i < $(jq -s length "$tmp/run.json"); i++)); do
	jq -s ".[$i]" "$tmp/run.json" >"$tmp/one.json"
	title=$(jq -r '.scenario + if .variant then "-" + .variant else "" end' "$tmp/one.json")
	for node in client server; do
		jq -r --arg node $node -f "$tmp/packets.jq" "$tmp/one.json" |
			sort -s -g -k 1,1 | from_first >"$tmp/traced"
		file=$tmp/pcap/$title-$family-$node
		captured $node "$file.pcap" "$file-boot2.pcap" >"$tmp/all"
		# A record has no packets that come after the end of the trial.
		for way in '<' '>'; do
			awk -F '\t' -v way="$way" '$2 == way' "$tmp/all" |
				head -n "$(cut -f 2 "$tmp/traced" | grep -cxF "$way")"
		done >"$tmp/captured"
		n=$(wc -l <"$tmp/traced")
		[ "$n" -ge 3 ] || fail "$title $node: only $n packets"
		if ! diff <(in_order "$tmp/traced") <(in_order "$tmp/captured") >"$tmp/diff"; then
			fail "$title $node: trace (<) and capture (>) differ:"
			head -n 10 "$tmp/diff"
			continue
		fi
		paste "$tmp/traced" "$tmp/captured" | awk -F '\t' -v who="$title $node" '
			{ d = $1 - $4; if (d < 0) d = -d; if (d > worst) worst = d }
			END { if (worst > 0.002) { print "FAIL: " who ": times differ by " worst " s"; exit 1 } }' ||
			failed=$((failed + 1))
		compared=$((compared + n))
	done
done
echo "$compared packets compared"
[ "$compared" -gt 500 ] || fail "only $compared packets were compared"
finish
