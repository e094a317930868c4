# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what was measured: bench.json (a median per key), bench-details.json (every round, CPU shares, failures), and the
figures of docs/performance.md with their plots. The words of that page around the figures are written by hand."""
import json
import os
import pathlib
import platform
import re
import subprocess
import time

import plot
from lab import CONGESTION, RELEASE, SOURCE

PAGE = SOURCE / "docs/performance.md"
PLOTS = SOURCE / "docs/performance"
BEGIN, END = "<!-- figures: begin (written by bench/run) -->", "<!-- figures: end -->"

HOST_KEYS = """tls_stream_mbit veth_mbit tunnel_up_mbit tunnel_down_mbit tunnel_bidir_mbit tunnel_8streams_up_mbit tunnel_ipv6_up_mbit
tunnel_forwarded_up_mbit tunnel_forwarded_down_mbit tunnel_up_mbit_mtu4087 tunnel_down_mbit_mtu4087 openconnect_up_mbit
openconnect_down_mbit openconnect_loaded_rtt_p95_us openvpn_up_mbit udp64_lossfree_pps_up udp64_lossfree_pps_down
openconnect_udp64_lossfree_pps_up idle_rtt_added_p50_us idle_rtt_added_p99_us loaded_rtt_p95_us_up loaded_rtt_p95_us_down
cpu_s_per_gib_up cpu_s_per_gib_down tls_cpu_s_per_gib connect_ms worker_private_kb worker_private_loaded_kb daemon_private_kb
tunnels_200_up_s tunnels_200_private_kb tunnels_200_idle_cpu_percent interfaces_1000_load_s interfaces_1000_commit_s interfaces_1000_save_s
interfaces_1000_show_s interfaces_1000_start_s interfaces_1000_stop_s interfaces_1000_wakeups_in_10_s""".split()
UML_KEYS = """connect_round_trips uml_tls_stream_mbit uml_sstpc_up_mbit uml_sstpc_down_mbit uml_ours_up_mbit uml_ours_down_mbit
uml_sstpc_loaded_rtt_p95_us uml_ours_loaded_rtt_p95_us uml_sstpc_connect_ms uml_ours_connect_ms
shaped_2_rtt_added_p95_ms shaped_20_rtt_added_p95_ms shaped_100_rtt_added_p95_ms shaped_2_goodput_share shaped_20_goodput_share
shaped_100_goodput_share shaped_20_sstpc_rtt_added_p95_ms loss_0p1_goodput_share loss_1_goodput_share""".split()


def ratio(a, b):
    return lambda m: m[a] / m[b]


def value(key, factor=1.0):
    return lambda m: m[key] * factor


# What is asked for: (words, figure from the medians, target, whether more is better, unit)
TARGETS = (
    ("TCP up, MTU 1500, share of bare TLS", ratio("tunnel_up_mbit", "tls_stream_mbit"), 0.80, True, ""),
    ("TCP down, MTU 1500, share of bare TLS", ratio("tunnel_down_mbit", "tls_stream_mbit"), 0.80, True, ""),
    ("forwarded from a third namespace, up", ratio("tunnel_forwarded_up_mbit", "tls_stream_mbit"), 0.65, True, ""),
    ("forwarded from a third namespace, down", ratio("tunnel_forwarded_down_mbit", "tls_stream_mbit"), 0.65, True, ""),
    ("MTU 4087, up, share of bare TLS", ratio("tunnel_up_mbit_mtu4087", "tls_stream_mbit"), 0.90, True, ""),
    ("MTU 4087, down, share of bare TLS", ratio("tunnel_down_mbit_mtu4087", "tls_stream_mbit"), 0.90, True, ""),
    ("both directions at once, sum against up alone", ratio("tunnel_bidir_mbit", "tunnel_up_mbit"), 0.9, True, ""),
    ("times openconnect + ocserv, up", ratio("tunnel_up_mbit", "openconnect_up_mbit"), 4.5, True, "×"),
    ("times openconnect + ocserv, down", ratio("tunnel_down_mbit", "openconnect_down_mbit"), 4.5, True, "×"),
    ("UML: up, share of bare TLS", ratio("uml_ours_up_mbit", "uml_tls_stream_mbit"), 0.5, True, ""),
    ("UML: times sstpc + pppd, up", ratio("uml_ours_up_mbit", "uml_sstpc_up_mbit"), 25, True, "×"),
    ("UML: times sstpc + pppd, down", ratio("uml_ours_down_mbit", "uml_sstpc_down_mbit"), 25, True, "×"),
    ("CPU per GiB, up, worker against an end of bare TLS", ratio("cpu_s_per_gib_up", "tls_cpu_s_per_gib"), 1.5, False, "×"),
    ("CPU per GiB, down, worker against an end of bare TLS", ratio("cpu_s_per_gib_down", "tls_cpu_s_per_gib"), 1.5, False, "×"),
    ("64-byte UDP without loss, up", value("udp64_lossfree_pps_up"), 250000, True, "/s"),
    ("64-byte UDP without loss, down", value("udp64_lossfree_pps_down"), 250000, True, "/s"),
    ("the same, times openconnect, up", ratio("udp64_lossfree_pps_up", "openconnect_udp64_lossfree_pps_up"), 2, True, "×"),
    ("idle ping, added, p50", value("idle_rtt_added_p50_us", 1e-3), 0.1, False, "ms"),
    ("idle ping, added, p99", value("idle_rtt_added_p99_us", 1e-3), 0.3, False, "ms"),
    ("ping p95 during an upload", value("loaded_rtt_p95_us_up", 1e-3), 3, False, "ms"),
    ("ping p95 during a download", value("loaded_rtt_p95_us_down", 1e-3), 3, False, "ms"),
    ("UML: ping p95 during an upload", value("uml_ours_loaded_rtt_p95_us", 1e-3), 10, False, "ms"),
    *((f"{n} Mbit/s link, 8 uploads: ping p95 added", value(f"shaped_{n}_rtt_added_p95_ms"), t, False, "ms") for n, t in ((2, 25), (20, 10), (100, 5))),
    *((f"{n} Mbit/s link, 8 uploads: share of the goodput", value(f"shaped_{n}_goodput_share"), 0.93, True, "") for n in (2, 20, 100)),
    ("50 ms, 0.1 % loss: share of the goodput", value("loss_0p1_goodput_share"), 0.9, True, ""),
    ("50 ms, 1 % loss: share of the goodput", value("loss_1_goodput_share"), 0.9, True, ""),
    ("connect, the system's CA store", value("connect_ms"), 25, False, "ms"),
    ("round trips to connect", value("connect_round_trips"), 8, False, ""),
    ("UML: connect at 2 ms round trip", value("uml_ours_connect_ms"), 80, False, "ms"),
    ("private memory of an idle worker", value("worker_private_kb", 1 / 1024), 1.5, False, "MB"),
    ("private memory of a loaded worker", value("worker_private_loaded_kb", 1 / 1024), 5, False, "MB"),
    ("private memory of the daemon", value("daemon_private_kb", 1 / 1024), 3, False, "MB"),
    ("200 tunnels: all up", value("tunnels_200_up_s"), 10, False, "s"),
    ("200 tunnels: private memory", value("tunnels_200_private_kb", 1 / 1024), 350, False, "MB"),
    ("200 tunnels: idle CPU, of a core", value("tunnels_200_idle_cpu_percent"), 1, False, "%"),
    *((f"1000 interfaces, disabled: {what}", value(f"interfaces_1000_{key}_s"), 2, False, "s")
      for what, key in (("load", "load"), ("commit", "commit"), ("save", "save"), ("show", "show"), ("start", "start"), ("stop", "stop"))),
    ("1000 interfaces, disabled: the daemon wakes up in 10 s", value("interfaces_1000_wakeups_in_10_s"), 0, False, "times"),
)

CHARTS = (
    ("throughput", "One TCP stream through each", "Mbit/s, two cores shared by both ends and iperf3", (
        ("plain veth", "veth_mbit", "other"), ("bare TLS, no tunnel", "tls_stream_mbit", "tls"), ("sstpcd, up", "tunnel_up_mbit", "ours"),
        ("sstpcd, down", "tunnel_down_mbit", "ours"), ("sstpcd, up, MTU 4087", "tunnel_up_mbit_mtu4087", "ours"),
        ("sstpcd, forwarded, up", "tunnel_forwarded_up_mbit", "ours"), ("openconnect + ocserv, up", "openconnect_up_mbit", "other"),
        ("openconnect + ocserv, down", "openconnect_down_mbit", "other"), ("OpenVPN over TCP, up", "openvpn_up_mbit", "other"))),
    ("latency", "Ping while an upload fills the tunnel", "p95, microseconds; less is better", (
        ("sstpcd, upload", "loaded_rtt_p95_us_up", "ours"), ("sstpcd, download", "loaded_rtt_p95_us_down", "ours"),
        ("openconnect + ocserv", "openconnect_loaded_rtt_p95_us", "other"))),
    ("uml", "Against Debian's sstpc and pppd", "Mbit/s, user-mode Linux, one CPU, the same server", (
        ("bare TLS, no tunnel", "uml_tls_stream_mbit", "tls"), ("sstpcd, up", "uml_ours_up_mbit", "ours"), ("sstpcd, down", "uml_ours_down_mbit", "ours"),
        ("sstpc + pppd, up", "uml_sstpc_up_mbit", "other"), ("sstpc + pppd, down", "uml_sstpc_down_mbit", "other"))),
)


def output_of(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
        return (done.stdout or done.stderr).strip()
    except OSError:
        return ""


def environment():
    """What the figures depend on, as (name, value)."""
    cpu = re.search(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    versions = {
        "OpenSSL": output_of("openssl", "version"), "openconnect": output_of("openconnect", "--version"), "ocserv": output_of("ocserv", "--version"),
        "OpenVPN": output_of("openvpn", "--version"), "iperf3": output_of("iperf3", "--version"),
    }
    return (
        ("processor", f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {int(memory[1]) >> 20} GiB"),
        ("kernel", platform.release().partition("-")[0]),
        ("user-mode Linux", f"{output_of('linux.uml', '--version')}, 1 CPU"),
        ("system", re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())[1]),
        ("versions", ", ".join(f"{name} {found[0]}" for name, text in versions.items() if (found := re.search(r"\d+\.\d+[\w.]*", text)))),
        ("", f"sstp-client {package('sstp-client')}, ppp {package('ppp')}"),
        ("cipher", "TLS 1.3, AES-128-GCM, for all; OpenVPN: AES-128-GCM"),
        ("congestion control", f"{CONGESTION} for all in the namespaces, cubic for all in user-mode Linux"),
        ("MTU", "1500 outside; 1500 inside, where no other is named"),
    )


def package(name):
    return output_of("dpkg-query", "-W", "-f", "${Version}", name)


def number(x):
    if x >= 1000:
        return f"{x:,.0f}".replace(",", " ")
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def outcome(row, medians):
    """(measured, verdict) of a row of TARGETS."""
    _, compute, target, more, unit = row
    try:
        measured = compute(medians)
    except (KeyError, ZeroDivisionError):
        return "not measured", "**missing**"
    reached = measured >= target if more else measured <= target
    return f"{number(measured)} {unit}".strip(), "reached" if reached else "**short**"


def figures(results, seconds, load):
    """The generated part of the page."""
    medians = results.medians()
    lines = [f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())} in {seconds:.0f} s. "
             f"Load average of the machine before the start: {load[0]:.2f} (1 min), {load[1]:.2f} (5 min)."
             + (" **The machine was busy with other things: delays and packet rates show that too.**" if load[0] > 0.5 else ""), "",
             "| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in environment()), "",
             "### Against the targets", "", "| | target | measured | |", "|---|---|---|---|"]
    for row in TARGETS:
        words, _, target, more, unit = row
        measured, verdict = outcome(row, medians)
        lines.append(f"| {words} | {'≥' if more else '≤'} {number(target)} {unit} | {measured} | {verdict} |")
    lines += ["", *(f"![{title}](performance/{name}.svg)" for name, title, _, rows in CHARTS if any(key in results.values for _, key, _ in rows)), "",
              "### Every figure", "", "| key | median | lowest | highest | rounds |", "|---|---|---|---|---|"]
    lines += [f"| `{key}` | {number(medians[key])} | {number(min(values))} | {number(max(values))} | {len(values)} |"
              for key, values in sorted(results.values.items())]
    lines += ["", "### Who used the processors", "", "Cores used while a stream ran (1.00: one core busy), median of the rounds. The remainder is iperf3 "
              "and the kernel's work on behalf of both.", "", "| | |", "|---|---|"]
    for key, rounds in results.cpu.items():
        if rounds[0]:
            shares = ", ".join(f"{name} {sorted(r.get(name, 0) for r in rounds)[len(rounds) // 2]:.2f}" for name in rounds[0])
            lines.append(f"| `{key}` | {shares} |")
    lines += ["", "### Commands", "", "Each line runs in a network namespace of its end; DIR is a scratch folder.", "", "```"]
    for commands in results.commands.values():
        lines += [scrub(command) for command in commands]
    lines += [f"iperf3 -c ADDRESS -t 2.5 -J -C {CONGESTION}   (-R down, --bidir, -P 8)", "```"]
    if results.failures:
        lines += ["", "### Not measured", ""] + [f"- {what}: {why.splitlines()[0][:200] if why else ''}" for what, why in results.failures.items()]
    return "\n".join(lines)


def scrub(text):
    """A command without the folders of this machine."""
    text = re.sub(r"[^\s=:]*/bn\d+\.\w+", "DIR", text)
    return text.replace(f"{RELEASE}/", "build/release/")


def write_page(results, seconds, load):
    PLOTS.mkdir(exist_ok=True)
    for name, title, unit, rows in CHARTS:
        found = [(label, results.values.get(key, []), kind) for label, key, kind in rows]
        if any(values for _, values, _ in found):
            (PLOTS / f"{name}.svg").write_text(plot.bars(title, unit, found))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{figures(results, seconds, load)}\n{END}{after}")


def write(path, results, seconds, load, page, keys):
    """`keys` are expected: one that has no figure is a failure."""
    medians = results.medians()
    for key in keys:
        if key not in medians:
            results.failures.setdefault(key, "; ".join(f"{what}: {why}" for what, why in results.failures.items())[:300] or "not measured")
    path.write_text(json.dumps(medians, indent=1, sort_keys=True) + "\n")
    details = {"rounds": results.values, "cpu_shares": results.cpu, "commands": results.commands, "failures": results.failures,
               "environment": dict(environment()), "load_before": load, "seconds": seconds}
    path.with_name(path.stem + "-details.json").write_text(json.dumps(details, indent=1) + "\n")
    if page:
        write_page(results, seconds, load)
    print(f"\n{'':48} {'target':>12} {'measured':>14}")
    for row in TARGETS:
        words, _, target, more, unit = row
        measured, verdict = outcome(row, medians)
        if measured != "not measured" or page:
            print(f"{words:52} {'>=' if more else '<='} {number(target):>8} {measured:>14}  {verdict.strip('*')}")
    for what, why in results.failures.items():
        print(f"FAILED {what}: {why}")
    print(f"{path.relative_to(SOURCE)}: {len(medians)} figures in {seconds:.0f} s")
