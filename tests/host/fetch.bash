# SPDX-License-Identifier: GPL-2.0-or-later
# fetch.bash: the test fetches kernels from a mirror of its own, which has what Debian's archive has: packages that are
# signed and unsigned, split ones, some of which have left, and some that are damaged. The kernels in them
# are text: nothing runs them here.
. "$(dirname "$0")/lib.bash"
need apt-get dpkg gpg python3 ar jq
python3 -c 'import http.server' || skip 'python3 has no http.server'
[ -x /usr/lib/apt/apt-helper ] || skip 'apt has no apt-helper'
arch=$(dpkg --print-architecture)
export XDG_CACHE_HOME=$tmp/cache
cache=$tmp/cache/deadpeer
mkdir "$tmp/cache" "$tmp/web" "$tmp/keys"

new_key() { # new_key NAME: makes a key, and a keyring $tmp/NAME.gpg with it
	gpg --homedir "$tmp/keys" --batch --quiet --passphrase '' --quick-gen-key "$1" ed25519 sign never 2>"$tmp/gpg.err" ||
		skip "gpg makes no key: $(cat "$tmp/gpg.err")"
	gpg --homedir "$tmp/keys" --export "$1" >"$tmp/$1.gpg"
}
chmod 700 "$tmp/keys"
new_key mirror
new_key other
new_key stranger

# deb SUITE PACKAGE FOLDER: puts what is in a folder into a package, and that into a suite.
deb() {
	local area=debian file
	[[ $1 == *-security ]] && area=debian-security
	file=pool/$2_1_$arch.deb
	mkdir -p "$tmp/web/$area/pool" "$tmp/web/$area/dists/$1/main/binary-$arch"
	(cd "$3" && tar -cJf "$tmp/data.tar.xz" .) && (cd "$tmp" && echo 2.0 >debian-binary &&
		tar -cf control.tar -T /dev/null && rm -f package && ar rc package debian-binary control.tar data.tar.xz)
	mv "$tmp/package" "$tmp/web/$area/$file"
	printf 'Package: %s\nVersion: 1\nArchitecture: %s\nFilename: %s\nSize: %s\nSHA256: %s\n%s\n' "$2" "$arch" "$file" \
		"$(stat -c %s "$tmp/web/$area/$file")" "$(sha256sum <"$tmp/web/$area/$file" | cut -d ' ' -f 1)" \
		"${4+Depends: $4
}" >>"$tmp/web/$area/dists/$1/main/binary-$arch/Packages"
}

# image SUITE RELEASE [SUFFIX]: adds a kernel in one package, as up to 6.18.
image() {
	rm -rf "$tmp/files"
	mkdir -p "$tmp/files/boot" "$tmp/files/lib/modules/$2/kernel"
	echo "kernel $2${3-}" >"$tmp/files/boot/vmlinuz-$2"
	head -c 300000 /dev/urandom >"$tmp/files/lib/modules/$2/kernel/veth.ko"
	deb "$1" "linux-image-$2${3-}" "$tmp/files"
}

# split SUITE RELEASE [PART...]: adds those packages of a kernel in several, as since 6.19.
split() {
	local suite=$1 release=$2 part
	for part in "${@:3}"; do
		rm -rf "$tmp/files"
		mkdir -p "$tmp/files/usr/lib/modules/$release/kernel"
		case $part in
		binary) echo "kernel $release" >"$tmp/files/usr/lib/modules/$release/vmlinuz" ;;
		modules) echo veth >"$tmp/files/usr/lib/modules/$release/kernel/veth.ko" ;;
		base) touch "$tmp/files/usr/lib/modules/$release/config" "$tmp/files/usr/lib/modules/$release/modules.builtin" ;;
		esac
		deb "$suite" "linux-$part-$release" "$tmp/files"
	done
	mkdir -p "$tmp/nothing"
	deb "$suite" "linux-image-$release" "$tmp/nothing" "linux-binary-$release (= 1), linux-modules-$release (= 1)"
}

sign() { # sign SUITE [KEY]: writes the signed file that says which packages a suite has
	local area=debian folder list
	[[ $1 == *-security ]] && area=debian-security
	folder=$tmp/web/$area/dists/$1
	list=main/binary-$arch/Packages
	printf 'Origin: Debian\nSuite: %s\nCodename: %s\nArchitectures: %s\nComponents: main\nDate: %s\nSHA256:\n %s %s %s\n' \
		"$1" "$1" "$arch" "$(LC_ALL=C date -uR)" "$(sha256sum <"$folder/$list" | cut -d ' ' -f 1)" \
		"$(stat -c %s "$folder/$list")" "$list" >"$tmp/Release"
	gpg --homedir "$tmp/keys" --batch --yes --quiet --local-user "${2-mirror}" --clearsign --output "$folder/InRelease" "$tmp/Release"
}

old=6.1.0-9-cloud-$arch older=6.1.0-8-cloud-$arch
image bookworm-security "$old"
image bookworm-security "$old" -unsigned
image bookworm-security "$older"
image bookworm-security "6.1.0-10-rt-$arch"
image bookworm "5.9.0-1-cloud-$arch"
new=7.3.4+deb13-cloud-$arch gone=7.0.4+deb13-cloud-$arch
split trixie-backports "$new" binary modules base
split trixie-backports "$gone" binary
for suite in bookworm-security bookworm trixie-backports; do
	sign "$suite"
done

# A suite that cannot be verified has what would be newer.
image trixie-security "6.1.0-99-cloud-$arch"
sign trixie-security stranger

python3 "$(dirname "$0")/mirror.py" "$tmp/web" "$tmp/port" >"$tmp/requests" 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; }
trap 'stop; rm -rf "$tmp"' EXIT
for _ in {1..100}; do
	[ -e "$tmp/port" ] && break
	sleep 0.1
done
mirror=http://127.0.0.1:$(cat "$tmp/port")/debian
archive=(--mirror "$mirror" --keyring "$tmp/mirror.gpg")

kernels() { # kernels ARGUMENT...: runs the verb, as if a machine had neither proxies nor anything else of its own
	env -u http_proxy -u HTTP_PROXY -u all_proxy timeout 100 "$DEADPEER" kernels "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

brings() { # brings WHAT RELEASE ARGUMENT...: fails unless that kernel is fetched
	kernels fetch "${@:3}"
	[ "$status $(cat "$tmp/out")" = "0 $2" ] || fail "$1: $status: $(cat "$tmp/out" "$tmp/err")"
	[ -s "$cache/kernels/$2/vmlinuz" ] && [ -s "$cache/kernels/$2/modules/kernel/veth.ko" ] || fail "$1: not whole"
}

refuses() { # refuses WHAT STATUS TEXT...: fails unless the last error is one line with each TEXT, and nothing is left
	local what=$1 text
	[ "$status" = "$2" ] || fail "$what: exit status $status, not $2: $(cat "$tmp/err")"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$what: not one line: $(cat "$tmp/err")"
	for text in "${@:3}"; do
		grep -qF -- "$text" "$tmp/err" || fail "$what: no '$text' in: $(cat "$tmp/err")"
	done
	compgen -G "$cache/kernels/*.tmp" >/dev/null && fail "$what: something is left"
	compgen -G "$cache/apt/suites/*.tmp" >/dev/null && fail "$what: a state of apt's is left"
}

# Nothing but a signed list counts.
kernels fetch 6.1 --mirror "$mirror" --keyring "$tmp/other.gpg"
refuses 'signed by another key' 3 'cannot be verified' 'debian-archive-keyring'

# A series is fetched from the suite that has it, and releases only if no other suite does.
brings 6.1 "$old" 6.1 "${archive[@]}"
[ "$(cat "$cache/kernels/$old/vmlinuz")" = "kernel $old" ] || fail 'not the signed one'
grep -q 'left out: trixie-security .* cannot be verified' "$tmp/err" || fail "not told: $(cat "$tmp/err")"
grep -q dists/bookworm/ "$tmp/requests" && fail 'a whole release was loaded for what a small suite has'
brings 5.9 "5.9.0-1-cloud-$arch" 5.9 "${archive[@]}"
brings rt "6.1.0-10-rt-$arch" 6.1 --flavour rt "${archive[@]}"
brings newest "$new" "${archive[@]}"
[ -e "$cache/kernels/$new/modules/modules.builtin" ] || fail 'no list of what is built in'
[ -e "$cache/kernels/$new/config" ] || fail 'no config'
compgen -G "$cache/apt/*.deb" >/dev/null && fail 'packages stay'
kernels fetch 7.0 "${archive[@]}"
refuses 'modules that have left' 2 "$gone" "linux-modules-$gone" 'left the archive'
kernels fetch 6.7 "${archive[@]}"
refuses 'no such series' 3 "'6.7'" 'left out: trixie-security'
rm -r "$tmp/web/debian-security/dists/trixie-security"
kernels fetch 6.7 --refresh "${archive[@]}"
refuses 'no such series' 2 "'6.7'" '7.3, 6.1, 5.9'
kernels fetch 6.1 --suite buzz "${archive[@]}"
refuses 'no such suite' 2 '--suite buzz' 'has no suite buzz'
kernels fetch 6.1 --suite ../x "${archive[@]}"
refuses 'no name of a suite' 2 '--suite ../x'

kernels available --json "${archive[@]}"
mv "$tmp/out" "$tmp/available.json"
json available 'map([.series, .suite, .missing != null]) ==
	[["7.3", "trixie-backports", false], ["7.0", "trixie-backports", true], ["6.1", "bookworm-security", false],
	 ["5.9", "bookworm", false]]'
kernels available "${archive[@]}"
grep -qE "^6.1 +bookworm-security +1 +0 MB +$old$" "$tmp/out" || fail "available: $(cat "$tmp/out")"
grep -q 'left out: .* has no suite sid' "$tmp/err" || fail "available: $(cat "$tmp/err")"

# Nobody is asked for what is at hand and whole; what is damaged is fetched again.
: >"$tmp/requests"
brings 'at hand' "$old" 6.1 "${archive[@]}"
[ -s "$tmp/requests" ] && fail "asked for what is at hand: $(cat "$tmp/requests")"
echo damaged >"$cache/kernels/$old/vmlinuz"
brings 'a damaged kernel' "$old" 6.1 "${archive[@]}"

# A download that was cut off goes on, also if what is there is damaged.
package=linux-image-${old}_1_$arch.deb
pool=$tmp/web/debian-security/pool
rm -rf "$cache/kernels"
head -c 100000 "$pool/$package" >"$cache/apt/$package"
: >"$tmp/requests"
brings 'a download that was cut off' "$old" 6.1 "${archive[@]}"
grep -q "$package.* 206 " "$tmp/requests" || fail "not gone on: $(cat "$tmp/requests")"
rm -rf "$cache/kernels"
head -c 100000 /dev/zero >"$cache/apt/$package"
brings 'a damaged download' "$old" 6.1 "${archive[@]}"

# A package that the mirror has otherwise than its list says is no kernel.
rm -rf "$cache/kernels"
cp "$pool/$package" "$tmp/good"
printf damaged | dd of="$pool/$package" bs=1 seek=1000 conv=notrunc status=none
kernels fetch 6.1 "${archive[@]}"
refuses 'a damaged package' 3 "$package" 'damaged or truncated' 'try again'
compgen -G "$cache/apt/*.deb*" >/dev/null && fail 'a damaged package stays'
mv "$tmp/good" "$pool/$package"

# If the mirror does not have a package, the next one is tried, and that is told.
rm "$pool/$package"
brings 'the unsigned one' "$old" 6.1 "${archive[@]}"
[ "$(cat "$cache/kernels/$old/vmlinuz")" = "kernel $old-unsigned" ] || fail 'not the unsigned one'
grep -q "$package is not there (404); trying the next" "$tmp/err" || fail "not told: $(cat "$tmp/err")"
rm -rf "$cache/kernels" "$pool/linux-image-$old"*
brings 'the next older one' "$older" 6.1 "${archive[@]}"
rm -rf "$cache/kernels" "$pool"/*cloud*
kernels fetch 6.1 --suite bookworm-security "${archive[@]}"
[ "$status" = 3 ] && tail -n 1 "$tmp/err" | grep -q "linux-image-$older.*404" || fail "none is there: $status: $(cat "$tmp/err")"

# A disk that is full, from the lists to the kernel's files.
image bookworm-security "6.2.0-1-cloud-$arch"
sign bookworm-security
for size in 16k 400k; do
	mkdir -p "$tmp/small"
	env -u http_proxy -u HTTP_PROXY unshare --user --map-root-user --mount bash -c '
		mount -t tmpfs -o size="$1" test "$2" || exit 99
		export XDG_CACHE_HOME=$2; shift 2; "$@"' - $size "$tmp/small" timeout 100 "$DEADPEER" kernels fetch 6.2 \
		--suite bookworm-security "${archive[@]}" >"$tmp/out" 2>"$tmp/err"
	status=$?
	refuses "a cache of $size" 3 'no space left' 'XDG_CACHE_HOME'
done

stop
kernels fetch 7.3 --suite experimental "${archive[@]}"
refuses 'no network' 3 'cannot load the packages of experimental'
finish
