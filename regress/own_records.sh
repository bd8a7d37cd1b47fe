# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# Sourced first by what runs hosts as root: begins anew where the records of
# logins are empty ones of its own, so that sessions of tests are not written
# into the machine's.  Mounts are told on from there: a test with mounts of its
# own keeps none alive that another one has ended.
if [ -z "${OWN_RECORDS-}" ] && [ "$(id -u)" -eq 0 ] &&
	unshare -m true 2>/dev/null; then
	OWN_RECORDS=yes
	export OWN_RECORDS
	# shellcheck disable=SC2016 # for the shell inside
	exec unshare -m --propagation private sh -c '
		mount --make-rshared / &&
			own=$(mktemp -d) && mount -t tmpfs none "$own" || exit
		for f in /run/utmp /var/log/wtmp /var/log/lastlog; do
			[ -e $f ] || continue
			: >"$own/${f##*/}" &&
				mount --bind "$own/${f##*/}" $f || exit
		done
		umount -l "$own" && rmdir "$own" || exit
		exec sh "$@"' sh "$0" "$@"
fi
