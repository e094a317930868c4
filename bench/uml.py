# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurements that need netem or PPP, inside user-mode Linux: prints `KEY VALUE` a line, and `FAILED WHAT: WHY`.

Debian's sstpc with pppd and ours talk to the same sstp-peer over the same veth pair, whose netem gives it a round trip, a rate
or losses. sstpc needs some: it fails most of its connects on a link without delay.
"""
import concurrent.futures
import json
import re
import select
import subprocess
import time

from contenders import CLIENT, SERVER, DebianSstpc, Ours
from lab import CONGESTION, Failure, Lab, iperf, loaded_ping, median, percentile, received_mbit
from stream import TlsStream

ROUNDS, SECONDS = 3, 3
TRIES = 5  # of sstpc to connect: it waits for ever where two SSTP packets arrive in one TLS record


def say(key, value):
    print(key, value, flush=True)


def attempt(what, function, *arguments):
    try:
        return function(*arguments)
    except (Failure, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
        print(f"FAILED {what}: {' '.join(str(error).split())}", flush=True)
        return None


def link(lab):
    lab.namespace("client", "server")
    lab.link("client", "v0", [f"{CLIENT}/24"], "server", "v1", [f"{SERVER}/24"])
    lab.certificate()


def netem(lab, client, server, handle="0:"):
    """Sets what happens to packets that the client and that the server sends."""
    for ns, dev, words in (("client", "v0", client), ("server", "v1", server)):
        lab.run(ns, "tc", "qdisc", "del", "dev", dev, "root", check=False)  # with what hangs on it
        lab.run(ns, "tc", "qdisc", "add", "dev", dev, "root", "handle", handle, "netem", *words.split())


def largest_packet(lab, segments):
    """netem counts and loses what TCP hands to it: up to 64 KiB at once, even where the device can not cut that. A queue measured in
    packets is then longer, and a loss is of more bytes, for whom writes more at once. So that is bounded, for the connections made
    from now on."""
    for ns, dev in (("client", "v0"), ("server", "v1")):
        lab.run(ns, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro", "off")
        lab.run(ns, "ip", "link", "set", dev, "gso_max_segs", segments)


def sstpc_up(lab):
    """Debian's client, connected; returns it and how long the successful attempt took, in ms."""
    contender = DebianSstpc(lab)
    contender.start_peer()
    for _ in range(TRIES):
        # An event instead of looking again and again, which costs the only processor.
        monitor = lab.start("monitor", "client", "ip", "monitor", "address")
        start = time.monotonic()
        contender.start_client()
        try:
            monitor.await_line(r"ppp0\s+inet ", 6)
            return contender, (time.monotonic() - start) * 1000
        except Failure:
            lab.stop(contender.client)
        finally:
            lab.stop(monitor)
    contender.client = None
    contender.down()
    raise Failure(f"sstpc did not connect in {TRIES} attempts")


def ours_up(lab):
    contender = Ours(lab)
    contender.up()
    return contender


def traffic(lab, contender, name):
    try:
        for way, options in (("up", ()), ("down", ("-R",))):
            say(f"uml_{name}_{way}_mbit", received_mbit(iperf(lab, "server", "client", contender.inner, SECONDS, *options)))
        times, _ = loaded_ping(lab, "server", "client", contender.inner, SECONDS, interval=0.02)
        say(f"uml_{name}_loaded_rtt_p95_us", percentile(times, 95))
    finally:
        contender.down()


def ours(lab):
    contender = ours_up(lab)
    traffic(lab, contender, "ours")


def sstpc(lab):
    contender, ms = sstpc_up(lab)
    say("uml_sstpc_connect_ms", ms)
    traffic(lab, contender, "sstpc")


def bare_tls(lab):
    say("uml_tls_stream_mbit", TlsStream(lab).stream(SECONDS)[0])


def connects(lab, count=12):
    contender = Ours(lab)
    contender.start_peer()
    try:
        for _ in range(count):
            contender.start_client()
            say("uml_ours_connect_ms", contender.connect_ms())
            lab.stop(contender.client)
        netem(lab, "delay 25ms", "delay 25ms")
        dump = lab.start("tcpdump", "client", "tcpdump", "-n", "-tt", "-l", "--immediate-mode", "-i", "v0", "tcp port 443")
        try:
            dump.await_line("listening on")
            contender.start_client()
            ms = contender.connect_ms()
        finally:
            lab.stop(dump)
        say("uml_ours_connect_50_ms", ms)
        say("connect_round_trips", answers(dump.text(), ms / 1000))
    finally:
        contender.down()


def answers(dump, seconds, delay=0.025):
    """How often the server answered, to a SYN and to data, until the tunnel was up after so many seconds. tcpdump on the client sees
    what it sends behind netem, so `delay` late."""
    count, start, asked = 0, None, None
    for when, sender, flags, length in re.findall(r"^([\d.]+) IP (\S+) > \S+: Flags \[(\S+)\].* length (\d+)", dump, re.M):
        when, is_server = float(when), sender.startswith(SERVER + ".")
        if start is None and not is_server and flags == "S":
            start = when
        if start is None or ("S" not in flags and length == "0"):
            continue
        if when - start > seconds - delay:
            break
        if not is_server:
            asked = asked or when
        elif asked and when - asked > 0.8 * delay:  # before that it did not know of it
            count, asked = count + 1, None
    # The rest is work, less than 3 of them.
    if not count * 2 * delay <= seconds < (count + 3) * 2 * delay:
        raise Failure(f"{count} answers in {seconds} s: ...{dump[-600:]}")
    return count


def round_trips(text):
    return [float(ms) for ms in re.findall(r"time=([\d.]+) ms", text)]


def filled(lab, contender, seconds=8, settle=3, interval=0.05):
    """Pings inside and outside while 8 uploads fill the tunnel: (added at the 95th percentile in ms, goodput in Mbit/s)."""
    count = int(seconds / interval)
    server = lab.start("iperf3-server", "server", "iperf3", "-s", "-1")
    lab.await_listen("server", 5201)
    load = lab.start("iperf3-load", "client", "iperf3", "-c", contender.inner, "-t", seconds + settle, "-O", settle, "-P", 8, "-J", "-C", CONGESTION)
    try:
        select.select([], [], [], settle)
        pings = [lab.start(f"ping-{name}", "client", "ping", "-n", "-i", interval, "-c", count, "-W", "2", address)
                 for name, address in (("outside", SERVER), ("inside", contender.inner))]
        for process in pings:
            process.popen.wait(seconds + 30)
        outside, inside = (round_trips(process.text()) for process in pings)
        for name, times in (("outside", outside), ("inside", inside)):
            if len(times) < count / 2:
                raise Failure(f"ping {name}: {len(times)} of {count} replies")
        load.popen.wait(seconds + 60)
        result = json.loads(load.text())
        if "error" in result:
            raise Failure(result["error"])
        return percentile(inside, 95) - percentile(outside, 95), received_mbit(result)
    finally:
        lab.stop(load)
        lab.stop(server)


def shape(lab, mbit):
    """20 ms, and a queue of one bandwidth-delay product in front of the link: drop-tail."""
    queue = mbit * 20000 // 8
    if mbit < 100:
        largest_packet(lab, 1)
        netem(lab, f"rate {mbit}mbit limit {-(-queue // 1514)}", "delay 20ms")
        return
    # Single packets would take all of the processor, and the queue of netem counts super-packets: below it is one that counts bytes.
    # By itself that would hold nothing: TCP sends no more while much of it waits in a queue of its own machine. What has been delayed,
    # for however short, it takes for gone.
    largest_packet(lab, 8)
    netem(lab, "delay 0.01ms limit 10000", "delay 20ms", handle="1:")
    lab.run("client", "tc", "qdisc", "add", "dev", "v0", "parent", "1:1", "tbf", "rate", f"{mbit}mbit", "burst", "16kb", "limit", queue)


def shaped(lab, mbit):
    shape(lab, mbit)
    # As many pings as beside the uploads below: they take room on the link, too, and places in its queue.
    pings = [lab.start(f"ping-{i}", "client", "ping", "-n", "-q", "-i", "0.05", "-c", "180", SERVER) for i in range(2)]
    tls = TlsStream(lab).stream(8)[0]
    for process in pings:
        lab.stop(process)
    contender = ours_up(lab)
    try:
        added, goodput = filled(lab, contender)
    finally:
        contender.down()
    say(f"shaped_{mbit}_rtt_added_p95_ms", added)
    say(f"shaped_{mbit}_goodput_share", goodput / tls)
    say(f"shaped_{mbit}_tls_mbit", tls)


def shaped_sstpc(lab, mbit):
    # It connects before the link becomes narrow.
    largest_packet(lab, 1)
    netem(lab, "delay 1ms", "delay 1ms")
    contender, _ = sstpc_up(lab)
    try:
        shape(lab, mbit)
        say(f"shaped_{mbit}_sstpc_rtt_added_p95_ms", filled(lab, contender)[0])
    finally:
        contender.down()


def lossy(name, percent, pairs=6, seconds=24, omit=8):
    """Goodput through random loss. Losses are few and far between, so several pairs of links are measured at once (the processor
    is not the limit here) and their medians compared. The beginning is left out: a stream whose first loss comes late has a
    window for seconds that says nothing of the rest."""
    def measure(lab, tunnel):
        link(lab)
        largest_packet(lab, 1)
        netem(lab, f"delay 25ms loss {percent}% limit 10000", "delay 25ms limit 10000")
        if not tunnel:
            return TlsStream(lab).stream(seconds, omit)[0]
        contender = ours_up(lab)
        try:
            return received_mbit(iperf(lab, "server", "client", contender.inner, seconds - omit, "-O", omit))
        finally:
            contender.down()

    labs = [Lab(f"l{i}") for i in range(2 * pairs)]
    try:
        with concurrent.futures.ThreadPoolExecutor(len(labs)) as pool:
            goodput = list(pool.map(measure, labs, [False, True] * pairs))
    finally:
        for lab in labs:
            lab.close()
    say(f"{name}_goodput_share", median(goodput[1::2]) / median(goodput[::2]))
    say(f"{name}_tls_mbit", median(goodput[::2]))


def main():
    with Lab() as lab:
        link(lab)
        netem(lab, "delay 1ms", "delay 1ms")
        for _ in range(ROUNDS):
            attempt("bare TLS", bare_tls, lab)
            attempt("sstpcd", ours, lab)
            attempt("sstpc", sstpc, lab)
        attempt("connect", connects, lab)
        for mbit in (2, 20, 100):
            attempt(f"{mbit} Mbit/s link", shaped, lab, mbit)
        attempt("20 Mbit/s link, sstpc", shaped_sstpc, lab, 20)
    attempt("loss of 0.1 %", lossy, "loss_0p1", 0.1, 3, 40)  # more would take all of the processor
    attempt("loss of 1 %", lossy, "loss_1", 1)


main()
