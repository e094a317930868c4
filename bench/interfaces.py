#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the daemon takes with many disabled interfaces: to load and commit them, to show and complete them, to change one, to
save, to start from the saved file, to stop; and whether it then sleeps. `bench/interfaces.py [N]`, a line per figure."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import RELEASE, Lab, private_kb  # noqa: E402

SECONDS_ASLEEP = 10
READY = r"^ready, (\d+) interface"


def configuration(count):
    """A saved file with everything that a disabled interface can have without a program being run for it."""
    lines = ["interfaces {"]
    for i in range(count):
        lines += [f"sstpc sstpc{i} {{", "authentication {", f"username user{i}", "password secret", "}", f'description "number {i}"',
                  "disable", "mtu 1400", f"server vpn{i}.example.com", "ssl {", "server-name vpn.example.com", "}", "}"]
    return "\n".join([*lines, "}", ""])


class Daemon:
    """sstpcd in the namespace `ns`, with all its files in the lab's folder."""

    def __init__(self, lab, ns):
        self.lab, self.ns, self.process = lab, ns, None
        self.saved = lab.dir / "config.boot"
        self.resolv_conf = lab.dir / "resolv.conf"
        self.resolv_conf.write_text("nameserver 192.0.2.99\n")

    def start(self):
        """Seconds until it is ready."""
        start = time.monotonic()
        self.process = self.lab.start("sstpcd", self.ns, RELEASE / "src/sstpcd/sstpcd", "--config", self.saved, "--state-dir", self.lab.dir / "state",
                                      "--run-dir", self.lab.dir / "run", "--resolv-conf", self.resolv_conf)
        self.process.await_line(READY, 60)
        return time.monotonic() - start

    def stop(self):
        """Seconds until it has ended."""
        start = time.monotonic()
        self.process.popen.terminate()
        self.process.popen.wait(60)
        elapsed = time.monotonic() - start
        self.lab.stop(self.process)
        return elapsed

    def ctl(self, *words, stdin=""):
        """Seconds that sstpctl takes, and what it prints."""
        start = time.monotonic()
        done = subprocess.run([RELEASE / "src/sstpctl/sstpctl", "--socket", self.lab.dir / "run/control", *words], input=stdin, capture_output=True,
                              text=True, check=True)
        return time.monotonic() - start, done.stdout

    def configure(self, *lines):
        return self.ctl("configure", stdin="\n".join([*lines, "exit discard", ""]))[0]

    def switches(self):
        """How often it was woken up so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def measure(lab, ns, count, add):
    """Calls add(key, value) for each figure."""
    daemon = Daemon(lab, ns)
    (lab.dir / "run").mkdir(exist_ok=True)
    many = lab.dir / "many"
    many.write_text(configuration(count))
    name = f"interfaces_{count}"
    daemon.start()
    nothing = daemon.configure()
    load = daemon.configure(f"load {many}")
    add(f"{name}_load_s", load - nothing)
    add(f"{name}_commit_s", daemon.configure(f"load {many}", "commit") - load)
    add(f"{name}_save_s", daemon.configure("save") - nothing)
    add(f"{name}_commit_one_s", daemon.configure("set interfaces sstpc sstpc7 mtu 1300", "commit") - nothing)
    for key, words in (("show", ("show", "interfaces", "sstpc")), ("show_detail", ("show", "interfaces", "sstpc", "detail")),
                       ("show_configuration", ("show", "configuration")), ("show_json", ("show", "interfaces", "sstpc", "|", "json"))):
        elapsed, text = daemon.ctl(*words)
        if text.count("sstpc") < count:
            raise RuntimeError(f"{' '.join(words)} does not show all interfaces")
        add(f"{name}_{key}_s", elapsed)
    add(f"{name}_private_kb", private_kb(daemon.process.pid))
    time.sleep(2)  # what a change leads to is over by then
    before = daemon.switches()
    time.sleep(SECONDS_ASLEEP)  # the measurement itself: nothing should happen in it
    add(f"{name}_wakeups_in_{SECONDS_ASLEEP}_s", daemon.switches() - before)
    add(f"{name}_stop_s", daemon.stop())
    add(f"{name}_start_s", daemon.start())
    daemon.stop()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if os.geteuid() != 0:
        sys.exit("bench/interfaces.py: needs root, for a network namespace")
    with Lab() as lab:
        lab.namespace("many")
        measure(lab, "many", count, lambda key, value: print(f"{key:36} {value:10.3f}", flush=True))


if __name__ == "__main__":
    main()
