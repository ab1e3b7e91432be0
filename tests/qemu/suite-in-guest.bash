# SPDX-License-Identifier: GPL-2.0-or-later
# suite-in-guest.bash TEST-INSIDE BUILD SUITE KERNEL [TEST...]: the tests of a suite, as Meson knows
# them, each in a guest of its own with that kernel; TAP. "scenarios" are those of the host suite that
# run a shipped scenario, and "host" is the rest of it. The tests, the programs that they call and what
# those link are taken from this machine. In a guest nothing is skipped but what excluded() says.
set -eu
umask 022
inside=$1 build=$2 suite=$3 kernel=$4
shift 4

# What makes no sense in a guest, or runs in the other kernel, as patterns of KERNEL and Meson's names.
# An ordinary user, or another family, on one more kernel would say little for its time.
excluded() {
	case "$kernel $1" in
	*' scenarios-complete') echo 'compares the build with the source tree; no kernel is asked' ;;
	'6.1 '*-rootless) echo 'runs in the other kernel' ;;
	'6.1 '*-ipv6 | '6.12 '*-ipv4) echo 'runs in the other kernel' ;;
	*) return 1 ;;
	esac
}

# What the tests and the scripts call. Whatever is missing here fails the tests that call it.
programs=(bash sh env ip tc ss nft nstat tcpdump ping jq unshare nsenter setpriv script timeout mount umount
	awk sed grep sort uniq head tail tr wc cut cat cp mv rm ln ls mkdir mktemp chmod stat id sleep seq
	date tee true false test printf echo kill pgrep ps setsid realpath readlink basename dirname find
	sysctl touch uname xargs dd yes diff cmp)
files=(/etc/passwd /etc/group /etc/nsswitch.conf /etc/protocols /etc/iproute2)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# put PATH: it and what it links, under the same paths.
put() {
	local path
	[ -e "$tree$1" ] && return
	mkdir -p "$tree${1%/*}"
	cp -rL "$1" "$tree$1"
	[ -x "$1" ] && [ -f "$1" ] || return 0
	# Symbols help nobody there, and a job has to fit.
	strip "$tree$1" 2>/dev/null || true
	ldd "$1" 2>/dev/null | sed -nE 's/.*[[:space:]](\/[^ ]+) \(0x.*/\1/p' | while read -r path; do
		put "$path"
	done
}

# The shell script that does as Meson would: NAME, from its list of tests. Without CAP_NET_ADMIN a packet
# socket has no more room than rmem_max, by default 208 KiB: too little for the 4 MiB of queues-sampled,
# which come at once in virtual time.
write_test() {
	jq -r --arg name "$1" --arg build "$build" '.[] | select(.name == $name)
		| "#!/bin/bash", "cd \($build | @sh)", "export TESTS_MUST_RUN=1 TESTS_NETEM=1 TESTS_IN_GUEST=1",
		"echo 4194304 >/proc/sys/net/core/rmem_max",
		(.env | to_entries[] | "export \(.key)=\(.value | @sh)"),
		"exec \(.cmd | @sh)"' "$build/meson-info/intro-tests.json" >"$tree/tests/$1"
	chmod 755 "$tree/tests/$1"
}

source=$(jq -r .directories.source "$build/meson-info/meson-info.json")
mapfile -t names < <(jq -r --arg suite "$suite" '.[]
	| (.suite[] | sub(".*:"; "")) as $its
	| (if $its == "host" and (.name | startswith("scenario-")) then "scenarios" else $its end) as $its
	| select($its == $suite) | .name' "$build/meson-info/intro-tests.json")
[ $# = 0 ] || names=("$@")
mkdir -p "$tree/tests" "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib"
ln -s usr/bin "$tree/bin"
ln -s usr/sbin "$tree/sbin"
for program in "${programs[@]}"; do
	put "$(PATH=/usr/sbin:/usr/bin type -P "$program")"
done
for file in "${files[@]}"; do
	[ -e "$file" ] && put "$file"
done
for file in "$build/src/deadpeer" "$build"/tests/{netns,host}/test-*; do
	[ -f "$file" ] && put "$file"
done
for file in scenarios completions tests/host tests/corpus; do
	put "$source/$file"
done
run=()
for name in "${names[@]}"; do
	if reason=$(excluded "$name"); then
		echo "# not run: $name: $reason"
		continue
	fi
	write_test "$name"
	run+=("tests/$name")
done
du -sh "$tree" | sed 's/^/# the tree: /'
"$inside" -k "$kernel" -m 1024 -j "$(nproc)" -t 600 "$tree" "${run[@]}"
