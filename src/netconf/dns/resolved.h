/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "netconf/dns/dns.h"

bool dns_resolved_command(bool set, unsigned step, const struct dns_servers *dns, struct dns_command *ret);
/* resolved keeps what it was told about a link in a file until the link goes or is reverted. */
bool dns_resolved_is_installed(uint32_t ifindex);
