# SPDX-License-Identifier: GPL-2.0-or-later
# suite-in-guest.bash TEST-INSIDE BUILD SUITE[,SUITE...] KERNEL [TEST...]: runs the tests of Meson's suites,
# each in a guest of its own with that kernel, and writes TAP. The suite "rootless" has all tests that run as an
# ordinary user, "scenarios" has those of the rest of Meson's suite "host" that run a shipped scenario, and
# "host" has the others of it. The guests get the tests, the programs
# that these call, and what those link, from this machine. In a guest no test is skipped but those of excluded(), which
# run if they are named.
set -eu
umask 022
inside=$1 build=$2 suites=$3 kernel=$4
shift 4

# excluded TEST: prints why a test does not run in guests of $kernel, or fails if the test does run.
excluded() {
	case "$kernel $1" in
	*' scenarios-complete') echo 'compares the build with the source tree; no kernel is asked' ;;
	*' trace-ipv'*) echo 'the test trace-6.1 or trace-6.12 runs the same trials on the same kernel' ;;
	# Another family on one more kernel would say little for its time.
	*' cli') echo 'asks the kernel for little, and takes minutes in a guest' ;;
	*' concurrency') echo 'a guest of the engine qemu always has many trials at once' ;;
	*' hosts' | *' confined') echo 'the test hosts-6.12 or confined-6.12 runs the same on the same kernel' ;;
	*' looks-'*) echo 'makes calls of deadpeer fail, whatever the kernel; takes minutes in a guest' ;;
	'6.1 '*-ipv6 | '6.12 '*-ipv4) echo 'runs in the other kernel' ;;
	*) return 1 ;;
	esac
}

# The guests have these programs and files, which the tests and the scripts use. A test that calls a program that is
# missing here fails.
programs=(bash sh env ip tc ss nft nstat tcpdump ping jq unshare nsenter setpriv script timeout mount umount
	awk sed grep sort uniq head tail tr wc cut cat cp mv rm ln ls mkdir mktemp chmod stat id sleep seq
	date tee true false test printf echo kill pgrep ps setsid realpath readlink basename dirname find nproc
	sysctl touch uname xargs dd yes diff cmp)
files=(/etc/passwd /etc/group /etc/nsswitch.conf /etc/protocols /etc/iproute2)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# put PATH...: copies each path into the tree, under the same path, unless the tree has it already.
put() {
	local path
	for path; do
		[ -e "$tree$path" ] && continue
		mkdir -p "$tree${path%/*}"
		cp -rL "$path" "$tree$path"
	done
}

# scripts TEST...: prints NAME and SCRIPT of each test, each with a zero byte behind it. SCRIPT runs the test as Meson
# does. Without
# CAP_NET_ADMIN a packet socket has no more room than rmem_max, by default 208 KiB: too little for the 4 MiB of
# queues-sampled, which come at once in virtual time.
scripts() {
	jq -j --arg build "$build" '.[] | select(.name | IN($ARGS.positional[])) | .name, "\u0000", ([
		"#!/bin/bash", "cd \($build | @sh)", "export TESTS_MUST_RUN=1 TESTS_NETEM=1 TESTS_IN_GUEST=1",
		"echo 4194304 >/proc/sys/net/core/rmem_max",
		(.env | to_entries[] | "export \(.key)=\(.value | @sh)"),
		"exec \(.cmd | @sh)"] | map(. + "\n") | add), "\u0000"' \
		"$build/meson-info/intro-tests.json" --args "$@"
}

source=$(jq -r .directories.source "$build/meson-info/meson-info.json")
# The tests run in the order of the suites. The short scenarios come last, so that no processor waits long for the
# last guest.
mapfile -t names < <(jq -r --arg suites "$suites" '($suites / ",")[] as $suite | .[]
	| (.suite[] | sub(".*:"; "")) as $its
	| (if .name | endswith("-rootless") then "rootless"
		elif $its == "host" and (.name | startswith("scenario-")) then "scenarios" else $its end) as $its
	| select($its == $suite) | .name' "$build/meson-info/intro-tests.json")
[ $# = 0 ] || names=("$@")
mkdir -p "$tree/tests" "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib"
ln -s usr/bin "$tree/bin"
ln -s usr/sbin "$tree/sbin"
# What was built for the tests, and is named on a test's command line or tested by itself, comes along.
executables=("$build/src/deadpeer" "$build"/tests/{netns,host}/test-* "$build"/tests/host/{program,*.so})
for program in "${programs[@]}"; do
	executables+=("$(PATH=/usr/sbin:/usr/bin type -P "$program")")
done
for i in "${!executables[@]}"; do
	[ -f "${executables[i]}" ] || unset "executables[i]"
done
put "${executables[@]}"
mapfile -t libraries < <(ldd "${executables[@]}" 2>/dev/null | sed -nE 's/.*[[:space:]](\/[^ ]+) \(0x.*/\1/p' | sort -u)
put "${libraries[@]}"
# The symbols are removed, so that the job fits into a guest. strip skips scripts.
strip "${executables[@]/#/$tree}" "${libraries[@]/#/$tree}" 2>/dev/null || true
for file in "${files[@]}"; do
	[ -e "$file" ] && put "$file"
done
put "$source"/{scenarios,completions,doc,tests/host,tests/corpus}
wanted=()
for name in "${names[@]}"; do
	if [ $# = 0 ] && reason=$(excluded "$name"); then
		echo "# not run: $name: $reason"
	else
		wanted+=("$name")
	fi
done
while IFS= read -r -d '' name && IFS= read -r -d '' text; do
	printf '%s' "$text" >"$tree/tests/$name"
done < <(scripts "${wanted[@]}")
chmod 755 "$tree"/tests/*
du -sh "$tree" | sed 's/^/# the tree: /'
"$inside" -k "$kernel" -m 1024 -j "$(nproc)" -t 600 "$tree" "${wanted[@]/#/tests/}"
