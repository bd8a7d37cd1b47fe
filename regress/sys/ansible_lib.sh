# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: ISC
# What the tests of contrib/ansible share.
. regress/sys/lib.sh

need_command ansible-playbook
ANSIBLE_NOCOLOR=1
ANSIBLE_DEPRECATION_WARNINGS=0
LC_ALL=C.UTF-8
export ANSIBLE_NOCOLOR ANSIBLE_DEPRECATION_WARNINGS LC_ALL
PLAYS=$PWD/regress/ansible
ansible= # the folder of the programs that are tried

# ansibles: folders of programs, Debian's and the one from PyPI that run.sh has
# put beside what was built.
ansibles() {
	dirname "$(command -v ansible-playbook)"
	[ ! -x "$OBJ/ansible/bin/ansible" ] || echo "$PWD/$OBJ/ansible/bin"
}

# collection: the collection as it is given away, for $ansible, in $dir.
collection() {
	ANSIBLE_LOCAL_TEMP=$dir/tmp
	ANSIBLE_HOME=$dir/ansible
	ANSIBLE_REMOTE_TMP=$dir/remote
	ANSIBLE_COLLECTIONS_PATH=$dir/collections
	ANSIBLE_SKYPTY_EXECUTABLE=$bin/skypty
	ANSIBLE_SKYPTY_IDENTITY=$dir/client
	unset ANSIBLE_PRIVATE_KEY_FILE ANSIBLE_CONFIG
	export ANSIBLE_LOCAL_TEMP ANSIBLE_HOME ANSIBLE_REMOTE_TMP \
		ANSIBLE_COLLECTIONS_PATH ANSIBLE_SKYPTY_EXECUTABLE \
		ANSIBLE_SKYPTY_IDENTITY
	rm -rf "$dir/collections" "$dir"/*.tar.gz
	"$ansible/ansible-galaxy" collection build contrib/ansible \
		--output-path "$dir" >"$dir/log.galaxy" 2>&1 ||
		fail "ansible-galaxy collection build"
	"$ansible/ansible-galaxy" collection install --offline \
		"$dir"/skypty-core-*.tar.gz -p "$dir/collections" \
		>"$dir/log.galaxy" 2>&1 ||
		fail "ansible-galaxy collection install"
}

# inventory [NAME VARIABLES]...: hosts of $dir/inventory, all at our host's.
inventory() {
	{
		echo "[there]"
		while [ $# -gt 1 ]; do
			echo "$1 $2"
			shift 2
		done
		cat <<-END
			[there:vars]
			ansible_connection=skypty.core.skypty
			ansible_host=127.0.0.1
			ansible_port=$port
			ansible_skypty_pk=$pk
			ansible_python_interpreter=$PYTHON
		END
	} >"$dir/inventory"
}

# adhoc STATUS HOSTS [FLAG]...
adhoc() {
	wanted=$1
	shift
	status=0
	timeout 300 "$ansible/ansible" -i "$dir/inventory" "$@" \
		>"$dir/err.ansible" 2>&1 </dev/null || status=$?
	equal $status "$wanted" "status of ansible $*"
}

# play PLAYBOOK [FLAG]...
play() {
	timeout 300 "$ansible/ansible-playbook" -i "$dir/inventory" \
		"$@" >"$dir/err.ansible" 2>&1 </dev/null ||
		fail "ansible-playbook $*: $?"
}
