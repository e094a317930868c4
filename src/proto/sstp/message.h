/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control messages of [MS-SSTP] 2.2: numbers, names, a walk over attributes, and writers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

#define SSTP_VERSION	      0x10 /* major 1, minor 0 */
#define SSTP_CONTROL_MIN      8	   /* header, message type, number of attributes */
#define SSTP_PROTOCOL_PPP     0x0001
#define SSTP_STATUS_VALUE_MAX 64 /* bytes of a refused value that a NAK repeats, [MS-SSTP] 2.2.8 */

/* [MS-SSTP] 2.2.2 */
enum sstp_message_type {
	SSTP_CALL_CONNECT_REQUEST = 1,
	SSTP_CALL_CONNECT_ACK = 2,
	SSTP_CALL_CONNECT_NAK = 3,
	SSTP_CALL_CONNECTED = 4,
	SSTP_CALL_ABORT = 5,
	SSTP_CALL_DISCONNECT = 6,
	SSTP_CALL_DISCONNECT_ACK = 7,
	SSTP_ECHO_REQUEST = 8,
	SSTP_ECHO_RESPONSE = 9,
};

/* [MS-SSTP] 2.2.4 */
enum sstp_attribute_id {
	SSTP_ATTRIBUTE_NONE = 0, /* in a Status Info: "no error" */
	SSTP_ENCAPSULATED_PROTOCOL_ID = 1,
	SSTP_STATUS_INFO = 2,
	SSTP_CRYPTO_BINDING = 3,
	SSTP_CRYPTO_BINDING_REQUEST = 4,
};

/* Bytes of an attribute's value, its header of 4 not counted. */
#define SSTP_PROTOCOL_ID_LEN	 2
#define SSTP_STATUS_INFO_MIN	 8
#define SSTP_BINDING_REQUEST_LEN 36
#define SSTP_BINDING_LEN	 100

/* [MS-SSTP] 2.2.8 */
enum sstp_status {
	SSTP_STATUS_NO_ERROR = 0,
	SSTP_STATUS_DUPLICATE_ATTRIBUTE = 1,
	SSTP_STATUS_UNRECOGNIZED_ATTRIBUTE = 2,
	SSTP_STATUS_INVALID_ATTRIB_VALUE_LENGTH = 3,
	SSTP_STATUS_VALUE_NOT_SUPPORTED = 4,
	SSTP_STATUS_UNACCEPTED_FRAME_RECEIVED = 5,
	SSTP_STATUS_RETRY_COUNT_EXCEEDED = 6,
	SSTP_STATUS_INVALID_FRAME_RECEIVED = 7,
	SSTP_STATUS_NEGOTIATION_TIMEOUT = 8,
	SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG = 9,
	SSTP_STATUS_REQUIRED_ATTRIBUTE_MISSING = 10,
	SSTP_STATUS_STATUS_INFO_NOT_SUPPORTED_IN_MSG = 11,
};

/* The names as the standard has them, without prefix; "unknown" for any other number. */
const char *sstp_message_name(unsigned type);
const char *sstp_attribute_name(unsigned id);
const char *sstp_status_name(uint32_t status);

/* A control packet as received; points into it. */
struct sstp_message {
	uint16_t type;		       /* any value; 0 if the packet is too short to have one */
	bool well_formed;	       /* attribute lengths and number fit the packet exactly */
	struct wire_reader attributes; /* for sstp_attribute_next(); of a malformed message up to its end */
};

struct sstp_attribute {
	uint8_t id;
	const uint8_t *value;
	size_t len;
};

/* Reads a whole control packet, header included. Reserved bits are ignored. */
struct sstp_message sstp_message_read(const uint8_t *packet, size_t len);
/* The next attribute; false at the end, or where no further one can be found. */
bool sstp_attribute_next(struct wire_reader *attributes, struct sstp_attribute *ret);

/*
 * The first status that a message carries, for people: real servers cut it short or leave it out. False if
 * there is none. *ret_attribute is SSTP_ATTRIBUTE_NONE where the message does not say.
 */
bool sstp_message_status(const struct sstp_message *m, uint32_t *ret_status, uint8_t *ret_attribute);

/*
 * Writers. A message is begun, attributes are appended, and sstp_message_end() fills in length and number of
 * attributes. `start` is the offset of the message in the writer, as sstp_message_begin() returned it.
 */
size_t sstp_message_begin(struct wire_writer *w, enum sstp_message_type type);
void sstp_message_end(struct wire_writer *w, size_t start, uint16_t attributes);
void sstp_put_protocol_id(struct wire_writer *w, uint16_t protocol);
/* `value`: of the refused attribute, for a NAK; cut to SSTP_STATUS_VALUE_MAX bytes. */
void sstp_put_status_info(struct wire_writer *w, uint8_t attribute, uint32_t status, const uint8_t *value,
			  size_t len);
void sstp_put_binding_request(struct wire_writer *w, uint8_t hashes, const uint8_t nonce[static 32]);
/* The certificate hash is 32 bytes with the padding of SHA-1; the MAC is left zero. */
void sstp_put_binding(struct wire_writer *w, uint8_t hash, const uint8_t nonce[static 32],
		      const uint8_t cert_hash[static 32]);
