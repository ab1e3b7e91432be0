# SPDX-License-Identifier: GPL-2.0-or-later
# What is in examples/ci is what GitHub, GitLab and Kubernetes take, and does what it says. The programs that hold such
# files against their published schemas do it where they are installed (action-validator, check-jsonschema,
# gitlab-ci-local); their keys are checked here in any case, and the scripts in them are run.
. "$(dirname "$0")/lib.bash"
python=/usr/bin/python3 # Debian's own interpreter finds the modules of Debian's packages.
$python -c 'import yaml' 2>/dev/null || skip "no python3-yaml; scripts/test installs it"
examples=$SOURCE/examples/ci
cd "$tmp" || exit 1

$python - "$examples" <<'END' || fail "a file is not as its reader has it"
import re, sys, yaml
where = sys.argv[1]
def read(name):
    with open(where + '/' + name) as file:
        return yaml.safe_load(file)
def keys(what, value, allowed, required=()):
    assert isinstance(value, dict), what
    unknown, missing = set(value) - set(allowed.split()), set(required) - set(value)
    assert not unknown and not missing, f'{what}: unknown {unknown}, missing {missing}'
def check_step(what, step, composite):
    keys(what, step, 'id if name uses run working-directory shell with env continue-on-error timeout-minutes')
    assert ('run' in step) != ('uses' in step), what
    assert not composite or 'uses' in step or 'shell' in step, what + ': no shell'
    # What a stranger may have chosen, such as the name of a branch, is no part of a script.
    assert '${{' not in step.get('run', ''), what + ': an expression in a script'
    assert re.match(r'\./|[\w-]+/[\w-]+(/[\w-]+)*@v\d+$', step.get('uses', './')), what

action = read('deadpeer-action/action.yml')
keys('action', action, 'name author description inputs outputs runs branding', ('name', 'description', 'runs'))
for name, value in action['inputs'].items():
    keys(name, value, 'description required default deprecationMessage', ('description',))
    assert isinstance(value.get('default', ''), str), name
for name, value in action['outputs'].items():
    keys(name, value, 'description value', ('description', 'value'))
keys('runs', action['runs'], 'using steps', ('using', 'steps'))
assert action['runs']['using'] == 'composite'
for i, step in enumerate(action['runs']['steps']):
    check_step(f'action, step {i}', step, True)
used = set(re.findall(r'inputs\.([\w-]+)', open(where + '/deadpeer-action/action.yml').read()))
assert used == set(action['inputs']), used ^ set(action['inputs'])

workflow = read('github-workflow.yml')
workflow['on'] = workflow.pop(True) # YAML 1.1 takes the word for a truth value
keys('workflow', workflow, 'name run-name on permissions env defaults concurrency jobs', ('on', 'jobs'))
keys('on', workflow['on'], 'push pull_request schedule workflow_dispatch')
for name, job in workflow['jobs'].items():
    keys(name, job, 'name permissions needs if runs-on environment concurrency outputs env defaults steps '
         'timeout-minutes strategy continue-on-error container services', ('runs-on', 'steps'))
    ours = 0
    for i, step in enumerate(job['steps']):
        check_step(f'{name}, step {i}', step, False)
        if step.get('uses') == './.github/actions/deadpeer':
            ours += 1
            keys(name, step['with'], ' '.join(action['inputs']),
                 [k for k, v in action['inputs'].items() if v.get('required')])
    assert ours == 1, name

gitlab = read('gitlab-ci.yml')
for name, job in gitlab.items():
    keys(name, job, 'stage image variables script before_script after_script allow_failure artifacts extends parallel rules '
         'needs tags timeout retry cache services')
    assert 'extends' in job or 'script' in job, name
    assert all(isinstance(line, str) for line in job.get('script', [])), name
    assert all(isinstance(value, str) for value in job.get('variables', {}).values()), name
    keys(name, job.get('artifacts', {}), 'when expire_in paths reports name expose_as untracked exclude')
    assert job.get('extends', '.deadpeer') in gitlab, name
assert gitlab['.deadpeer']['artifacts']['reports'] == {'junit': 'junit.xml'}
assert gitlab['.deadpeer']['artifacts']['when'] == 'always'
assert gitlab['.deadpeer']['allow_failure'] == {'exit_codes': [4]}

job = read('kubernetes-job.yaml')
assert (job['apiVersion'], job['kind']) == ('batch/v1', 'Job')
# Only a pod that is not started again by its node may have such a policy.
assert job['spec']['template']['spec']['restartPolicy'] == 'Never'
container = job['spec']['template']['spec']['containers'][0]
rule = job['spec']['podFailurePolicy']['rules'][0]
assert rule['onExitCodes'] == {'containerName': container['name'], 'operator': 'In', 'values': [1, 2, 3]}
assert {m['name'] for m in container['volumeMounts']} == {v['name'] for v in job['spec']['template']['spec']['volumes']}
try:
    import json
    from kubernetes import client
except ImportError:
    print('no python3-kubernetes: the Job is not read into the types of its API')
    sys.exit(0)
# Debian's python3-kubernetes is of a Kubernetes before 1.25, which had no such policy yet; it is checked above.
keys('podFailurePolicy', job['spec'].pop('podFailurePolicy'), 'rules', ('rules',))
class Answer:
    data = json.dumps(job)
api = client.ApiClient()
back = api.sanitize_for_serialization(api.deserialize(Answer, 'V1Job'))
assert back == job, f'a field is not of the API: {json.dumps(job)} {json.dumps(back)}'
END

# validate PROGRAM ARGUMENT...: it finds nothing wrong.
validate() {
	command -v "$1" >/dev/null || { echo "no $1: not validated by it"; return; }
	"$@" >out 2>&1 || fail "$*: $(cat out)"
}
mkdir -p workflow/.github/actions workflow/.github/workflows lab
cp -r "$examples/deadpeer-action" workflow/.github/actions/deadpeer
cp "$examples/github-workflow.yml" workflow/.github/workflows/deadpeer.yml
cp "$examples/gitlab-ci.yml" lab/.gitlab-ci.yml
(cd workflow && validate action-validator .github/workflows/deadpeer.yml && validate action-validator .github/actions/deadpeer/action.yml
	exit "$failed") || failed=$((failed + 1))
validate check-jsonschema --builtin-schema vendor.github-actions "$examples/deadpeer-action/action.yml"
validate check-jsonschema --builtin-schema vendor.github-workflows "$examples/github-workflow.yml"
validate check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$examples/gitlab-ci.yml"
(cd lab && git init -q . 2>/dev/null && git remote add origin git@example.com:a/b.git && validate gitlab-ci-local --list
	exit "$failed") || failed=$((failed + 1))

# script FILE EXPRESSION: prints the script that is there in the document d.
script() {
	$python -c 'import sys, yaml; d = yaml.safe_load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$examples/$1" "$2"
}
script deadpeer-action/action.yml 'd["runs"]["steps"][0]["run"]' >action.sh
script gitlab-ci.yml '"\n".join(d[".deadpeer"]["script"])' >gitlab.sh
shellcheck --shell=bash action.sh >out 2>&1 || ! command -v shellcheck >/dev/null || fail "the action's script: $(cat out)"

# The stand-in tells its words, and ends with the status that it is told.
cat >stand-in <<'END'
#!/bin/sh
printf '<%s>' "$@"
echo "## summary of $STATUS"
echo '<testsuites/>' >junit.xml
exit "$STATUS"
END
chmod 755 stand-in
mkdir bin
ln -s "$tmp/stand-in" bin/deadpeer

# action WANTED STATUS INCONCLUSIVE: the action's step ends so if deadpeer ends with STATUS.
action() {
	local got
	rm -f summary outputs
	STATUS=$2 INCONCLUSIVE=$3 DEADPEER=$tmp/stand-in VERB=run WHAT='one two/*' OPTIONS='--quick --set a=$(id)' RETRIES=2 \
		GITHUB_STEP_SUMMARY=summary GITHUB_OUTPUT=outputs bash --noprofile --norc -eo pipefail action.sh >out 2>&1
	got=$?
	[ $got = "$1" ] || fail "the action after $2: $got, not $1: $(cat out)"
	grep -q "^<run><--quick><--set><a=\$(id)><--retries><2>.*<--junit><deadpeer-results/junit.xml><--format><md><--><one><two/\*>## summary of $2" summary ||
		fail "the action's summary: $(cat summary)"
	grep -qx "status=$2" outputs || fail "the action's output: $(cat outputs)"
	[ "$2" != 4 ] || grep -q '^::warning ' out || fail "the action says nothing of what is inconclusive"
}
action 0 0 fail
action 1 1 fail
action 1 1 pass
action 3 3 pass
action 4 4 fail
action 0 4 pass

for status in 0 1 4; do
	STATUS=$status PATH=$tmp/bin:$PATH DEADPEER_VERB=run DEADPEER_WHAT='one two' DEADPEER_OPTIONS='--engine qemu' \
		bash -eo pipefail gitlab.sh >out 2>&1
	[ $? = $status ] || fail "GitLab's script after $status: $(cat out)"
	grep -q "^<run><--engine><qemu><--retries><2>.*<--junit><junit.xml><--format><md><--><one><two>## summary" out ||
		fail "GitLab's script: $(cat out)"
done

# The program takes all of these words, and those of the Job.
printf '%s\n' "name: held" "summary: A test" "client: {workload: idle}" "server: {workload: sink}" "horizon: 2s" \
	"timeline: [{at: 500ms, fault: crash, node: server}]" >held.yaml
DEADPEER=$DEADPEER VERB=run WHAT=./held.yaml OPTIONS=--quick RETRIES=2 INCONCLUSIVE=fail GITHUB_STEP_SUMMARY=summary GITHUB_OUTPUT=outputs \
	bash --noprofile --norc -eo pipefail action.sh >out 2>&1
status=$?
[ $status = 0 ] || [ $status = 4 ] || fail "the action: $status: $(cat out)"
grep -qx '## deadpeer: run' summary || fail "the action's summary: $(cat summary)"
[ -s deadpeer-results/junit.xml ] && [ -s deadpeer-results/trials.db ] || fail "the action has left: $(ls deadpeer-results)"
if "$DEADPEER" kernels list 2>/dev/null | grep -q '^6\.1\.'; then
	mkdir results
	mapfile -t words < <(script kubernetes-job.yaml '"\n".join(d["spec"]["template"]["spec"]["containers"][0]["args"])')
	for turn in first second; do # a pod that takes the place of another has the same volume
		"$DEADPEER" "${words[@]/#\/results/$tmp/results}" >out 2>err || fail "the Job, $turn: $(cat err)"
	done
	[ -s results/junit.xml ] && [ -s results/trials.db ] || fail "the Job has left: $(ls results)"
fi
finish
