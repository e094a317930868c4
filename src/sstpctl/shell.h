/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interactive shell: a line editor with TAB, '?', history, and VyOS's prompts. */
#pragma once

#include "sstpctl/client.h"

/* Until `exit` in operational mode, or Ctrl-D there. Exit code of the last command. */
int shell_run(struct client *c);
