# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a test kernel. tests/vm/uml sets SOURCE, BUILD, RELEASE, SCRIPT, HOST_WORK and HOST_SHARE.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM=dumb LC_ALL=C.UTF-8 SOURCE BUILD RELEASE
export ASAN_OPTIONS=detect_leaks=1:exitcode=97 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec </dev/null

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
# What lies below /tmp, /run and /var/tmp on the host is covered now; bring back what the tests need of it.
for dir in /run /tmp /var/tmp; do
	mount -t tmpfs tmpfs $dir
done
for dir in "$HOST_WORK" "$SOURCE" "$BUILD" "$RELEASE" "$(dirname "$SCRIPT")"; do
	[ -d "$dir" ] || { mkdir -p "$dir" && mount -t hostfs none "$dir" -o "$dir"; }
done
export SHARE=/run/share
mkdir -p $SHARE /run/netns /run/lock
mount -t hostfs none $SHARE -o "$HOST_SHARE"
exec >$SHARE/output 2>&1

for module in tun veth dummy vrf tls ppp_generic ppp_async ppp_deflate bsd_comp ppp_mppe sch_netem sch_fq_codel sch_fq sch_tbf tcp_bbr; do
	modprobe -q -d "$HOST_WORK" $module
done
ip link set lo up
cd /tmp || exit 1
bash "$SCRIPT"
echo $? >$SHARE/status
sync
busybox poweroff -f
