# SPDX-License-Identifier: GPL-2.0-or-later
# killed.bash KILLS: kills sweeps with SIGKILL at random moments and resumes each until it is done. Their
# stores then hold the same as the store of an undisturbed sweep, and nothing is left on the machine.
. "$(dirname "$0")/lib.bash"

kills=${1:-5}
study mix "scenarios: [process-crash, power-loss-idle, power-loss-busy]" "families: [ipv4, ipv6]" "repeats: 8"
sweep 0 mix.yaml --db undisturbed.db

# Prints the processes that this test has started, which have its mark in their environment.
export STUDY_MARK=killed-$$-$RANDOM
marked() {
	local process
	for process in /proc/[0-9]*; do
		[ "${process#/proc/}" != $$ ] && [ "${process#/proc/}" != $BASHPID ] &&
			tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx "STUDY_MARK=$STUDY_MARK" &&
			! grep -qE '^(bash|grep|tr|sleep)$' "$process/comm" 2>/dev/null &&
			echo "${process#/proc/}"
	done
}

done=0 rounds=0
while [ $done -lt "$kills" ]; do
	rounds=$((rounds + 1))
	while :; do
		"$DEADPEER" sweep mix.yaml --jobs 6 --db disturbed.$rounds.db --resume >out 2>err </dev/null &
		sweeper=$!
		sleep 0.$((RANDOM % 10))
		sleep $((RANDOM % 2))
		kill -KILL "$sweeper" 2>/dev/null || true
		wait $sweeper 2>/dev/null
		status=$?
		[ $status = 137 ] || break
		done=$((done + 1))
		[ $done -lt "$kills" ] || { sweep 0 mix.yaml --db disturbed.$rounds.db --resume; status=0; break; }
	done
	[ "$status" = 0 ] || fail "round $rounds: exit status $status: $(cat err)"
	same undisturbed.db disturbed.$rounds.db
	is "" "$(ls disturbed.$rounds.db?* 2>/dev/null)" "files beside the store"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
	left=$(marked)
	[ -z "$left" ] && break
	sleep 0.5
done
[ -z "$left" ] || fail "left on the machine: $(ps -o pid,args -p "$(tr '\n' ',' <<<"$left" | sed 's/,$//')")"
echo "$done kills, $rounds stores"
finish
