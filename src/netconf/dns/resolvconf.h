/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "netconf/dns/dns.h"

bool dns_resolvconf_command(bool set, unsigned step, const struct dns_servers *dns, struct dns_command *ret);
bool dns_resolvconf_is_installed(const struct dns_servers *dns);
