# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a test kernel. tests/vm/guest.sh sets SOURCE, BUILD, RELEASE, SCRIPT, HOST_WORK and WORK_MOUNT.
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
mount --bind / /mnt
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/tmp
for dir in "$SOURCE" "$BUILD" "$RELEASE" "${SCRIPT%/*}"; do
	[ -d "$dir" ] || { mkdir -p "$dir" && mount --bind "/mnt$dir" "$dir"; }
done
umount /mnt
mkdir -p "$HOST_WORK" /run/netns /run/lock
# shellcheck disable=SC2086 # several words
mount ${WORK_MOUNT//@/$HOST_WORK} "$HOST_WORK" # the one place on the host that can be written
export SHARE=$HOST_WORK/share CERTIFICATES=$HOST_WORK/certificates
exec >$SHARE/output 2>&1

echo "$HOST_WORK/modprobe" >/proc/sys/kernel/modprobe
modprobe -q -d "$HOST_WORK" -a tun veth dummy vrf tls ppp_async ppp_deflate bsd_comp ppp_mppe sch_netem sch_fq_codel sch_fq tcp_bbr
ip link set lo up
sysctl -qw net.ipv4.tcp_allowed_congestion_control="reno cubic bbr"
cd /tmp || exit 1
IN_VM=1 bash "$SCRIPT"
echo $? >$SHARE/status
sync
busybox poweroff -f
