# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the benchmarks. Each prints its figures twice: as a line to read, and as a line for scripts/bench, which is
# "bench", name, value and unit with tabs between them. With --quick, or BENCH_QUICK=1, a benchmark does as little as
# shows that it works, and its figures mean nothing. BENCH_RUNS says how often a figure is measured; it is the median.
#
# Where figures of two machines are to be compared, they are told beside the yardstick, a fixed piece of work
# (yardstick.c) that is measured in the same minute. Meson sets MEASURE and YARDSTICK, the paths of measure.c and
# yardstick.c as programs.
# shellcheck disable=SC2034 # Those who source this read what it sets.
. "$(dirname "${BASH_SOURCE[0]}")/../host/lib.bash"
: "${MEASURE:?}" "${YARDSTICK:?}"
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
need awk
[ "${1-}" != --quick ] || BENCH_QUICK=1
quick=${BENCH_QUICK:-0} runs=${BENCH_RUNS:-3}
[ "$quick" = 0 ] || runs=1

# calc EXPRESSION: what awk makes of it, in six digits.
calc() {
	awk "BEGIN { printf \"%.6g\", ($1) }"
}

# figure NAME VALUE UNIT WORD...: the words say what it is.
figure() {
	printf '%s: %s %s\n' "${*:4}" "$2" "$3"
	printf 'bench\t%s\t%s\t%s\n' "$1" "$2" "$3"
}

# median NUMBER...
median() {
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
		END { printf "%.6g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# measure COMMAND...: runs it as often as figures are measured, with its output in $tmp/out. Sets the medians `wall`
# and `cpu`, in seconds, and `memory`, in MiB: the most that one of its processes had in memory.
measure() {
	local turn a b c walls=() cpus=() memories=()
	for ((turn = 0; turn < runs; turn++)); do
		"$MEASURE" "$tmp/measured" "$@" >"$tmp/out" 2>"$tmp/err" || {
			fail "exit status $?: $*: $(tail -n 3 "$tmp/err")"
			finish
		}
		read -r a b c <"$tmp/measured"
		walls+=("$a") cpus+=("$b") memories+=("$c")
	done
	wall=$(median "${walls[@]}") cpu=$(median "${cpus[@]}") memory=$(median "${memories[@]}")
}

# Sets `yardstick`, the processor time of the fixed piece of work, in seconds.
measure_yardstick() {
	measure "$YARDSTICK"
	yardstick=$cpu
}

# Sets `guest`, the options for trials in virtual time: on Linux 6.12, where it is at hand, or else on the newest.
# BENCH_KERNEL names another.
find_guest() {
	local kernels kernel=${BENCH_KERNEL-}
	need qemu-system-x86_64
	kernels=$("$DEADPEER" kernels list 2>/dev/null | awk 'NR > 1 { print $1 }')
	[ -n "$kernels" ] || skip "no kernel: deadpeer kernels fetch 6.12"
	[ -n "$kernel" ] || kernel=$(grep -m 1 '^6\.12\.' <<<"$kernels" || head -n 1 <<<"$kernels")
	guest=(--engine qemu --kernel "$kernel")
	echo "guests: Linux $kernel, $(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([^ ]*\).*/QEMU \1/p')"
}
