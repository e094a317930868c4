# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces, processes and meters for the measurements. Everything made here is taken away by Lab.close()."""
import json
import os
import pathlib
import re
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
RELEASE = pathlib.Path(os.environ.get("RELEASE", SOURCE / "build" / "release"))
# The same congestion control for all, and not whatever the machine's default is. A namespace may use what the machine allows
# to its unprivileged users, which reno always is.
CONGESTION = "cubic" if "cubic" in pathlib.Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split() else "reno"
TICK = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A measurement that could not be made; the text says why."""


class Process:
    """A program in a namespace, with its output in a file."""

    def __init__(self, lab, name, ns, command, stdin=None):
        self.name, self.log = name, lab.dir / f"{name}.log"
        self.command = [str(word) for word in command]
        with self.log.open("wb") as out:
            self.popen = subprocess.Popen(lab.inside(ns, self.command), stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        if stdin:
            self.popen.stdin.write(stdin.encode())
            self.popen.stdin.close()

    @property
    def pid(self):
        return self.popen.pid

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_line(self, pattern, seconds=15, every=0.005):
        """Waits until the program has written a matching line, looking `every` so many seconds; returns the match."""
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text(), re.M)):
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{self.name} did not say /{pattern}/: ...{self.text()[-600:]}")
            time.sleep(every)
        return match

    def tree(self):
        """Its pid and those of its descendants."""
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
        pids, grown = {self.pid}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in pids} - pids
            grown = bool(more)
            pids |= more
        return sorted(pids)

    def stop(self, number=signal.SIGTERM, seconds=10):
        tree = self.tree() if self.popen.poll() is None else []
        if self.popen.poll() is None:
            self.popen.send_signal(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        for pid in tree:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Lab:
    """Network namespaces called bn<pid><name>, a folder for files, and the programs started."""

    def __init__(self, tag=""):
        self.prefix = f"bn{os.getpid()}{tag}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=self.prefix + "."))
        self.namespaces, self.processes = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        for ns in self.namespaces:
            subprocess.run(["ip", "netns", "del", self.prefix + ns], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def inside(self, ns, command):
        return ["ip", "netns", "exec", self.prefix + ns, *command] if ns else command

    def run(self, ns, *command, check=True, timeout=60):
        done = subprocess.run(self.inside(ns, [str(word) for word in command]), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)
        if check and done.returncode:
            raise Failure(f"{' '.join(str(word) for word in command)}: {(done.stdout + done.stderr)[-600:]}")
        return done.stdout

    def start(self, name, ns, *command, stdin=None):
        process = Process(self, name, ns, command, stdin)
        self.processes.append(process)
        return process

    def stop(self, process, number=signal.SIGTERM):
        if process in self.processes:
            self.processes.remove(process)
        process.stop(number)

    def namespace(self, *names):
        for ns in names:
            self.run(None, "ip", "netns", "add", self.prefix + ns)
            self.namespaces.append(ns)
            self.batch(ns, "link set lo up")
            self.run(ns, "sysctl", "-qw", f"net.ipv4.tcp_congestion_control={CONGESTION}")

    def batch(self, ns, *lines):
        done = subprocess.run(["ip", "-n", self.prefix + ns, "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise Failure(f"ip -batch in {ns}: {done.stderr}")

    def link(self, a, adev, aaddresses, b, bdev, baddresses):
        """A veth pair whose ends have these addresses."""
        self.run(None, "ip", "link", "add", adev, "netns", self.prefix + a, "type", "veth", "peer", "name", bdev, "netns", self.prefix + b)
        for ns, dev, addresses in ((a, adev, aaddresses), (b, bdev, baddresses)):
            self.batch(ns, f"link set {dev} addrgenmode none",
                       *(f"address add {x} dev {dev}" + (" nodad" if ":" in x else "") for x in addresses), f"link set {dev} up")
        self.await_true(lambda: all("state UP" in self.run(ns, "ip", "link", "show", dev) for ns, dev in ((a, adev), (b, bdev))))

    @staticmethod
    def await_true(condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure("a condition did not come true in time")
            time.sleep(0.01)

    def await_listen(self, ns, port, kind="t"):
        self.await_true(lambda: self.run(ns, "ss", f"-Hln{kind}", f"sport = {port}"))

    def certificate(self):
        """A throwaway CA and a certificate for `vpn.test`: ca.pem, vpn.test.pem, vpn.test.key."""
        tool = SOURCE / "tests/integration/ca"
        self.run(None, tool, self.dir, "init")
        self.run(None, tool, self.dir, "server", "vpn.test")


def cpu_seconds(pids):
    """User and system time that living processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICK


def private_kb(pid):
    """Private memory of a process: what ending it would give back."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", text, re.M))


class PeakMemory(threading.Thread):
    """The most private memory that a process has while a block runs, looked at twice a second."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.kb, self.over, self.failure = pid, 0, threading.Event(), None

    def run(self):
        try:
            while not self.over.wait(0.5):
                self.kb = max(self.kb, private_kb(self.pid))
        except OSError as error:
            self.failure = Failure(f"memory of process {self.pid}: {error}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        if self.failure:
            raise self.failure


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def median(values):
    return statistics.median(values)


# --- meters: each returns numbers counted at the receiver ---------------------------------------------------------------

class Cpu:
    """Shares of a core used by groups of processes while a block runs."""

    def __init__(self, groups):
        self.groups = groups
        self.seconds, self.shares = {}, {}

    def __enter__(self):
        self.start = time.monotonic()
        self.before = {name: cpu_seconds(pids) for name, pids in self.groups.items()}
        return self

    def __exit__(self, *_):
        elapsed = time.monotonic() - self.start
        self.seconds = {name: cpu_seconds(pids) - self.before[name] for name, pids in self.groups.items()}
        self.shares = {name: seconds / elapsed for name, seconds in self.seconds.items()}


def iperf(lab, server_ns, client_ns, address, seconds, *options, bind=None):
    """One iperf3 run; returns its JSON. The server is started for it and ends with it."""
    port = 5201
    server = lab.start("iperf3-server", server_ns, "iperf3", "-s", "-1", "-p", port)
    try:
        lab.await_listen(server_ns, port)
        text = lab.run(client_ns, "iperf3", "-c", address, "-p", port, "-t", seconds, "-J", "-C", CONGESTION,
                       *(("-B", bind) if bind else ()), *options, check=False, timeout=seconds + 30)
        result = json.loads(text)
        if "error" in result:
            raise Failure(f"iperf3 to {address}: {result['error']}")
        return result
    except json.JSONDecodeError as error:
        raise Failure(f"iperf3 to {address}: {text[-300:]}") from error
    finally:
        lab.stop(server)


def received_mbit(result, reverse_too=False):
    end = result["end"]
    total = end["sum_received"]["bits_per_second"]
    if reverse_too:
        total += end["sum_received_bidir_reverse"]["bits_per_second"]
    return total / 1e6


def received_bytes(result):
    return result["end"]["sum_received"]["bytes"]


def stalls(seconds=1, least=100):
    """How long, in microseconds, a loop that only reads the clock stood still each time that it did so for `least` or more: by timers,
    the rest of the system, and what runs this machine if it is a virtual one."""
    found, now = [], time.monotonic_ns()
    end = now + int(seconds * 1e9)
    while now < end:
        before, now = now, time.monotonic_ns()
        if now - before >= least * 1000:
            found.append((now - before) / 1000)
    return found


def ping(lab, ns, address, count=200, interval=0.01):
    """Round trip times in microseconds; a lost reply is an error, not a number. Below 10 ms ping itself keeps a processor busy."""
    text = lab.run(ns, "ping", "-n", "-i", interval, "-c", count, "-W", "2", address, check=False, timeout=count * interval + 30)
    times = [float(ms) * 1000 for ms in re.findall(r"time=([\d.]+) ms", text)]
    if len(times) < count * 0.9:
        raise Failure(f"ping {address}: {len(times)} of {count} replies")
    return times


def loaded_ping(lab, server_ns, client_ns, address, seconds, *options, settle=1.0, interval=0.01):
    """Pings while iperf3 fills the path; returns (round trip times in us, iperf3's result)."""
    port = 5201
    server = lab.start("iperf3-server", server_ns, "iperf3", "-s", "-1", "-p", port)
    lab.await_listen(server_ns, port)
    load = lab.start("iperf3-load", client_ns, "iperf3", "-c", address, "-p", port, "-t", seconds + settle + 1, "-O", settle, "-J",
                     "-C", CONGESTION, *options)
    try:
        # The load's start-up is not what is measured; select() waits without a clock of our own.
        select.select([], [], [], settle)
        times = ping(lab, client_ns, address, int(seconds / interval), interval)
        load.popen.wait(seconds + 30)
        result = json.loads(load.text())
        if "error" in result:
            raise Failure(f"iperf3 to {address}: {result['error']}")
        return times, result
    finally:
        lab.stop(load)
        lab.stop(server)


def udp_received(lab, to_ns, from_ns, address, rate, msec, size):
    """Sends a UDP stream; returns (packets sent, packets received)."""
    tool = RELEASE / "bench/udp-rate"
    receiver = lab.start("udp-receiver", to_ns, tool, "receive", address, 5301)
    try:
        receiver.await_line("ready")
        sent = int(lab.run(from_ns, tool, "send", address, 5301, rate, msec, size).split()[1])
        # What is under way arrives within the time of a full queue; the counter is read when it stands still.
        lab.await_true(lambda: "0" == drained(lab, to_ns), 5)
        select.select([], [], [], 0.1)
    finally:
        lab.stop(receiver)
    return sent, int(receiver.await_line(r"received (\d+)")[1])


def drained(lab, ns):
    """Bytes that wait in the receiver's socket."""
    return lab.run(ns, "ss", "-Hun", "-a", "sport = 5301").split()[1]


def lossfree_pps(lab, to_ns, from_ns, address, size=64, msec=1000, low=10000, high=1000000):
    """The highest rate of which a stream of `msec` arrived without a loss: by doubling, then five halvings."""
    def passes(rate):
        sent, received = udp_received(lab, to_ns, from_ns, address, rate, msec, size)
        # a sender that can not keep up has not shown this rate
        return sent == received and sent > 0.95 * rate * msec / 1000

    good, rate = 0, low
    while rate <= high and (passes(rate) or passes(rate)):
        good, rate = rate, rate * 2
    bad = rate
    for _ in range(5):
        middle = (good + bad) // 2
        if passes(middle):
            good = middle
        else:
            bad = middle
    return good
