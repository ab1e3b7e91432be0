# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark tells how long 200 trials with programs take in guests, redis-cli and redis-server, each trial in a guest
# of its own: a first one, for which the guest boots and the programs start, one that is restored where they are ready,
# and 200 repetitions. The processor time of a trial does not depend on how busy the machine is, and memory is that of
# the largest process, of which as many run at once as there are processors.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64 redis-server redis-cli python3
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
cp -r "${XDG_CACHE_HOME:-$HOME/.cache}/deadpeer/kernels" "$tmp/" || skip "no kernel: deadpeer kernels fetch 6.12"
mkdir -p "$tmp/cache/deadpeer" && mv "$tmp/kernels" "$tmp/cache/deadpeer/"
export XDG_CACHE_HOME=$tmp/cache

rate() {
	python3 - "$1" "$2" "$DEADPEER" <<'END' || fail "$1"
import json, resource, subprocess, sys, time
name, n, deadpeer = sys.argv[1], int(sys.argv[2]), sys.argv[3]
start = time.monotonic()
run = subprocess.run([deadpeer, "run", "redis/power-loss", "--engine", "qemu", "--repeat", str(n), "--json"],
                     stdout=subprocess.PIPE)
took = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
records = [json.loads(line) for line in run.stdout.splitlines()]
assert run.returncode == 0 and len(records) == n and all(r["verdict"] == "pass" for r in records)
print(f"{name}: {n / took:.2f} trials per second, {(used.ru_utime + used.ru_stime) / n:.2f} s of processor time a trial,"
      f" {used.ru_maxrss / 1024:.0f} MiB in the largest process")
END
}
rate first 1
rate restored 1
rate many 200
echo "cache: $(du -sm "$XDG_CACHE_HOME" | cut -f1) MiB"
finish
