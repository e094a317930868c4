/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of src/tls: records once the handshake is over, see records.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;
struct records;
struct traffic_secrets;

/*
 * For a session that stands and of whose application data nothing was sent or read. -EOPNOTSUPP if this is
 * not done for it (TLS 1.2 with CBC), or -ENOMEM.
 */
int records_new(const struct traffic_secrets *secrets, bool server, struct records **ret);
void records_free(struct records *r); /* NULL is fine */

/* Encrypts one record of up to TLS_RECORD_MAX bytes behind those that wait in t->wire. 0, or the error that
 * all writing has from now on. */
int records_write(struct tls *t, const uint8_t *data, size_t len);
/* Queues close_notify, once. */
void records_shutdown(struct tls *t);
/*
 * Decrypts what has arrived, after at most one recv(2) and none if something was there. Returns the count of
 * bytes; if that is less than `size`, *ret_end says why: -EAGAIN, 0 with t->closed, or t->error.
 */
size_t records_read(struct tls *t, uint8_t *out, size_t size, int *ret_end);
/* Bytes that are decrypted already and wait for room. */
size_t records_rest(const struct records *r);
