# SPDX-License-Identifier: GPL-2.0-or-later
# add.bash KERNEL: the test makes packages out of a kernel at hand, as Debian's, RPM's and others' are, adds them and the
# kernel itself, compressed or not, and runs a trial on it. The test has a cache of its own.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64 python3 ar jq
series=$1
folder=$("$DEADPEER" kernels list --json | jq -r --arg series "$series" \
	'select(.origin == "fetched" and (.kernel | startswith($series + "."))) | .image | rtrimstr("/vmlinuz")')
[ -d "$folder" ] || skip "no kernel $series: deadpeer kernels fetch $series"
release=${folder##*/}
# The modules of the network are enough.
mkdir -p "$tmp/kernel/modules/kernel/drivers"
(cd "$folder" && cp vmlinuz config "$tmp/kernel" && cp modules/modules.* "$tmp/kernel/modules" &&
	cp -r modules/kernel/{lib,net,crypto} "$tmp/kernel/modules/kernel" &&
	cp -r modules/kernel/drivers/net "$tmp/kernel/modules/kernel/drivers")
folder=$tmp/kernel
export XDG_CACHE_HOME=$tmp/cache
mkdir "$tmp/cache"

adds() { # adds WHAT NAME ARGUMENT...: fails unless that comes of `kernels add`
	"$DEADPEER" kernels add "${@:3}" >"$tmp/out" 2>"$tmp/err" || fail "$1: $? $(cat "$tmp/err")"
	[ "$(cat "$tmp/out")" = "$2" ] || fail "$1: $(cat "$tmp/out")"
	cmp -s "$folder/vmlinuz" "$tmp/cache/deadpeer/kernels/$2/vmlinuz" || fail "$1: another vmlinuz"
	[ "$(cd "$folder/modules" && find . -name '*.ko*' | sort | sha256sum)" = \
		"$(cd "$tmp/cache/deadpeer/kernels/$2/modules" && find . -name '*.ko*' | sort | sha256sum)" ] ||
		fail "$1: other modules"
}

runs() { # runs NAME: fails unless a trial passes on that kernel, by tracepoints
	timeout 120 "$DEADPEER" run power-loss-idle --quick --engine qemu --kernel "$@" --json >"$tmp/run.json" 2>"$tmp/run.err" ||
		fail "$1: $(cat "$tmp/run.err")"
	json run "length == 1 and .[0].kernel == \"$release\" and .[0].verdict == \"pass\" and .[0].clock == \"tracepoint\""
}

refuses() { # refuses WHAT TEXT COMMAND...
	"${@:3}" >"$tmp/out" 2>"$tmp/err"
	[ $? = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$2" "$tmp/err" || fail "$1: $(cat "$tmp/err")"
	compgen -G "$tmp/cache/deadpeer/kernels/.add.*.tmp" >/dev/null && fail "$1: something is left"
}

# The files of a kernel as packages have them: two of Debian's, the kernel and its modules apart.
mkdir -p "$tmp/image/boot" "$tmp/modules/lib/modules/$release" "$tmp/usr/usr/lib/modules"
cp "$folder/vmlinuz" "$tmp/image/boot/vmlinuz-$release"
cp "$folder/config" "$tmp/image/boot/config-$release"
cp -r "$folder/modules/." "$tmp/modules/lib/modules/$release"
deb() {
	(cd "$tmp/$1" && tar -cf ../data.tar .)
	(cd "$tmp" && echo 2.0 >debian-binary && tar -cf control.tar -T /dev/null && ar rc "$1.deb" debian-binary control.tar data.tar)
}
deb image
deb modules
adds 'two packages' "$release" "$tmp/image.deb" "$tmp/modules.deb"
runs "$release"

# One of RPM's: a lead, two headers without anything in them, and a cpio.
cp -r "$tmp/modules/lib/modules/$release" "$tmp/usr/usr/lib/modules"
cp "$folder/vmlinuz" "$folder/config" "$tmp/usr/usr/lib/modules/$release"
python3 - "$tmp/usr" "$tmp/kernel.rpm" <<'END'
import gzip, os, sys
def entry(name, mode, data):
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % n for n in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
cpio = b""
for folder, _, files in os.walk(sys.argv[1]):
    for file in files:
        path = os.path.join(folder, file)
        cpio += entry("./" + os.path.relpath(path, sys.argv[1]), 0o100644, open(path, "rb").read())
cpio += entry("TRAILER!!!", 0, b"")
header = b"\x8e\xad\xe8\x01" + bytes(12)
with open(sys.argv[2], "wb") as file:
    file.write(b"\xed\xab\xee\xdb\x03\x00" + bytes(90) + header + header + gzip.compress(cpio, 1))
END
adds 'an RPM' rpm "$tmp/kernel.rpm" --name rpm
[ -s "$tmp/cache/deadpeer/kernels/rpm/config" ] || fail 'an RPM: no config'
(cd "$tmp/usr" && tar -czf ../kernel.tar.gz usr)
adds 'a tar' tar "$tmp/kernel.tar.gz" --name tar

adds 'a vmlinuz' mine "$folder/vmlinuz" --modules "$folder/modules" --name mine
"$DEADPEER" kernels list --json >"$tmp/list.json"
json list "map(select(.kernel == \"mine\" and .origin == \"added\" and .release == \"$release\")) | length == 1"
vmlinux=$(compgen -G "$tmp/cache/deadpeer/images/*.vmlinux" | head -n 1)
cp "$vmlinux" "$tmp/vmlinux"
"$DEADPEER" kernels add "$tmp/vmlinux" --modules "$folder/modules" --name flat >"$tmp/out" 2>"$tmp/err" ||
	fail "uncompressed: $(cat "$tmp/err")"
grep -q 'flat lacks a config' "$tmp/err" || fail "not told that its config is unknown: $(cat "$tmp/err")"

# Without its modules, the kernel is refused before a trial runs.
refuses 'no modules' 'lacks CONFIG_VETH (the cables between hosts), and no --modules are given' \
	"$DEADPEER" run power-loss-idle --engine qemu --kernel "$folder/vmlinuz"
refuses 'only the kernel' 'lacks CONFIG_VETH' "$DEADPEER" kernels add "$tmp/image.deb" --name bare
refuses 'only modules' 'a package without a kernel' "$DEADPEER" kernels add "$tmp/modules.deb" --name bare
head -c 2000000 "$tmp/kernel.rpm" >"$tmp/half.rpm"
refuses 'half an RPM' 'damaged or truncated' "$DEADPEER" kernels add "$tmp/half.rpm" --name bare
head -c 2000000 "$tmp/image.deb" >"$tmp/half.deb"
refuses 'half a package' 'damaged or truncated' "$DEADPEER" kernels add "$tmp/half.deb" --name bare
refuses 'no kernel' 'not a kernel image' "$DEADPEER" kernels add "$0" --name bare
finish
