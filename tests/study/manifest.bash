# SPDX-License-Identifier: GPL-2.0-or-later
# The Kubernetes manifest. It is read into the types of the Kubernetes API and written again, which loses
# every field that the API does not have; nothing may be lost. The command of its container runs the
# shard that the environment names.
. "$(dirname "$0")/lib.bash"
python=/usr/bin/python3 # Debian's own interpreter finds the modules of Debian's packages.
manifest=$SOURCE/scripts/cluster/kubernetes-job.yaml
$python -c 'import kubernetes, yaml' 2>/dev/null || skip "no python3-kubernetes; scripts/test installs it"

$python - "$manifest" >pod.sh <<'EOF' || fail "the manifest is not a Job as Kubernetes has it"
import json, sys, yaml
from kubernetes import client

class Answer:
    pass

with open(sys.argv[1]) as file:
    document = yaml.safe_load(file)
answer = Answer()
answer.data = json.dumps(document)
api = client.ApiClient()
job = api.deserialize(answer, 'V1Job')  # raises on a wrong type or a missing field
back = api.sanitize_for_serialization(job)  # a field that the API does not have is gone now
if back != document:
    sys.exit('not of the schema: %s\n%s' % (json.dumps(document), json.dumps(back)))
container = job.spec.template.spec.containers[0]
values = {env.name: env.value for env in container.env}
assert (job.api_version, job.kind, job.spec.completion_mode) == ('batch/v1', 'Job', 'Indexed')
assert values['JOB_COMPLETIONS'] == str(job.spec.completions)
assert container.command == ['/bin/sh', '-c'] and len(container.args) == 1
print(container.args[0])
EOF

study mix "scenarios: [process-crash, power-loss-busy]" "repeats: 4"
mkdir results bin
ln -s "$DEADPEER" bin/deadpeer
sed "s|/results|$tmp/results|; s|retries2-ladder|mix.yaml|" pod.sh >here
for again in first second; do # A pod that is started again resumes its sweep.
	PATH=$tmp/bin:$PATH JOB_COMPLETION_INDEX=3 JOB_COMPLETIONS=4 /bin/sh -c "$(cat here)" >out 2>err ||
		fail "$again: $(cat err)"
done
is "4/4 2" "$(query results/shard-3.db "SELECT shard || '/' || shards || ' ' || (SELECT count(*) FROM trial)
	FROM study")" "the shard"
finish
