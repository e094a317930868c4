# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the integration tests (bash). A test makes namespaces and links, starts programs, checks, and ends with
# `done_testing`. Whatever it made is taken away when it ends, however it ends.
#
#     . "$(dirname "$0")/lib.sh"
#     ns server client; link server s0 10.0.0.1/24 client c0 10.0.0.2/24
#     start server-log on server nc -l 10.0.0.1 80; await_listen server 80
#     check 'the client reaches the server' on client nc -z 10.0.0.1 80
#     done_testing
#
# Namespaces are called st$$NAME, so that tests run side by side. A test has a mount namespace of its own with an empty /run and
# copies of /etc/hosts and /etc/resolv.conf: nothing it starts finds or changes the machine's.
set -uo pipefail
if [ -z "${ST_MOUNTS-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root, for network namespaces" && exit 0; }
	ST_MOUNTS=1 exec unshare --mount --propagation private -- "$BASH" "$0" "$@"
fi
unset ST_MOUNTS
export LC_ALL=C.UTF-8
LIB=$(readlink -f "${BASH_SOURCE[0]%/*}")
SOURCE=${SOURCE:-$(readlink -f "$LIB/../..")}
BUILD=${BUILD:-$SOURCE/build/check}
RELEASE=${RELEASE:-$SOURCE/build/release}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1} ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=97}
T=$(mktemp -d "/tmp/st$$.XXXXXX") # files of this test
PREFIX=st$$
mount -t tmpfs tmpfs /run && mkdir /run/netns /run/lock || exit 1
for file in hosts resolv.conf; do
	cat /etc/$file >"$T/$file" && mount --bind "$T/$file" /etc/$file || exit 1
done
declare -A PIDS=() # of what `start` started and has not ended
NAMESPACES=()
POINTS=0 FAILED=0

# --- results -----------------------------------------------------------------------------------------------------------

# ok DESCRIPTION / not_ok DESCRIPTION [DIAGNOSTIC]
ok() {
	echo "ok $((++POINTS)) - $1"
}
not_ok() {
	echo "not ok $((++POINTS)) - $1"
	FAILED=$((FAILED + 1))
	[ $# -lt 2 ] || printf '%s\n' "${@:2}" | tail -n 40 | sed 's/^/# /'
}
skip() {
	echo "ok $((++POINTS)) - $1 # SKIP $2"
}

# check DESCRIPTION COMMAND…: the command succeeds. check_not: it fails, but is not killed.
check() {
	local out status
	out=$("${@:2}" 2>&1) && status=0 || status=$?
	if [ $status = 0 ]; then ok "$1"; else not_ok "$1" "\$ ${*:2}" "$out" "status $status"; fi
}
check_not() {
	local out status
	out=$("${@:2}" 2>&1) && status=0 || status=$?
	if [ $status != 0 ] && [ $status -lt 124 ]; then ok "$1"; else not_ok "$1" "\$ ${*:2}" "$out" "status $status"; fi
}

# is DESCRIPTION GOT EXPECTED; like DESCRIPTION TEXT REGEX; unlike
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:      $2" "expected: $3"; fi
}
like() {
	if grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "got: $2" "expected: /$3/"; fi
}
unlike() {
	if ! grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "got: $2" "expected none of: /$3/"; fi
}

done_testing() {
	echo "1..$POINTS"
	exit $((FAILED > 0))
}

# A step that the rest of the test needs. Ends the test when it fails.
must() {
	local out
	out=$("$@" 2>&1) && return
	not_ok "cannot go on: $*" "$out" "$(tail_logs)"
	done_testing
}

tail_logs() {
	local log
	for log in "$T"/*.log; do
		[ ! -f "$log" ] || { echo "--- ${log##*/}" && tail -n 15 "$log"; }
	done
}

# --- processes ---------------------------------------------------------------------------------------------------------

# start NAME COMMAND…: in the background, output in $T/NAME.log, input from /dev/null. `on NS COMMAND` is such a command.
start() {
	local name=$1
	shift
	: >"$T/$name.log"
	if [ "$1" = on ]; then
		ip netns exec "$PREFIX$2" "${@:3}" >"$T/$name.log" 2>&1 </dev/null &
	else
		"$@" >"$T/$name.log" 2>&1 </dev/null &
	fi
	PIDS[$name]=$!
}

# stop NAME [SIGNAL]: sends it (TERM), waits for the end, and returns the program's exit status.
stop() {
	local pid=${PIDS[$1]-}
	[ -n "$pid" ] || return 127
	kill -"${2-TERM}" "$pid" 2>/dev/null
	ended "$1"
}

# ended NAME [SECONDS]: waits for the end of the program (10 s, then it is killed), and returns its exit status.
ended() {
	local pid=${PIDS[$1]-} status=0
	[ -n "$pid" ] || return 127
	unset "PIDS[$1]"
	timeout "${2-10}" tail --pid="$pid" -s 0.05 -f /dev/null || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || status=$?
	return $status
}

running() {
	[ -n "${PIDS[$1]-}" ] && kill -0 "${PIDS[$1]}" 2>/dev/null
}

log_of() {
	cat "$T/$1.log"
}

# now NAME: the variable gets the time in 1/100 s, by a clock that nobody sets. within BEGIN SECONDS: no more have passed.
# In another kernel (tests/vm) everything takes longer, and so may a second.
SECOND=${IN_VM:+400}
SECOND=${SECOND:-100}
now() {
	local up
	read -r up _ </proc/uptime
	printf -v "$1" %s "${up/./}"
}
within() {
	local present
	now present
	[ "$present" -lt $(($1 + $2 * SECOND)) ]
}

# await SECONDS COMMAND…: until the command succeeds; fails when time is over.
await() {
	local begin
	now begin
	until "${@:2}" >/dev/null 2>&1; do
		within "$begin" "$1" || return 1
		sleep 0.02
	done
}

# await_log NAME REGEX [SECONDS]: until the program has written a line like this; fails at once when it has ended without.
await_log() {
	local begin alive=true
	now begin
	until grep -qE -- "$2" "$T/$1.log"; do
		within "$begin" "${3-10}" && $alive || return 1
		running "$1" || alive=false # one more look: the line may be its last
		sleep 0.02
	done
}

# await_listen NS PORT: until a TCP socket listens there.
await_listen() {
	await 10 listens "$1" "$2"
}
listens() {
	[ -n "$(on "$1" ss -Hltn "sport = $2")" ]
}

# --- namespaces --------------------------------------------------------------------------------------------------------

# ns NAME…: network namespaces with lo up.
ns() {
	local name
	for name in "$@"; do
		ip netns add "$PREFIX$name" && NAMESPACES+=("$name") && ip -n "$PREFIX$name" link set lo up || exit 1
	done
}

# on NS COMMAND…: runs in the namespace (`ip netns exec`: it has /etc/netns/… and a mount namespace of its own).
on() {
	ip netns exec "$PREFIX$1" "${@:2}"
}

# link NS1 DEV1 ADDRESSES NS2 DEV2 ADDRESSES: a veth pair; addresses are separated by commas, and usable at once. The ends
# also have fe80::1 and fe80::2.
link() {
	ip link add "$2" netns "$PREFIX$1" type veth peer name "$5" netns "$PREFIX$4" || exit 1
	addresses "$1" "$2" "$3,fe80::1/64" && addresses "$4" "$5" "$6,fe80::2/64" || exit 1
	# IPv6 starts when the kernel has told of the carrier, which takes it a while
	await 5 has_carrier "$1" "$2" && await 5 has_carrier "$4" "$5"
}
addresses() {
	local address
	{
		echo "link set $2 addrgenmode none"
		for address in ${3//,/ }; do
			[ "${address/:/}" = "$address" ] && echo "address add $address dev $2" || echo "address add $address dev $2 nodad"
		done
		echo "link set $2 up"
	} | ip -n "$PREFIX$1" -batch -
}
has_carrier() {
	[[ $(ip -n "$PREFIX$1" link show "$2") == *LOWER_UP*"state UP"* ]]
}

# delay NS DEV MS [RATE]: one-way delay and rate by netem (user-mode Linux only: this needs the kernel's netem).
delay() {
	on "$1" tc qdisc replace dev "$2" root netem delay "$3ms" ${4:+rate "$4" limit "${5-1000}"}
}

has_device() {
	ip -n "$PREFIX$1" link show "$2"
}
gone() {
	! has_device "$1" "$2"
}

# --- certificates and payload ------------------------------------------------------------------------------------------

ca() {
	"$LIB/ca" "$T" "$@"
}

# transfer FROM-NS TO-NS ADDRESS BYTES: sends that many random bytes over TCP and compares SHA-256; prints Mbit/s.
transfer() {
	"$LIB/payload" "$PREFIX$1" "$PREFIX$2" "$3" "$4"
}

# spoof DESCRIPTION SOURCE NS ADDRESS pass|drop: a ping with this source of the namespace `server` to a host behind the tunnel.
spoof() {
	local before want=1
	before=$(echoes "$3")
	on server /bin/ping -n -q -c1 -W0.01 -I "$2" "$4" >/dev/null # not busybox's: it waits for whole seconds
	# one that is always answered: when it is back, the other has been judged
	on server ping -n -q -c1 -W5 -I 203.0.113.7 "$4" >/dev/null || not_ok "$1: $2 to $4: the right source is answered"
	[ "$5" = drop ] || want=2
	is "$1: $2 to $4: $5" $(($(echoes "$3") - before)) $want
}
echoes() { # NS
	on "$1" sed -n 's/^Icmp: \([0-9]* \)\{8\}\([0-9]*\) .*/\2/p' /proc/net/snmp
}

# --- our programs ------------------------------------------------------------------------------------------------------

# peer NAME NS [OPTION…]: sstp-peer in a namespace, port 443, for alice (correct horse), with the certificate vpn.example.com;
# ready when this returns.
peer() {
	if [ -n "${CERTIFICATES-}" ]; then
		cp "$CERTIFICATES"/* "$T/" || exit 1
	elif [ ! -f "$T/vpn.example.com.pem" ]; then
		ca init && ca server vpn.example.com || exit 1
	fi
	printf '%s\n' 'alice:correct horse' 'bob:sesame' >"$T/users"
	(umask 077 && printf "correct horse\n" >"$T/password")
	start "$1" on "$2" "$BUILD/src/sstp-peer/sstp-peer" --listen 0.0.0.0:443 --cert "$T/vpn.example.com.pem" \
		--key "$T/vpn.example.com.key" --users "$T/users" --log-json "$T/$1.json" "${@:3}"
	must await_listen "$2" 443
}

# dns NAME NS ADDRESS LINE…: a DNS server, dnsmasq, that knows these lines of a hosts file ($T/NAME.hosts; SIGHUP reads it again).
dns() {
	printf '%s\n' "${@:4}" >"$T/$1.hosts"
	start "$1" on "$2" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts="$T/$1.hosts" \
		--listen-address="$3" --bind-interfaces --log-queries --user=root --pid-file=
	must await_log "$1" 'read .*hosts'
}

# quick NAME NS HOST [OPTION…]: sstpcd quick in a namespace, as alice, verifying vpn.example.com.
quick() {
	start "$1" on "$2" "$BUILD/src/sstpcd/sstpcd" quick "$3" --user alice --password-file "$T/password" --ca "$T/ca.pem" \
		--server-name vpn.example.com --worker "$BUILD/src/sstpc-tunnel/sstpc-tunnel" "${@:4}"
}

# await_up NS DEVICE: until the interface has carrier and an address.
await_up() {
	await 15 is_up "$1" "$2"
}
is_up() {
	[[ $(ip -n "$PREFIX$1" link show "$2" 2>/dev/null) == *LOWER_UP* && $(ip -n "$PREFIX$1" -4 address show dev "$2") == *inet* ]]
}

# daemon NAME NS [OPTION…]: sstpcd in a namespace, with its files in $T; ready when this returns.
daemon() {
	mkdir -p "$T/run" "$T/etc"
	start "$1" on "$2" "$BUILD/src/sstpcd/sstpcd" --config "$T/etc/config.boot" --state-dir "$T/state" --run-dir "$T/run" \
		--resolv-conf "$T/resolv.conf" --worker "$BUILD/src/sstpc-tunnel/sstpc-tunnel" "${@:3}"
	must await_log "$1" 'ready, '
}
# ctl COMMAND…: an operational command. configure LINE…: typed in configuration mode, and committed. CA_LINE is the CA of
# `peer` in the form that the configuration has it.
ctl() {
	"$BUILD/src/sstpctl/sstpctl" --socket "$T/run/control" "$@"
}
configure() {
	printf '%s\n' "$@" commit exit | ctl configure
}
# commit DESCRIPTION LINE…: configure as a test point; ANSWER is what it printed.
commit() {
	if ANSWER=$(configure "${@:2}" 2>&1); then ok "$1"; else not_ok "$1" "$ANSWER"; fi
}
# account [INTERFACE]: the lines for a session of alice with `peer` at 192.0.2.1.
account() {
	local node="set interfaces sstpc ${1-sstpc0}"
	printf '%s\n' "set pki ca lab certificate $(ca_line)" "$node server 192.0.2.1" "$node ssl server-name vpn.example.com" \
		"$node ssl ca-certificate lab" "$node authentication username alice" "$node authentication password 'correct horse'"
}
ca_line() { # [NAME]
	sed '/-----/d' "$T/${1-ca}.pem" | tr -d '\n'
}
# The tunnels' processes, in a namespace.
workers() {
	local pid
	for pid in $(ip netns pids "$PREFIX$1"); do
		[[ $(readlink "/proc/$pid/exe") == */sstpc-tunnel ]] && echo "$pid"
	done | sort -n | xargs
}

# snapshot NS: all that our programs may have changed on a host, as text. Counters, times and handles are left out, and what the
# kernel itself sets anew when IPv6 returns to an interface (use_tempaddr: it goes by the type that the device had when it was
# made).
snapshot() {
	jq -nS --slurpfile address <(ip -n "$PREFIX$1" -j -d address) --slurpfile rule <(ip -n "$PREFIX$1" -j rule) \
		--slurpfile route4 <(ip -n "$PREFIX$1" -j -4 route show table all) \
		--slurpfile route6 <(ip -n "$PREFIX$1" -j -6 route show table all) --slurpfile nft <(on "$1" nft -j list ruleset) '
		($address[0] | map(del(.addr_info[]?["valid_life_time", "preferred_life_time", "tentative"]) | .addr_info |= sort_by(.local))),
		$route4[0], ($route6[0] | map(del(.expires))), $rule[0],
		($nft[0].nftables | map(select(.metainfo | not)) | map(.[] |= del(.handle)))'
	on "$1" grep -rs '' /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf | grep -v -e stable_secret -e use_tempaddr
	cat "$T/resolv.conf"
	ls -A "$T/run/net" 2>/dev/null
}

# --- the end -----------------------------------------------------------------------------------------------------------

cleanup() {
	local pid name
	trap - EXIT
	[ "$BASHPID" = $$ ] || return # a child that was ended before it became its program
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${PIDS[@]}"; do
		timeout 5 tail --pid="$pid" -s 0.05 -f /dev/null || kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	for name in "${NAMESPACES[@]}"; do
		ip netns pids "$PREFIX$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$PREFIX$name"
	done
	umount /etc/hosts /etc/resolv.conf
	[ "${KEEP-}" ] || rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP
