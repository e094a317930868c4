/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict text → value conversions. All return 0 or a negative errno and leave their out-parameter alone on
 * error. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Decimal digits only (no sign, no blank); -EINVAL if not a number, -ERANGE outside min…max. */
int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret);
/* "00ff…" of exactly `len` bytes; upper or lower case. */
int parse_hex(const char *s, uint8_t *ret, size_t len);

/* True where no byte has its highest bit set. */
bool is_ascii(const char *s);
/* True for a host name by RFC 1123 §2.1: labels of 1–63 letters, digits, '-' (not at an end), 253 in all, and
 * the last label not all digits, so that no mistyped IPv4 address passes as a name. One trailing dot is
 * allowed. */
bool is_host_name(const char *s);
/* An IPv4 or IPv6 address as inet_pton(3) reads it: no zone, no brackets. */
bool is_address(const char *s);
/* An interface name that the kernel takes: 1–15 bytes, printable, no '/', ':' or blank, not "." or "..", and
 * not "all" or "default", which are directories of the network's sysctls. */
bool is_interface_name(const char *s);

#define HOST_MAX 254
struct host_port {
	char host[HOST_MAX]; /* name or address, without brackets */
	uint16_t port;
	bool is_address; /* IPv4 or IPv6 literal */
};

/* "host", "host:port", "1.2.3.4:port", "[v6]", "[v6]:port", "v6". -EINVAL if the host, -ERANGE if the port is
 * bad. */
int parse_host_port(const char *s, uint16_t default_port, struct host_port *ret);
