/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts of a tunnel in words, for every output that shows them. All write a NUL-terminated text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sstpcd/tunnel.h"

/* "MS-CHAPv2" for one PPP_AUTH_* bit. */
const char *facts_auth(unsigned auth);
/* "SHA-256" for one SSTP_HASH_* bit. */
const char *facts_hash(unsigned hash);
/* "10.0.0.2 peer 10.0.0.1, fe80::1"; "none" */
void facts_addresses(const struct tunnel *t, char *out, size_t size);
/* "192.0.2.53 192.0.2.54 (systemd-resolved)", "none", "192.0.2.53 (not used)" */
void facts_dns(const struct tunnel *t, char *out, size_t size);
/* "through the tunnel; IPv6 installed, not active" */
void facts_default_route(const struct tunnel *t, char *out, size_t size);
/* "vpn.example.com, issued by Example CA, valid until 2027-01-31" */
void facts_certificate(const struct tunnel *t, char *out, size_t size);
/* "sha256:" and base64: what --pin and `ssl pin` take. */
void facts_pin(const uint8_t pin[static 32], char *out, size_t size);
