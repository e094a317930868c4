# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests/vm/uml and tests/vm/qemu, which run a script under another kernel (bash): what both do before and after.

# prepare WORK-MOUNT MODULES SCRIPT: makes $work, on the host, with the guest's first process in $work/init. WORK-MOUNT are mount's
# arguments for $work inside the guest; MODULES is the folder of one kernel version.
prepare() {
	here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
	export SOURCE=${SOURCE:-$(readlink -f "$here/../..")}
	RELEASE=${RELEASE:-$SOURCE/build/release}
	BUILD=$RELEASE # AddressSanitizer needs more than these guests have: memory in one, time in the other
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	share=$work/share
	mkdir -p "$work/lib/modules" "$share" "$work/tmp" "$work/certificates"
	"$here/../integration/ca" "$work/certificates" init # cheaper here than there
	"$here/../integration/ca" "$work/certificates" server vpn.example.com
	ln -s "$2" "$work/lib/modules/"
	printf '#!/bin/sh\nexec /sbin/modprobe -d %s "$@"\n' "$work" >"$work/modprobe"
	cat >"$work/init" <<-END
		#!/bin/bash
		SOURCE='$SOURCE' BUILD='$BUILD' RELEASE='$RELEASE' HOST_WORK='$work' WORK_MOUNT='$1' SCRIPT='$(readlink -f "$3")'
		. '$here/init.sh'
	END
	chmod 755 "$work/init" "$work/modprobe"
}

# conclude STATUS SECONDS: prints what the script printed, and ends as it ended. STATUS is the kernel's.
conclude() {
	[ -z "${RESULTS-}" ] || cp -r "$share/." "$RESULTS/"
	[ ! -f "$share/output" ] || cat "$share/output"
	if [ "$1" = 124 ] || [ "$1" = 137 ]; then
		echo "# the guest did not end within $2 s"
	elif [ -f "$share/status" ]; then
		exit "$(cat "$share/status")"
	else
		echo "# the guest ended early (status $1)"
	fi
	tail -n 20 "$work/console" | sed 's/^/# /'
	exit 124
}
