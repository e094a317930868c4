#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks over the #include lines that each layer uses only those below it, and that pure code touches no system."""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"

# layer: what it may include, besides itself
LAYERS = {
    "base": set(),
    "crypto": {"base"},
    "proto/http": {"base", "crypto"},
    "proto/sstp": {"base", "crypto"},
    "proto/ppp": {"base", "crypto"},
    "data": {"base", "crypto", "proto"},
    "session": {"base", "crypto", "proto", "data"},
    "tls": {"base"},
    "io": {"base"},
    "ipc": {"base"},
    "sandbox": {"base"},
    "pump": {"base", "crypto", "proto", "data", "session", "tls"},
    "config": {"base"},
    "netconf": {"base"},
}
PROGRAMS = {"sstpcd", "sstpc-tunnel", "sstpctl", "sstp-peer"}

# These compute: bytes in, bytes out. A socket, a file, a clock or the log belongs to their caller.
PURE = re.compile(r"^(proto|data|session|config)/|^netconf/plan")
PURE_MAY_NOT = re.compile(
    r"^(sys/(socket|ioctl|epoll|eventfd|timerfd|signalfd|stat|mman|un|wait|random|syscall)\.h|unistd\.h|fcntl\.h|poll\.h|netdb\.h"
    r"|pthread\.h|signal\.h|time\.h|sys/time\.h|syslog\.h|dirent\.h|linux/if_tun\.h|base/(fd|log)\.h|io/.*)$")
PURE_MAY_NOT_NAME = re.compile(
    r"(?<![\w.>])(clock_now|clock_cpu|random_system|log_(?:error|warning|notice|info|debug|line)|read|write|close|open)\s*[(;,]")
# The store writes the configuration's files; it is the one part of config that does.
PURE_EXCEPT = {"config/store.c", "config/store.h"}

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtol|strtoul|strtoll|strtoull|atoi|atol|sscanf|system|popen|alloca)\s*\(")


def layer_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "proto" else parts[0]


def without_comments(text):
    keep_lines = lambda m: "\n" * m.group(0).count("\n")
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", keep_lines, text, flags=re.S)))


def check_file(name, text):
    layer = layer_of(name)
    problems = []
    if layer not in LAYERS and layer not in PROGRAMS:
        return [f"{name}: {layer} is not a layer of tests/layers.py"]
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not m:
            continue
        header = m[1]
        local = '"' in line
        target = layer_of(header)
        if local and "/" in header and not (SRC / header).exists():
            problems.append(f"{name}:{number}: there is no src/{header}")
        if local and "/" in header and layer in LAYERS:
            allowed = LAYERS[layer]
            if target != layer and target not in allowed and target.split("/")[0] not in allowed:
                problems.append(f"{name}:{number}: {layer} may not include {header}")
        if local and layer in PROGRAMS and target in PROGRAMS and target != layer:
            problems.append(f"{name}:{number}: a program may not include a part of another: {header}")
        if PURE.match(name) and name not in PURE_EXCEPT and PURE_MAY_NOT.match(header):
            problems.append(f"{name}:{number}: pure code may not include {header}")
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if m := BANNED.search(line):
            problems.append(f"{name}:{number}: {m[1]} is not used here")
        if PURE.match(name) and name not in PURE_EXCEPT and (m := PURE_MAY_NOT_NAME.search(line)):
            problems.append(f"{name}:{number}: pure code may not use {m[1]}")
    if name.endswith(".h") and "#pragma once" not in text:
        problems.append(f"{name}: no #pragma once")
    return problems


def main():
    problems = []
    count = {}
    for path in sorted(SRC.rglob("*.[ch]")):
        name = str(path.relative_to(SRC))
        count[layer_of(name)] = count.get(layer_of(name), 0)
        found = check_file(name, path.read_text(encoding="utf-8"))
        count[layer_of(name)] += len(found)
        problems += found
    # The rules must be able to fail.
    teeth = (("proto/sstp/x.c", '#include "io/loop.h"'), ("data/x.c", "#include <sys/socket.h>"),
             ("base/x.c", "\tsystem(x);"),
             ("config/x.c", '#include "tls/tls.h"'), ("proto/ppp/x.c", "\tnow = clock_now();"))
    for name, text in teeth:
        if not check_file(name, text):
            problems.append(f"the rules let pass {text} in {name}")
    for problem in problems:
        print(f"# {problem}")
    for number, (layer, bad) in enumerate(sorted(count.items()), 1):
        print(f"{'not ok' if bad else 'ok'} {number} - {layer} keeps to its layer")
    print(f"{'not ok' if len(problems) > sum(count.values()) else 'ok'} {len(count) + 1} - the rules can fail")
    print(f"1..{len(count) + 1}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
