/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snoop.h"

#include <string.h>

#include "base/wire.h"
#include "crypto/mschap.h"

enum { PROTOCOL_PAP = 0xc023, PROTOCOL_CHAP = 0xc223, PROTOCOL_EAP = 0xc227 };
enum { CODE_1_CHALLENGE = 1, CODE_2_ANSWER = 2, CODE_3_SUCCESS = 3 };

#define MSCHAPV2_VALUE_LEN 49 /* RFC 2759 §4 */
#define EAP_TYPE_MSCHAPV2  26

/* Protocol and code of a frame, its value field behind it. */
static struct wire_reader open_frame(const uint8_t *frame, size_t len, uint16_t *ret_protocol,
				     uint8_t *ret_code)
{
	struct wire_reader r = wire_reader(frame, len);

	if (wire_u16(&r) != 0xff03)
		r = wire_reader(frame, len);
	*ret_protocol = wire_u16(&r);
	*ret_code = wire_u8(&r);
	wire_skip(&r, 3);
	return r;
}

/* In EAP: the MS-CHAPv2 message, whose code is its opcode, begins behind a byte of type. True if there is
 * one. */
static bool open_eap(struct wire_reader *r, uint8_t *ret_code)
{
	if (wire_u8(r) != EAP_TYPE_MSCHAPV2)
		return false;
	*ret_code = wire_u8(r);
	wire_skip(r, 3);
	return !r->error;
}

void snoop_from_client(struct snoop *s, const uint8_t *frame, size_t len)
{
	uint16_t protocol;
	uint8_t code;
	struct wire_reader r = open_frame(frame, len, &protocol, &code);

	if (protocol == PROTOCOL_EAP ? !open_eap(&r, &code) : protocol != PROTOCOL_CHAP)
		return;
	if (code != CODE_2_ANSWER || wire_u8(&r) != MSCHAPV2_VALUE_LEN)
		return;
	wire_copy(&r, s->peer_challenge, sizeof(s->peer_challenge));
	wire_skip(&r, 8);
	wire_copy(&r, s->nt_response, sizeof(s->nt_response));
	wire_skip(&r, 1);
	size_t n = wire_left(&r);
	if (r.error || n >= sizeof(s->user))
		return;
	wire_copy(&r, s->user, n);
	s->user[n] = 0;
	s->answered = true;
}

bool snoop_from_pppd(struct snoop *s, const uint8_t *frame, size_t len, uint8_t hlak[static 32])
{
	uint16_t protocol;
	uint8_t code;
	struct wire_reader r = open_frame(frame, len, &protocol, &code);
	struct mschap_result result;
	_cleanup_secret_ struct secret password = { 0 };

	memset(hlak, 0, 32); /* PAP and CHAP-MD5 have no keys */
	if (r.error)
		return false;
	if (protocol == PROTOCOL_PAP)
		return code == CODE_2_ANSWER; /* Authenticate-Ack */
	if (protocol != PROTOCOL_CHAP && protocol != PROTOCOL_EAP)
		return false;
	/* The Success that carries the proof: pppd sends none of EAP itself behind it. */
	if (protocol == PROTOCOL_EAP && !open_eap(&r, &code))
		return false;
	if (code == CODE_1_CHALLENGE && wire_u8(&r) == sizeof(s->challenge)) {
		wire_copy(&r, s->challenge, sizeof(s->challenge));
		s->challenged = !r.error;
		s->answered = false;
	}
	if (code != CODE_3_SUCCESS)
		return false;
	/* An answer to CHAP-MD5 is shorter, and leaves `answered` unset. */
	if (!s->challenged || !s->answered)
		return true;
	if (users_password(s->users, s->user, &password) == 0 &&
	    mschap_v2(&password, s->user, s->challenge, s->peer_challenge, &result) == 0) {
		memcpy(hlak, result.keys, sizeof(result.keys));
		wipe(&result, sizeof(result));
	}
	return true;
}
