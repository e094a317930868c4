/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "netconf/dns/dns.h"

/* `openresolv`: it orders by a metric; Debian's resolvconf by the name. */
bool dns_resolvconf_command(bool openresolv, bool set, unsigned step, const struct dns_servers *dns,
			    struct dns_command *ret);
bool dns_resolvconf_is_installed(const struct dns_servers *dns);
