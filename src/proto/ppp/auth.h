/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication as the link sees it: a method takes packets and deadlines and ends in a status. A new method
 * is a table of functions, its state in `struct auth`, and a row in the table of lcp.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "proto/ppp/frame.h"
#include "proto/ppp/mschapv2.h"
#include "proto/ppp/ppp.h"

#define AUTH_RESEND_TIME (3 * USEC_PER_SEC)
#define AUTH_SENDS_MAX	 10
#define HLAK_LEN	 32

struct auth;

struct auth_method {
	uint16_t protocol;
	void (*start)(struct auth *a, usec_t now);
	void (*input)(struct auth *a, const struct packet *p, usec_t now);
	/* The deadline of the method has come: send (again). */
	void (*timeout)(struct auth *a, usec_t now);
	/* The peer goes on to the network layer. NULL: that says nothing. */
	void (*network_began)(struct auth *a);
};

extern const struct auth_method auth_pap;
extern const struct auth_method auth_chap; /* both algorithms */
extern const struct auth_method auth_eap;

enum auth_status {
	AUTH_IDLE,
	AUTH_RUNNING,
	AUTH_SUCCEEDED, /* a later challenge is still answered, and may still fail */
	AUTH_FAILED,	/* `failure` is set */
};

struct credentials {
	bool known;
	char user[PPP_USER_MAX];
	struct secret password;
};

struct chap {
	uint8_t id;
	uint8_t challenge[255];
	size_t challenge_len;		   /* 0: none yet */
	uint8_t value[MSCHAPV2_VALUE_LEN]; /* client: our answer to it */
	size_t value_len;		   /* 0: not answered */
	bool waiting;			   /* client: for Success or Failure */
};

/* How far the conversation is, on either side. */
enum eap_step {
	EAP_IDENTITY,
	EAP_CHALLENGE, /* client: answered; server: asked */
	EAP_PROVEN,    /* client: the server has; server: the client has, and we told our proof */
	EAP_REFUSED,   /* server: the client was told */
	EAP_DONE,
};

#define EAP_DATA_MAX 384 /* of a packet that we make or keep: the longest has a user name and 49 bytes */

/* A packet behind its header: type and data. */
struct eap_data {
	size_t len; /* 0: none */
	uint8_t bytes[EAP_DATA_MAX];
};

struct eap {
	enum eap_step step;
	uint8_t id;		 /* of the last request */
	struct eap_data sent;	 /* last, to be sent again */
	struct eap_data waits;	 /* client: the request that waits for credentials */
	uint8_t heard[SHA1_LEN]; /* client: of the last request, to know it again */
	uint8_t challenge[MSCHAP_CHALLENGE_LEN];
	uint8_t challenge_id; /* the MS-CHAPv2-ID */
	uint8_t foreign_type; /* client: a type that was asked for, and that we do not have; 0: none */
	struct rate_limit answers;
};

struct auth {
	unsigned type;			  /* one PPP_AUTH_*, 0 while idle */
	const struct auth_method *method; /* NULL while idle */
	const struct ppp_config *config;
	const struct credentials *credentials; /* client */
	struct frame_queue *queue;
	enum auth_status status;
	usec_t deadline; /* of the method; a past one is due at once */
	unsigned sends;
	struct failure failure;
	char user[PPP_USER_MAX]; /* server: who logged in */
	char message[128];	 /* the server's words, printable */
	uint8_t hlak[HLAK_LEN];	 /* zero where the method makes no keys */
	struct mschapv2 mschapv2;
	struct chap chap;
	struct eap eap;
};

void auth_init(struct auth *a, const struct ppp_config *config, const struct credentials *credentials,
	       struct frame_queue *queue);
/* Begins with the method that LCP agreed on. */
void auth_start(struct auth *a, unsigned type, usec_t now);
/* The link went down: forgets everything. */
void auth_reset(struct auth *a);
/* The peer goes on to the network layer, which may be its word of success. */
void auth_network_began(struct auth *a);
/* The credentials have come: whatever waits for them goes out at the next timeout, which is due at once. */
void auth_credentials_known(struct auth *a);

/* For the methods. */
void auth_fail(struct auth *a, enum cause cause, const char *detail_format, ...) _printf_(3, 4);
void auth_succeed(struct auth *a);
/* After MS-CHAPv2, whose keys become the HLAK; of a login in a session that has one already they do not. */
void auth_succeed_with_keys(struct auth *a);
/* The first sending and each resend, until AUTH_SENDS_MAX; then only the whole authentication's time runs. */
void auth_sent(struct auth *a, usec_t now);
/* Server: the password of a user; false (and an empty password to compute with) for an unknown one. */
bool auth_find_password(const struct auth *a, const char *user, struct secret *ret);
/* Copies a name from the wire. False where it is too long or holds a NUL. */
bool auth_copy_user(char out[static PPP_USER_MAX], const uint8_t *name, size_t len);
