#!/bin/sh
# SPDX-License-Identifier: ISC
# sysroot.sh ARCH DIR PACKAGE...: unpacks Debian's packages for ARCH, and what
# they depend on, in DIR/root, without installing anything here.  Of a package
# with /boot behind its name comes what it depends on, and of that the kernel
# alone.  Once done it is not done again while the question is the same.  Needs
# apt, and a release of Debian in its sources.
set -eu

arch=$1
dir=$2
shift 2
packages=$*
release=$(. /etc/os-release && echo "$ID $VERSION_ID")
if [ "$(cat "$dir/done" 2>/dev/null)" = "$release $packages" ]; then
	exit
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
rm -rf "$dir/root" "$dir/done"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial" "$dir/root"
: >"$dir/apt/status"

# This machine's own source, as far as it is Debian's, and without its updates.
keys=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016 # apt's own
apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' \
	'Created-By: Packages' 'Origin: Debian' | sort -u |
	while read -r site suite component; do
		case $suite in *-*) continue ;; esac
		echo "deb [arch=$arch signed-by=$keys] $site $suite $component"
	done >"$dir/apt/sources.list"
[ -s "$dir/apt/sources.list" ] || {
	echo "sysroot.sh: apt-get update first: apt knows no Debian" >&2
	exit 1
}

cat >"$dir/apt/conf" <<-END
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; };
	APT::Install-Recommends "false";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "5";
	Dir::Etc::SourceList "$dir/apt/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::Etc::PreferencesParts "/dev/null";
	Dir::State "$dir/apt";
	Dir::State::Lists "$dir/apt/lists";
	Dir::State::Status "$dir/apt/status";
	Dir::Cache "$dir/apt";
	Dir::Cache::Archives "$dir/apt/archives";
	Dir::Log "$dir/apt";
	Debug::NoLocking "true";
	DPkg::Options { "--root=$dir/root"; };
END
APT_CONFIG=$dir/apt/conf
export APT_CONFIG

apt-get -qq update
with_depends=
for p in $packages; do
	case $p in
	*/boot)
		image=$(apt-cache depends --important "${p%/boot}" |
			sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p')
		mkdir -p "$dir/apt/kernel"
		(cd "$dir/apt/kernel" && apt-get -qq download "$image")
		;;
	*) with_depends="$with_depends $p" ;;
	esac
done
# shellcheck disable=SC2086 # words
[ -z "$with_depends" ] ||
	apt-get -qq --download-only install $with_depends >/dev/null

for d in bin sbin lib; do
	mkdir -p "$dir/root/usr/$d"
	ln -s "usr/$d" "$dir/root/$d"
done
for deb in "$dir"/apt/kernel/*.deb; do
	[ ! -f "$deb" ] || dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$dir/root" --no-same-owner --wildcards './boot/vmlinuz*'
done
for deb in "$dir"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$dir/root" --no-same-owner --keep-directory-symlink
done
# A link from the root down would leave the sysroot.
find "$dir/root" -type l -lname '/*' | while read -r link; do
	ln -sfnr "$dir/root$(readlink "$link")" "$link"
done
rm -rf "$dir/apt"
echo "$release $packages" >"$dir/done"
