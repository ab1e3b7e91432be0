# SPDX-License-Identifier: GPL-2.0-or-later
# confined.bash [--engine qemu --kernel NAME]: the test shows what a user's program may not do: read what its user may
# not, write outside of its folder, get privileges, see the machine's environment and temporary files, or outlive the
# trial. Its environment, users and mounts are those that the man page says.
. "$(dirname "$0")/lib.bash"
need jq setsid sleep
guest=0
[ $# -gt 0 ] && guest=1
chmod 755 "$tmp" && mkdir "$tmp/work" && chmod 777 "$tmp/work"
cd "$tmp/work" || exit 1

# run NAME: a scenario whose client runs the shell script of standard input, with the further keys of $keys, and $take
# behind what it takes along. What the
# script writes is in $tmp/NAME.out.
keys='' take=''
run() {
	{
		printf 'name: %s\nsummary: s\nclient:\n  command:\n    take: [coreutils, util-linux%s]\n    run: [sh, -c, ". ./script"]\n' "$1" "$take"
		printf '%b    files:\n      script: |\n' "$keys"
		sed 's/^/        /'
		printf '        exec 2>&1; sleep 1\nserver: {workload: echo}\nhorizon: 1s\n'
	} >"$tmp/$1.yaml"
	"${as[@]}" "$DEADPEER" run "$tmp/$1.yaml" "${engine[@]}" >"$tmp/$1.text" 2>"$tmp/$1.err"
	# A client that makes no connection is an error, which has all that it wrote.
	[ $? = 2 ] || fail "$1: exit status is not 2: $(head -n 3 "$tmp/$1.err")"
	sed -n 's/.*its output ends: //p' "$tmp/$1.err" | sed 's/\\n/\n/g' >"$tmp/$1.out"
}
engine=("$@")

# said NAME LINE: the script wrote that line.
said() {
	grep -qxF -- "$2" "$tmp/$1.out" || fail "$1: it did not write '$2', but: $(cat "$tmp/$1.out")"
}

# tries COMMAND: a part of a script that says whether the command was denied.
tries() {
	printf 'if %s >/dev/null 2>&1; then echo "did: %s"; else echo "denied: %s"; fi\n' "$1" "$1" "$1"
}
denied() {
	said "$1" "denied: $2"
}

run files <<END
$(tries 'cat /etc/shadow')
$(tries 'touch /etc/x')
$(tries 'touch /usr/x')
$(tries 'mkdir /x')
$(tries 'mount -t tmpfs x /mnt')
$(tries 'unshare --mount true')
$(tries 'chown 0 .')
$(tries 'touch /proc/sys/net/ipv4/tcp_retries2')
$(tries 'echo 1 >/proc/sys/net/ipv4/tcp_retries2')
$(tries 'touch here')
$(tries 'touch /tmp/here')
END
for what in 'touch /etc/x' 'touch /usr/x' 'mkdir /x' 'mount -t tmpfs x /mnt' 'echo 1 >/proc/sys/net/ipv4/tcp_retries2'; do
	denied files "$what"
done
[ "${TEST_ROOTLESS-}" = 1 ] || [ $guest = 1 ] || denied files 'cat /etc/shadow'
said files 'did: touch here'
said files 'did: touch /tmp/here'
[ -e "$tmp/work/here" ] && fail "a file of the program is left"

# Without capabilities, and without a way to get any: neither in its own sets nor from a program that gives them.
run rights <<'END'
grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs):' /proc/self/status | tr -d '\t'
END
for set in Inh Prm Eff Bnd Amb; do
	said rights "Cap$set:0000000000000000"
done
said rights NoNewPrivs:1

# No device of the machine, terminals of its own, and no IPC with others; what it writes to it may open once more.
run devices <<'END'
ls -1 /dev | tr '\n' ' '; echo
ls /dev/pts; echo again >/dev/stdout
readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts
END
said devices "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero "
said devices again
said devices ptmx
grep -qx '[0-9][0-9]*' "$tmp/devices.out" && fail "a terminal of others is there: $(cat "$tmp/devices.out")"
if [ $guest = 0 ]; then
	for ns in ipc uts; do
		grep -qF "$(readlink /proc/self/ns/$ns)" "$tmp/devices.out" && fail "the $ns namespace is the machine's"
	done
fi

# A number that is a group's, but no user's, gives nothing of that group.
keys='    user: 42\n'
run group <<END
id -g; id -G
END
keys=''
[ "${TEST_ROOTLESS-}" = 1 ] || getent passwd 42 >/dev/null || said group 65534

# `user: 0` has what is about its own processes, files and network, but no way to the machine.
keys='    user: 0\n'
run root <<END
id -u
$(tries 'mount -t tmpfs x /mnt')
$(tries 'touch /usr/x')
$(tries 'mknod null c 1 3')
$(tries 'hostname other')
$(tries 'echo 1 >/proc/sys/vm/drop_caches')
$(tries 'echo x >/proc/sys/kernel/core_pattern')
$(tries 'touch /sys/x')
grep NoNewPrivs /proc/self/status | tr -d '\t'
END
keys=''
said root 0
said root NoNewPrivs:1
for what in 'mount -t tmpfs x /mnt' 'touch /usr/x' 'mknod null c 1 3' 'hostname other' \
	'echo 1 >/proc/sys/vm/drop_caches' 'echo x >/proc/sys/kernel/core_pattern' 'touch /sys/x'; do
	denied root "$what"
done

# Nothing of the environment but PATH, and what the scenario names.
export SECRET=hidden KEPT=kept
keys='    pass: [KEPT]\n    env: {OWN: value}\n'
run environment <<'END'
env | grep -E '^(SECRET|KEPT|OWN|HOME|TERM|DEADPEER_NODE)=' | sort
env | cut -d= -f1 | sort | tr '\n' ' '; echo
ls -A /tmp /var/tmp /dev/shm | grep -v : | wc -w
END
keys=''
for line in KEPT=kept OWN=value HOME=/tmp TERM=dumb DEADPEER_NODE=client 0; do
	said environment "$line"
done
grep -q SECRET "$tmp/environment.out" && fail "a variable that was not named is passed on"

# Another working folder is there, and as read-only as the rest.
mkdir "$tmp/elsewhere" && chmod 777 "$tmp/elsewhere" && echo content >"$tmp/elsewhere/file"
cat >"$tmp/folder.yaml" <<END
name: folder
summary: s
client: {command: {folder: $tmp/elsewhere, take: [$tmp/elsewhere/file, coreutils], run: [sh, -c, "pwd; cat file; touch new || echo denied; sleep 1"]}}
server: {workload: echo}
horizon: 1s
END
"${as[@]}" "$DEADPEER" run "$tmp/folder.yaml" "${engine[@]}" 2>&1 | sed 's/.*its output ends: //; s/\\n/\n/g' >"$tmp/folder.out"
said folder "$tmp/elsewhere"
said folder content
said folder denied

# A file of /tmp that a word names is there, as the program's own: what it writes is not the machine's.
named=$(mktemp /tmp/deadpeer-XXXXXX) && chmod 644 "$named" && echo machine >"$named"
take=", $named"
run named <<END
cat $named
echo program >$named && cat $named
END
take=''
said named machine
said named program
[ "$(cat "$named")" = machine ] || fail "a program has changed a file of the machine: $(cat "$named")"
rm -f "$named"

# What a program starts ends with the trial, however it hides; it is told of where that is an error.
mark=deadpeer-test-$$
run outlives <<END
setsid sh -c 'exec -a $mark sleep 1000' >/dev/null 2>&1 &
(setsid setsid sleep 1000.$$ &) >/dev/null 2>&1
sleep 0.2
END
sleep 0.5
pgrep -f "sleep 1000.$$" >/dev/null && fail "a process outlives its trial"

# No code of others is run where none is wanted.
"${as[@]}" "$DEADPEER" check "$tmp/files.yaml" --untrusted >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status = 2 ] && grep -q "files.yaml:[0-9]*: " "$tmp/err" || fail "check --untrusted: exit status $status: $(cat "$tmp/err")"
printf 'name: quick\nsummary: s\nhorizon: 1s\nquick: {client: {command: [sh, -c, id]}}\n' >"$tmp/quick.yaml"
"${as[@]}" "$DEADPEER" check "$tmp/quick.yaml" --untrusted >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status = 2 ] && grep -q "quick.yaml:4: " "$tmp/err" || fail "check --untrusted: quick: exit status $status: $(cat "$tmp/err")"

# What is in the way of a log is no log, and nothing waits for it.
mkdir "$tmp/logs" && chmod 777 "$tmp/logs" && mkfifo "$tmp/logs/files-ipv4-client.log"
if [ $guest = 0 ]; then
	timeout 60 "${as[@]}" "$DEADPEER" run "$tmp/files.yaml" --logs "$tmp/logs" >"$tmp/out" 2>"$tmp/err"
	[ $? = 124 ] && fail "a FIFO among the logs is waited for"
fi
finish
