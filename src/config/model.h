/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one `interfaces sstpc sstpcN` means, with types and defaults: the form in which the daemon works.
 * `sstpcd quick` fills the same structure from its options, so that there is one way to run a tunnel.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/secret.h"

/* Authentication methods as a bit set; the values are those of PPP_AUTH_*. */
#define CONFIG_AUTH_PAP	     0x01u
#define CONFIG_AUTH_CHAP     0x02u
#define CONFIG_AUTH_MSCHAPV2 0x04u
#define CONFIG_AUTH_EAP	     0x08u /* EAP-MSCHAPv2 */

#define CONFIG_DESCRIPTION_MAX 255
#define CONFIG_USERNAME_MAX    255 /* PAP: its length is one byte */
#define CONFIG_PATH_MAX	       1024
#define CONFIG_CA_NAME_MAX     255
#define CONFIG_CERTIFICATE_MAX 32768	    /* base64 characters of one certificate */
#define CONFIG_CAS_MAX	       256	    /* entries of `pki ca`: each is inspected */
#define CONFIG_CA_PEM_MAX      (512u << 10) /* of the CA and the other entries together */
#define CONFIG_PIN_LEN	       32	    /* SHA-256 of a subjectPublicKeyInfo */
#define CONFIG_PINS_MAX	       8

#define CONFIG_MTU_MIN		68
#define CONFIG_MTU_MAX		4087 /* the largest information field of PPP in SSTP */
#define CONFIG_MTU_DEFAULT	1500
#define CONFIG_PORT_DEFAULT	443
#define CONFIG_DISTANCE_DEFAULT 210

#define CONFIG_MSS_UNSET 0
#define CONFIG_MSS_CLAMP 1 /* clamp-mss-to-pmtu; every other value is the MSS in bytes, 536–65535 */

enum config_source_validation {
	CONFIG_RPF_UNSET, /* the system's own setting stays */
	CONFIG_RPF_DISABLE,
	CONFIG_RPF_LOOSE,
	CONFIG_RPF_STRICT,
};

/* What a change costs a running session; the greatest of several counts. */
enum config_cost {
	CONFIG_COST_NONE,   /* nothing to do */
	CONFIG_COST_LIVE,   /* the session stays up */
	CONFIG_COST_REDIAL, /* another server, identity or trust: end the session, dial again */
};

struct config_pin {
	uint8_t sha256[CONFIG_PIN_LEN];
};

struct config_interface {
	char name[IFNAMSIZ];
	char description[CONFIG_DESCRIPTION_MAX + 1];
	bool disable;
	uint16_t mtu;
	char vrf[IFNAMSIZ]; /* "" = none */

	char server[HOST_MAX]; /* name or address literal, no brackets; "" = not configured */
	uint16_t port;
	char username[CONFIG_USERNAME_MAX + 1]; /* "" = none */
	struct secret password;			/* len 0 = none here; see password_file */
	char password_file[CONFIG_PATH_MAX];	/* "" = none; read by the daemon at each dial */
	unsigned auth;				/* CONFIG_AUTH_*: exactly these may be used */

	char ca_name[CONFIG_CA_NAME_MAX + 1]; /* `pki ca` entry; "" = the system's trust store */
	/* Its certificate as PEM, and behind it those of the other entries, which may complete a server's
	 * chain and are not trusted; owned, NULL if there is none. */
	char *ca_pem;
	size_t ca_anchors_len; /* of what is trusted, at the beginning of ca_pem */
	struct config_pin pins[CONFIG_PINS_MAX];
	size_t n_pins;
	char server_name[HOST_MAX]; /* verified instead of `server`; "" = server */

	bool no_default_route;
	uint8_t distance; /* kernel metric of the default route */
	bool no_peer_dns;
	uint16_t adjust_mss; /* CONFIG_MSS_* or bytes */
	bool disable_forwarding;
	enum config_source_validation source_validation;
};

/* Sets every member to the default of the schema, and the name (cut to what fits). */
void config_interface_init(struct config_interface *c, const char *name);
/* Frees what is owned and wipes the rest. */
void config_interface_done(struct config_interface *c);
#define _cleanup_config_interface_ _cleanup_(config_interface_done)
/* A deep copy. `to` is overwritten, not freed. 0 or -ENOMEM (then `to` is empty and needs no done). */
int config_interface_copy(struct config_interface *to, const struct config_interface *from);

struct config_tree;
/*
 * The interface as the tree describes it, with the certificates of its CA. 0, -ENOENT if the tree has no such
 * interface, -EINVAL if a value does not fit its type (a tree that was checked has none), -ENOMEM.
 */
int config_interface_load(const struct config_tree *tree, const char *name, struct config_interface *ret);

/* Adds the stored form of a certificate (one line of base64) as PEM. */
struct text;
void config_add_pem(const char *base64, struct text *out);

/* The cost of going from `a` to `b`, by the schema's cost of each leaf that differs. The names must be equal.
 */
enum config_cost config_interface_compare(const struct config_interface *a, const struct config_interface *b);

/*
 * A pin as a person writes it: 64 hex digits (colons allowed between bytes), or base64 of the 32 bytes,
 * either one with or without a "sha256:" or "sha256//" in front. -EINVAL.
 */
int config_parse_pin(const char *s, struct config_pin *ret);
/* "pap", "chap", "eap" or "mschap-v2" to CONFIG_AUTH_* bits. MS-CHAPv2 is also meant inside EAP. -EINVAL. */
int config_parse_auth(const char *s, unsigned *ret);
