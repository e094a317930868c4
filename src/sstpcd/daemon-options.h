/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "sstpcd/daemon.h"

/* 1: go on; 0: done already (--help, --version, --check without errors); negative: `failure` is set. */
int daemon_options_parse(int argc, char **argv, struct daemon_options *o, struct failure *failure);
