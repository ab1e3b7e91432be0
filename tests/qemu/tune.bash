# SPDX-License-Identifier: GPL-2.0-or-later
# Each configuration that tune prints is fed to the program that it is for. What is not installed here is left out, but
# for the programs that scripts/setup installs.
. "$(dirname "$0")/../host/lib.bash"
need cc python3 haproxy nginx redis-server psql unshare sysctl
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
"$DEADPEER" kernels list | grep -q '^ *6\.12\.' || skip "no kernel 6.12: deadpeer kernels fetch 6.12"
cd "$tmp" || exit 1

# print PROGRAM FILE: a configuration of the goal below; all of them are printed by one run.
"$DEADPEER" tune --detect-within 30s --survive 10s --kernel 6.12 --json >all.json 2>err ||
	fail "tune: exit status $?: $(cat err all.json)"
jq -e '.verified | .broken == 0 and .inconclusive == 0 and .trials >= 32 and .latest_detection_s <= 30' all.json >/dev/null ||
	fail "verified: $(jq -c .verified all.json)"
jq -e '.proposal | .idle.detected_s <= 30 and .busy.detected_s <= 30 and .idle.survived_s >= 10 and .busy.survived_s >= 10' all.json \
	>/dev/null || fail "proposal: $(jq -c .proposal all.json)"
print() {
	jq -jer ".configurations[\"$1\"]" all.json >"$2" || fail "$1 is missing"
}

# accepted WHAT COMMAND...: the program takes the configuration.
accepted() {
	"${@:2}" >out 2>&1 || fail "$1: $(cat out)"
}

print sysctl 90.conf
accepted sysctl unshare --user --map-root-user --net sysctl -p 90.conf
print c loss.c
accepted C cc -Wall -Wextra -Werror -c loss.c -o loss.o
print python loss.py
cat >>loss.py <<'END'


if __name__ == "__main__":
    s = socket.socket()
    detect_peer_loss(s)
    print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
END
accepted Python /usr/bin/python3 loss.py
[ "$(cat out)" = "$(jq -r '.proposal | "\(.keepalive_idle_s) \(.user_timeout_s * 1000 | round)"' all.json)" ] ||
	fail "Python has set $(cat out)"
print haproxy haproxy.cfg
accepted haproxy haproxy -c -f haproxy.cfg
print nginx nginx.conf
accepted nginx nginx -t -e stderr -g "pid $tmp/nginx.pid;" -c "$tmp/nginx.conf"
print redis redis.conf
echo "port 0" >>redis.conf
(timeout 2 redis-server redis.conf --unixsocket "$tmp/redis.sock" --save "" --dir "$tmp" >out 2>&1)
grep -q "Ready to accept\|Server initialized" out || fail "redis: $(cat out)"
print libpq conninfo
psql "host=$tmp $(cat conninfo)" >out 2>&1
grep -q "No such file" out || fail "libpq: $(cat out)"
print envoy envoy.yaml
accepted envoy /usr/bin/python3 -c 'import sys, yaml; print(list(yaml.safe_load_all(open(sys.argv[1]))))' envoy.yaml
print systemd peer.socket
if command -v systemd-analyze >/dev/null; then
	printf '[Service]\nExecStart=/bin/true\n' >peer.service
	accepted systemd systemd-analyze verify --man=no "$tmp/peer.socket"
fi
print go loss.go
if command -v go >/dev/null; then
	printf 'module peerloss\ngo 1.18\n' >go.mod
	accepted Go env HOME="$tmp" GOFLAGS=-mod=mod go build ./...
fi
print java PeerLoss.java
if command -v javac >/dev/null; then
	accepted Java javac PeerLoss.java
fi

# wrong STATUS PATTERN OPTION...: refused in one line.
wrong() {
	"$DEADPEER" tune "${@:3}" >out 2>err
	local status=$?
	[ $status = "$1" ] || fail "tune ${*:3}: exit status $status: $(cat err)"
	grep -q -- "$2" err || fail "tune ${*:3}: does not say '$2': $(cat err)"
	[ "$(grep -c . err)" = 1 ] && [ ! -s out ] || fail "tune ${*:3}: more than one line: $(cat err out)"
}
wrong 2 "impossible.*--detect-within 13.*survives 6" --detect-within 12s --survive 10s --kernel 6.12
wrong 2 "impossible" --detect-within 1s --survive 0 --kernel 6.12
wrong 2 "what is the goal" --detect-within 12s
wrong 2 "is no time" --detect-within soon --survive 1s
wrong 2 "is not from" --detect-within 1ms --survive 1s
wrong 2 "is not from 0% to 50%" --detect-within 9s --survive 1s --loss 60%
wrong 2 "no share of packets, such as 2%" --detect-within 9s --survive 1s --loss 2
wrong 2 "neither idle nor busy" --detect-within 9s --survive 1s --workload idle,lazy
wrong 2 "none of sysctl" --detect-within 9s --survive 1s --for apache
wrong 2 "no kernel '2.4'" --detect-within 9s --survive 1s --kernel 2.4
finish
