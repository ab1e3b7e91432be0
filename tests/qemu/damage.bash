# SPDX-License-Identifier: GPL-2.0-or-later
# damage.bash KERNEL: the test shows that deadpeer notices damage in the cache, and makes the damaged file again or
# names the remedy in one line. The same holds for whatever the qemu engine lacks. The test has a cache of its own,
# with a copy of a kernel.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
series=$1
folder=$("$DEADPEER" kernels list --json | jq -r --arg series "$series" \
	'select(.origin == "fetched" and (.kernel | startswith($series + "."))) | .image | rtrimstr("/vmlinuz")')
[ -d "$folder" ] || skip "no kernel $series: deadpeer kernels fetch $series"
release=${folder##*/}
export XDG_CACHE_HOME=$tmp/cache
cache=$tmp/cache/deadpeer
mkdir -p "$cache/kernels"
cp -r "$folder" "$cache/kernels"

run() {
	timeout 120 "$DEADPEER" run power-loss-idle --engine qemu "$@" --json >"$tmp/out" 2>"$tmp/err"
	status=$?
}

passes() { # passes WHAT [ARGUMENT...]: fails unless the run passes with the first run's result
	local what=$1
	shift
	run --kernel "$release" "$@"
	[ "$status" = 0 ] || fail "$what: exit status $status: $(cat "$tmp/err")"
	jq -c '[.verdict, .endpoints.client.outcome, (.endpoints.client.detection_s.kernel | floor)]' "$tmp/out" >"$tmp/now"
	[ -e "$tmp/first" ] || cp "$tmp/now" "$tmp/first"
	cmp -s "$tmp/first" "$tmp/now" || fail "$what: $(cat "$tmp/now"), not $(cat "$tmp/first")"
}

says() { # says WHAT STATUS TEXT...: fails unless the error is one line with each TEXT
	local what=$1 text
	[ "$status" = "$2" ] || fail "$what: exit status $status, not $2: $(cat "$tmp/err")"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$what: not one line: $(cat "$tmp/err")"
	for text in "${@:3}"; do
		grep -qF -- "$text" "$tmp/err" || fail "$what: no '$text' in: $(cat "$tmp/err")"
	done
}

# scribble FILE...: overwrites bytes in the middle of each file.
scribble() {
	local file
	for file; do
		printf 'damaged damaged damaged' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
	done
}

passes first
for kind in vmlinux cpio; do
	scribble "$cache"/images/*.$kind
	passes "scribbled $kind" --no-snapshot
	truncate -s 100000 "$cache"/images/*.$kind
	passes "truncated $kind" --no-snapshot
	: >"$(echo "$cache"/images/*.$kind.stamp)"
	passes "empty stamp of $kind"
	rm "$cache"/images/*.$kind
	passes "no $kind"
done
scribble "$cache"/snapshots/*/device
passes 'scribbled snapshot'
truncate -s 1M "$cache"/snapshots/*/memory
passes 'truncated snapshot'

# A signal during the making of a snapshot removes the unfinished snapshot.
rm -rf "$cache"/snapshots
"$DEADPEER" run power-loss-idle --engine qemu --kernel "$release" >"$tmp/out" 2>"$tmp/err" &
for _ in {1..300}; do
	compgen -G "$cache/snapshots/*.tmp/memory" >/dev/null && break
	sleep 0.1
done
kill -TERM $! && wait $!
status=$?
says 'interrupted' 130 interrupted
compgen -G "$cache/snapshots/*.tmp" && fail 'an interrupted snapshot stays'

# If the machine's copy of a kernel is damaged, the error names the remedy, and the remedy works.
spoil() { # spoil WHAT COMMAND...: runs COMMAND in the kernel's folder, and deadpeer must notice
	local what=$1
	shift
	rm -rf "$cache/images" "$cache/kernels/$release"
	cp -r "$folder" "$cache/kernels"
	(cd "$cache/kernels/$release" && "$@")
	run --kernel "$release"
	says "$what" 3 "$cache/kernels/$release is damaged" "deadpeer kernels fetch $release"
}
spoil 'truncated vmlinuz' truncate -s 1M vmlinuz
spoil 'empty vmlinuz' truncate -s 0 vmlinuz
spoil 'scribbled vmlinuz' scribble vmlinuz
spoil 'no modules' rm -r modules
spoil 'a module less' find modules -name 'sch_netem.ko*' -delete
spoil 'half a module' find modules -name 'veth.ko*' -exec truncate -s 1000 {} +
spoil 'no manifest' rm manifest
rm -rf "${cache:?}/kernels/$release/vmlinuz"
run --kernel "$release"
says 'no vmlinuz' 3 'no kernel at hand' "deadpeer kernels fetch $release"
rm -rf "${cache:?}/kernels/$release"
cp -r "$folder" "$cache/kernels"

# An error names a program that is missing.
mkdir "$tmp/few"
ln -s "$(command -v timeout)" "$tmp/few"
PATH=$tmp/few run --kernel "$release"
says 'no QEMU' 3 'qemu-system-x86_64 not found' "Debian's package qemu-system-x86"
PATH=$tmp/few timeout 60 "$DEADPEER" kernels fetch 6.7 >"$tmp/out" 2>"$tmp/err"
status=$?
says 'no apt' 3 'apt-get not found' 'deadpeer kernels add'

# A file that is no kernel is refused by its path, and a kernel runs by its path.
echo 'no kernel' >"$tmp/text"
head -c 3000000 "$folder/vmlinuz" >"$tmp/half"
mkfifo "$tmp/fifo"
for kernel in "$tmp/text" "$tmp" /bin/sh /dev/null "$tmp/none" "$tmp/fifo"; do
	run --kernel "$kernel" --modules "$folder/modules"
	says "--kernel $kernel" 2 "$kernel"
done
run --kernel "$tmp/half" --modules "$folder/modules"
says 'half a kernel by its path' 2 "$tmp/half" 'damaged or truncated'
run --kernel "$folder/vmlinuz" --modules "$tmp/none"
says 'no folder of modules' 2 "$tmp/none" 'not a folder'
mkdir "$tmp/empty"
run --kernel "$folder/vmlinuz" --modules "$tmp/empty"
says 'an empty folder of modules' 2 'veth' "$tmp/empty"
run --kernel "$release" --modules "$folder/modules"
says '--modules with a name' 2 '--modules goes with'
run --kernel 5.4
says 'a kernel that is not at hand' 2 '5.4' "$release" 'kernels fetch 5.4'
run --kernel "$folder/vmlinuz" --modules "$folder/modules"
[ $status = 0 ] || fail "a kernel by its path: $status: $(cat "$tmp/err")"
jq -e --arg release "$release" '.verdict == "pass" and .kernel == $release' "$tmp/out" >/dev/null ||
	fail "a kernel by its path: $(cat "$tmp/out")"

# in_boot COMMAND...: runs COMMAND in a mount namespace whose /boot and /lib/modules are as packages fill them.
in_boot() {
	unshare --user --map-root-user --mount bash -c '
		mount --bind "$1" /boot && mount -t tmpfs test "$4" && mkdir "$4/upper" "$4/work" &&
			mount -t overlay -o "lowerdir=/usr/lib,upperdir=$4/upper,workdir=$4/work" test /usr/lib &&
			mkdir -p "/lib/modules/$2" && mount --bind "$3" "/lib/modules/$2" || exit 99
		shift 4; "$@"' - "$tmp/boot" "$release" "$folder/modules" "$tmp/overlay" "$@"
}
mkdir "$tmp/boot" "$tmp/cache2" "$tmp/overlay"
cp "$folder/vmlinuz" "$tmp/boot/vmlinuz-$release"
cp "$tmp/text" "$tmp/boot/vmlinuz-9.9.9-text"
touch "$tmp/boot/initrd.img-$release" "$tmp/boot/config-$release"
export XDG_CACHE_HOME=$tmp/cache2
in_boot "$DEADPEER" kernels list --json >"$tmp/boot.json" 2>"$tmp/boot.err"
json boot "map(select(.kernel == \"$release\")) | length == 1 and .[0].origin == \"machine\"
	and .[0].image == \"/boot/vmlinuz-$release\" and .[0].modules == \"/lib/modules/$release\""
in_boot timeout 120 "$DEADPEER" run power-loss-idle --engine qemu --kernel "$series" --json >"$tmp/out" 2>"$tmp/err" ||
	fail "a kernel of /boot: $(cat "$tmp/err")"
jq -e --arg release "$release" '.verdict == "pass" and .kernel == $release' "$tmp/out" >/dev/null ||
	fail "a kernel of /boot: $(cat "$tmp/out")"
in_boot timeout 120 "$DEADPEER" run power-loss-idle --engine qemu --kernel 9.9.9-text --json >"$tmp/out" 2>"$tmp/err"
status=$?
says 'no kernel in /boot' 2 '/boot/vmlinuz-9.9.9-text' 'not a kernel image'

# The disk gets full at different moments, from the first file to the last page of a snapshot.
for size in 64k 8M 40M 60M 90M 130M; do
	unshare --user --map-root-user --mount bash -c '
		mount -t tmpfs -o size="$1" test "$2" || exit 99
		export XDG_CACHE_HOME=$2; shift 2; "$@"' - $size "$tmp/cache2" \
		timeout 120 "$DEADPEER" run power-loss-idle --engine qemu --json \
		--kernel "$folder/vmlinuz" --modules "$folder/modules" >"$tmp/out" 2>"$tmp/err"
	status=$?
	says "a cache of $size" 3 'no space left' 'XDG_CACHE_HOME'
done
finish
