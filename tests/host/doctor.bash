# SPDX-License-Identifier: GPL-2.0-or-later
# doctor knows which of several causes it is, names each once, and ends with what each engine can run here. Each
# cause is made in namespaces of the test's own: nothing of the machine is changed.
. "$(dirname "$0")/lib.bash"
need_root
need unshare setpriv

# examine WANTED COMMAND...: runs the command, which ends in doctor, with that exit status; $out is what it prints.
examine() {
	local wanted=$1 status
	shift
	out=$("$@" 2>&1 </dev/null)
	status=$?
	[ $status = "$wanted" ] || fail "$*: exit status $status, not $wanted: $out"
}

# says PATTERN: what doctor printed has a line with that in it; says_not PATTERN: it has none.
says() {
	grep -qE -- "$1" <<<"$out" || fail "no '$1' in: $out"
}

says_not() {
	grep -qE -- "$1" <<<"$out" && fail "'$1' in: $out"
}

# each_cause_once: no two lines of what is missing have the same detail, but for those that refer to another.
each_cause_once() {
	local twice
	twice=$(grep '^missing' <<<"$out" | cut -c 30- | grep -v '^for the same reason as\|^not tried without' | sort | uniq -d)
	[ -z "$twice" ] || fail "named twice: $twice"
}

examine 0 "$DEADPEER" doctor
says '^The host engine can run everything.* here, as root'
says '^The qemu engine can run '
[ "$(tail -n 2 <<<"$out" | grep -c '^The .* engine can run .*\.$')" = 2 ] || fail "the last two lines: $out"
each_cause_once

ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${ordinary[@]}" unshare --user --map-root-user --net true 2>/dev/null; then
	examine 0 "${ordinary[@]}" "$DEADPEER" doctor
	says '^missing +BPF tracepoints +(BPF is not permitted \(needs CAP_BPF|this build has no BPF)'
	says '^The host engine can run everything.* here, rootless, without tracepoints'
	says_not 'CONFIG_DEBUG_INFO_BTF'
	each_cause_once
fi

# The limits are those of a user namespace of the test's own.
limited='echo "$2" >"/proc/sys/user/$1" && shift 2 && exec "$@"'
examine 3 unshare -r sh -c "$limited" - max_user_namespaces 1 unshare --user --map-user=1000 "$DEADPEER" doctor
says '^missing +privilege +the limit of user namespaces is reached .*Remedy: sysctl user.max_user_namespaces='
says '^missing +network namespaces +for the same reason as privilege$'
says '^The host engine can run nothing here: it lacks privilege\.$'
each_cause_once
examine 3 unshare -r sh -c "$limited" - max_user_namespaces 1 unshare --user --map-user=1000 "$DEADPEER" doctor --json
jq -es 'map(select(.check == "host engine")) == [{check: "host engine", ok: false, required: true,
		detail: "The host engine can run nothing here: it lacks privilege", remedy: null}] and
	all(keys == ["check", "detail", "ok", "remedy", "required"]) and
	(map(select(.remedy != null and (.remedy | contains("max_user_namespaces")))) | length) == 1' <<<"$out" >/dev/null ||
	fail "doctor --json: $out"
examine 3 unshare -r sh -c "$limited" - max_net_namespaces 0 "$DEADPEER" doctor
says 'the limit of network namespaces is reached. Remedy: sysctl user.max_net_namespaces='
each_cause_once
examine 3 unshare -r sh -c "$limited" - max_pid_namespaces 0 "$DEADPEER" doctor
says '^missing +PID namespaces +the limit of PID namespaces is reached'
says 'it lacks PID namespaces\.$'

# In a chroot an ordinary user gets EPERM. Where its root is a mount, it looks from inside as any other root.
jail='mount -t tmpfs none "$1" && shift && mkdir "$1" 2>/dev/null; cd "$1" && mkdir -p usr proc dev ".${DEADPEER%/*}" &&
	for dir in usr lib lib64 bin; do
		if [ -L /$dir ]; then cp -P /$dir .; elif [ -d /$dir ]; then mkdir -p $dir && mount --rbind /$dir $dir; fi
	done && mount -t proc proc proc && mount --bind "${DEADPEER%/*}" ".${DEADPEER%/*}" &&
	exec chroot . setpriv --reuid=65534 --regid=65534 --clear-groups "$DEADPEER" doctor'
mkdir "$tmp/jail"
for root in "$tmp/jail" "$tmp/jail/below"; do
	DEADPEER=$DEADPEER examine 3 unshare -m bash -c "$jail" - "$tmp/jail" "$root"
	case $root in
	*below) says '^missing +privilege +the kernel makes no user namespaces in a chroot. Remedy: run as root, or out of' ;;
	*) says '^missing +privilege +user namespaces: Operation not permitted, as in a chroot or by .*Remedy: run as root' ;;
	esac
	each_cause_once
done

# A seccomp filter that refuses unshare(2), as that of a container does; the numbers are those of x86_64.
cat >"$tmp/filter.py" <<'END'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
ALLOW, EPERM, UNSHARE = 0x7fff0000, 0x00050001, 272
program = b''.join(struct.pack('HBBI', *row) for row in (
    (0x20, 0, 0, 0), (0x15, 0, 1, UNSHARE), (0x06, 0, 0, EPERM), (0x06, 0, 0, ALLOW)))
text = ctypes.create_string_buffer(program)
class Filter(ctypes.Structure):
    _fields_ = [('rows', ctypes.c_ushort), ('program', ctypes.c_void_p)]
filter = Filter(4, ctypes.addressof(text))
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
END
chmod 755 "$tmp"
if [ "$(uname -m)" = x86_64 ] && [ -x /usr/bin/python3 ]; then
	examine 3 /usr/bin/python3 "$tmp/filter.py" "$DEADPEER" doctor
	says '^missing +privilege +a seccomp filter, as containers have, forbids user namespaces. Remedy: docker or podman run'
	each_cause_once
fi

if [ -e /sys/kernel/btf/vmlinux ] && "$DEADPEER" doctor | grep -q '^ok *BPF'; then
	examine 0 unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$1" doctor' - "$DEADPEER"
	says '^missing +BPF tracepoints +the kernel has no BTF .*Remedy: a kernel with CONFIG_DEBUG_INFO_BTF$'
	says 'as root, without tracepoints'
	examine 0 unshare -m sh -c 'umount -l /sys && exec "$1" doctor' - "$DEADPEER"
	says '^missing +BPF tracepoints +/sys, .* is not mounted'
fi

# Without a kernel for guests.
out=$(XDG_CACHE_HOME=$tmp/none unshare -m sh -c 'mount -t tmpfs none /boot 2>/dev/null; exec "$1" doctor' - "$DEADPEER" 2>&1)
says '^missing +kernels for guests +there is none at hand. Remedy: deadpeer kernels fetch'
says '^The qemu engine can run nothing here: it lacks .*kernels for guests\.$'
finish
