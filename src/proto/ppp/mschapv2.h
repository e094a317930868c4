/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of MS-CHAPv2 (RFC 2759), which CHAP and EAP carry alike. The computations are
 * crypto/mschap.h's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/secret.h"
#include "crypto/mschap.h"

#define MSCHAPV2_VALUE_LEN 49  /* of a Response: peer challenge, 8 zero bytes, NT-Response, flags. §4 */
#define MSCHAPV2_TEXT_MAX  128 /* of the Success and Failure that we make */

struct auth;
struct credentials;

/* What an exchange comes to. Not to be used before the other side has proven itself. */
struct mschapv2 {
	uint8_t authenticator[MSCHAP_AUTHENTICATOR_LEN];
	uint8_t keys[2 * MSCHAP_KEY_LEN];
};

/* Client: the value that answers `challenge`. -EILSEQ: the password is not UTF-8. */
int mschapv2_respond(struct mschapv2 *m, const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
		     const struct credentials *credentials, const struct random_source *random,
		     uint8_t ret_value[static MSCHAPV2_VALUE_LEN]);
/* Client: takes the text of a Success: its message, and whether it proves that the server knows the password.
 * Where it does not, authentication has failed. */
bool mschapv2_accept(struct auth *a, const uint8_t *text, size_t len);
/* Client: takes the text of a Failure, with which authentication has failed: every one is final, whatever it
 * says about retries, as there is no other password to try. */
void mschapv2_refused(struct auth *a, const uint8_t *text, size_t len);

/* Server: is this the value of somebody who knows the password? */
bool mschapv2_verify(struct mschapv2 *m, const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
		     const struct secret *password, const char *user, const uint8_t *value, size_t len);
/* Server: the texts. They return their length. */
size_t mschapv2_success(const struct mschapv2 *m, char out[static MSCHAPV2_TEXT_MAX]);
size_t mschapv2_failure(const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
			char out[static MSCHAPV2_TEXT_MAX]);
