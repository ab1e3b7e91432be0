# SPDX-License-Identifier: GPL-2.0-or-later
# The shipped script for Slurm arrays. The test starts a real Slurm on loopback (munged, slurmctld and
# slurmd) and stops it again. Four tasks of an array together find the same as one sweep.
. "$(dirname "$0")/lib.bash"
PATH=$PATH:/usr/sbin:/sbin
need_root
need munged slurmctld slurmd sbatch squeue runuser

host=$(hostname -s)
daemons=()
stop() {
	kill "${daemons[@]}" 2>/dev/null
	wait "${daemons[@]}" 2>/dev/null
	rm -rf "$tmp"
}
trap stop EXIT
chmod 755 "$tmp"
mkdir -p munge state spool results
dd if=/dev/urandom of=munge/key bs=128 count=1 2>/dev/null
chmod 700 munge
chmod 400 munge/key
chown -R munge munge
mkdir -m 755 socket
chown munge socket

# The daemons get two ports that are most likely free. A port that the kernel picks now could be taken by
# the time that they bind it.
ports=$((20000 + $$ % 10000))
cat >slurm.conf <<EOF
ClusterName=deadpeer-test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$ports
SlurmdPort=$((ports + 1))
AuthType=auth/munge
AuthInfo=socket=$tmp/socket/munge
CredType=cred/munge
StateSaveLocation=$tmp/state
SlurmdSpoolDir=$tmp/spool
SlurmctldPidFile=$tmp/slurmctld.pid
SlurmdPidFile=$tmp/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 CoresPerSocket=4 RealMemory=8192 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES State=UP
SlurmdParameters=config_overrides
EOF
export SLURM_CONF=$tmp/slurm.conf

runuser -u munge -- munged --foreground --force --key-file="$tmp/munge/key" --socket="$tmp/socket/munge" \
	--pid-file="$tmp/munge/pid" --log-file="$tmp/munge/log" --seed-file="$tmp/munge/seed" >munged.log 2>&1 &
daemons+=($!)
for _ in {1..50}; do [ -S socket/munge ] && break; sleep 0.1; done
slurmctld -D >slurmctld.log 2>&1 &
daemons+=($!)
slurmd -D >slurmd.log 2>&1 &
daemons+=($!)
for _ in {1..200}; do
	sinfo -h -o %T 2>/dev/null | grep -qx idle && break
	sleep 0.2
done
sinfo -h -o %T 2>/dev/null | grep -qx idle || {
	tail -n 5 munged.log munge/log slurmctld.log slurmd.log
	fail "Slurm does not come up"
	finish
}

study mix "scenarios: [process-crash, power-loss-idle, power-loss-busy]" "families: [ipv4, ipv6]" "repeats: 3"
sweep 0 mix.yaml
job=$(sbatch --parsable --array=1-4 --cpus-per-task=2 --chdir="$tmp" --output="$tmp/task-%a.out" \
	--export=ALL,DEADPEER="$DEADPEER" "$SOURCE/scripts/cluster/slurm.sbatch" "$tmp/mix.yaml" "$tmp/results") ||
	fail "sbatch"
while [ -n "$(squeue -h -j "$job" 2>/dev/null)" ]; do
	sleep 0.5
done
is "shard-1.db shard-2.db shard-3.db shard-4.db" "$(cd results && echo *)" "stores: $(cat task-*.out)"
for k in 1 2 3 4; do
	is "$k/4" "$(query results/shard-$k.db "SELECT shard || '/' || shards FROM study")" "shard $k"
done
"$DEADPEER" merge results/shard-*.db -o all.db >out || fail "merge"
same mix.db all.db
finish
