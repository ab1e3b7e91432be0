# SPDX-License-Identifier: GPL-2.0-or-later
# Each example of the man page does as it is typed there: the files pass `check`, and the commands end with status 0.
# What needs a program that is not here is said.
. "$(dirname "$0")/../host/lib.bash"
need sqlite3
cd "$tmp" || exit 1
mkdir bin
ln -s "$DEADPEER" bin/deadpeer
PATH=$tmp/bin:$PATH
page=$SOURCE/doc/deadpeer.1

# plain: takes roff's escapes out of what it reads.
plain() {
	sed 's/\\-/-/g; s/\\&//g; s/\\e/\\/g'
}

# Each literal block is a file, which is called as its name says.
sed -n '/^\.Bd -literal/,/^\.Ed/p' "$page" | plain | awk '
	/^\.Bd/ { text = ""; next }
	/^\.Ed/ { if (name != "") printf "%s", text >(name ".yaml"); name = ""; next }
	/^name: / { name = $2 }
	{ text = text $0 "\n" }'
[ "$(echo ./*.yaml)" = "./own-program.yaml ./postgres-idle.yaml ./short-cut.yaml ./two-profiles.yaml" ] ||
	fail "files of the man page: $(echo ./*.yaml)"
deadpeer check ./*.yaml >out 2>&1 || fail "check: $(cat out)"

# What reads a store comes after what makes it.
sed -n 's/^\.Dl //p' "$page" | plain | grep -E '^(deadpeer|sqlite3) ' | sort -s -k 1,1 >commands
[ "$(wc -l <commands)" -ge 15 ] || fail "commands of the man page: $(cat commands)"
has_kernel=0
deadpeer kernels list 2>/dev/null | grep -q '^6\.1\.' && has_kernel=1
has_postgres=0
[ -x /usr/lib/postgresql/15/bin/postgres ] && command -v psql >/dev/null && has_postgres=1

# type_it LINE: the command does as it says.
type_it() {
	local status=1 turn log
	log=$(mktemp -p "$tmp")
	for turn in 1 2 3; do
		bash -c "$1" >"$log" 2>&1 </dev/null
		status=$?
		[ "$status" = 4 ] && [ $turn -lt 3 ] || break # a busy machine
	done
	echo "after $SECONDS s: $1"
	[ "$status" = 0 ] || echo "$1: exit status $status: $(tail -n 5 "$log")" >>failures
}

touch failures
while read -r line; do
	# The store of this one is made of trials on two kernels, which scripts/test fetches.
	if [ $has_kernel = 0 ] && [[ $line == *qemu* || $line == *retries2-ladder* ]]; then
		echo "not possible here, without a kernel 6.1: $line"
	elif [ $has_postgres = 0 ] && [[ $line == *postgres* ]]; then
		echo "not possible here, without PostgreSQL 15: $line"
	elif [[ $line == 'deadpeer run '* && $line != *qemu* ]]; then
		type_it "$line" & # which waits in real time
	else
		type_it "$line"
	fi
done <commands
wait
[ -s failures ] && fail "$(cat failures)"
finish
