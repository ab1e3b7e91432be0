# SPDX-License-Identifier: GPL-2.0-or-later
# determinism.bash KERNEL RUNS LOOPS: the test shows that the same scenario, kernel and seed give the same bytes in RUNS
# runs on a machine that LOOPS keep busy for each processor, and once more without a snapshot, and that another seed
# gives other bytes. Runs whose instructions are counted, for the benchmarks, give the same bytes, and the same count.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
kernel=$1 runs=$2 loops=$3
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"

# The guests of these scenarios wake up most often, and at a wake-up QEMU's threads may get into each other's way.
scenarios=(power-loss-busy-rtt path-loss cut-and-heal-busy)
record() {
	timeout 300 "$DEADPEER" run "${scenarios[@]}" --engine qemu --kernel "$kernel" --json "${@:2}" \
		>"$tmp/$1" || fail "run $*: exit status $?"
}

busy=()
for ((i = 0; i < loops * $(nproc); i++)); do
	(while :; do :; done) &
	busy+=($!)
done
trap 'kill "${busy[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT
record first
for ((run = 2; run <= runs; run++)); do
	record again
	cmp "$tmp/first" "$tmp/again" || fail "run $run: other bytes"
done
DEADPEER_INSTRUCTIONS=$tmp/count-restored record counted
cmp "$tmp/first" "$tmp/counted" || fail "counted, other bytes"
DEADPEER_INSTRUCTIONS=$tmp/count-booted record booted --no-snapshot
cmp "$tmp/first" "$tmp/booted" || fail "without a snapshot, other bytes"
sort -o "$tmp/count-restored" "$tmp/count-restored" && sort "$tmp/count-booted" | cmp "$tmp/count-restored" - ||
	fail "other numbers of instructions"
record other --seed 2
cmp -s "$tmp/first" "$tmp/other" && fail "the seed changes nothing"
finish
