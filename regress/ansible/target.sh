#!/bin/sh
# SPDX-License-Identifier: ISC
# target.sh CHECKOUT: Ansible's own integration target for connections, of a
# checkout of its repository, on the programs that were built here; with and
# without pipelining, by both ways to copy a file, and whichever ansible-playbook
# is found first.  It is run by hand.
checkout=${1-}
[ -f "$checkout/test/integration/targets/connection/test.sh" ] || {
	echo "usage: sh regress/ansible/target.sh CHECKOUT-OF-ANSIBLE" >&2
	exit 64
}
checkout=$(cd "$checkout" && pwd)
. regress/sys/ansible_lib.sh

target() {
	# shellcheck disable=SC2119
	start_host
	ansible=$(dirname "$(command -v ansible-playbook)")
	collection
	inventory skypty-pipelining ansible_pipelining=true \
		skypty-no-pipelining ansible_pipelining=false
	for how in cp piped; do
		(
			cd "$checkout/test/integration/targets/connection" &&
				INVENTORY=$dir/inventory \
					ANSIBLE_SKYPTY_TRANSFER_METHOD=$how \
					bash ./test.sh -e target_hosts=there \
					-e action_prefix= -e "local_tmp=$dir/here" \
					-e "remote_tmp=$dir/far"
		) || fail "the target, by $how"
	done
	stop_host
}

as_root target
echo "all is well"
