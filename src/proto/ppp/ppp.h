/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPP without a line: LCP, authentication, IPCP, IPV6CP of one link (RFC 1661, 1332, 1877, 5072, 1334, 1994,
 * 2759, 3748), for both roles. The same engine contract as sstp.h: frames in, frames out, deadlines, events
 * pulled.
 *
 * A frame is what stands in an SSTP data packet: [FF 03] protocol information, no flags, no FCS. Frames sent
 * always carry FF 03 and two bytes of protocol; all four forms are accepted (protocol.md 3.1).
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"

#define PPP_HEADER_LEN 4    /* FF 03 and the protocol, as always sent */
#define PPP_IP_MAX     4087 /* 4095 − SSTP header − PPP header */
#define PPP_USER_MAX   256
#define PPP_PROTO_IPV4 0x0021
#define PPP_PROTO_IPV6 0x0057

enum ppp_role { PPP_CLIENT, PPP_SERVER };

/* Authentication protocols as a bit set. */
#define PPP_AUTH_PAP	  0x01u
#define PPP_AUTH_CHAP_MD5 0x02u
#define PPP_AUTH_MSCHAPV2 0x04u
#define PPP_AUTH_EAP	  0x08u /* EAP-MSCHAPv2 */
/* Client: take EAP where it is asked for, without a try for MS-CHAPv2. Only together with PPP_AUTH_EAP. */
#define PPP_AUTH_EAP_FIRST 0x40u
#define PPP_AUTH_NONE	   0x80u /* client: go on where the server asks for none */

const char *ppp_auth_name(unsigned auth); /* "MS-CHAPv2", "EAP-MSCHAPv2", "CHAP-MD5", "PAP", "none" */

struct ppp_server_config {
	struct in_addr address, peer_address; /* ours; the one to assign */
	struct in_addr dns[2], nbns[2];	      /* 0.0.0.0: none (the option is rejected) */
	const char *name;		      /* in challenges */
	/* Finds the password of a user (as typed, with any DOMAIN\). 0 or -ENOENT. NULL: nobody may log in.
	 */
	int (*password)(void *ctx, const char *user, struct secret *ret);
	void *password_ctx;
};

struct ppp_config {
	enum ppp_role role;
	unsigned auth;	 /* allowed (client), offered in this order: MS-CHAPv2, EAP, CHAP-MD5, PAP (server) */
	uint16_t mru;	 /* asked for; 0 = 1500 (then the option is left out) */
	bool ipv4, ipv6; /* which NCPs are wanted */
	bool want_dns;	 /* client: ask for DNS servers */
	bool want_nbns;	 /* client: ask for NBNS (WINS) servers */
	uint8_t interface_id[8]; /* IPV6CP; all zero = random */
	usec_t restart_time;	 /* 0: first resend after 300 ms, then 1 s, then every 3 s */
	usec_t lcp_time;	 /* 0 = 25 s from ppp_lower_up() to the first opening of LCP */
	usec_t auth_time;	 /* 0 = 60 s for the whole authentication */
	usec_t ipcp_time;	 /* 0 = 30 s from authentication to an address */
	struct random_source random;
	struct ppp_server_config server;
};

enum ppp_event_type {
	PPP_EVENT_NONE,
	PPP_EVENT_LCP_UP,	 /* params: mru, auth are known */
	PPP_EVENT_AUTHENTICATED, /* hlak is known (client: the server has proven itself as far as the method
				    can) */
	PPP_EVENT_IPCP_UP,	 /* params: local, peer, dns, nbns */
	PPP_EVENT_IPCP_DOWN,	 /* the peer negotiates IPCP anew: no IPv4 until it is up again */
	PPP_EVENT_IPV6CP_UP,
	PPP_EVENT_IPV6CP_DOWN, /* IPv6 is not to be had; never ends the session */
	/* The link is over; `failure` says why (CAUSE_NONE: ppp_terminate() is done). Last frames (Terminate-
	 * Request or -Ack, the answer to a login) may still wait in ppp_output(): send them before the call
	 * ends.
	 */
	PPP_EVENT_DOWN,
};

struct ppp_event {
	enum ppp_event_type type;
	struct failure failure;
};

/* What was negotiated; valid after the events named above. */
struct ppp_params {
	unsigned auth;		 /* one PPP_AUTH_* */
	char user[PPP_USER_MAX]; /* server: who logged in */
	char peer_message[128];	 /* text of the authentication answer, printable */
	/* Largest IP packet that the peer takes: what it said, 1500 if it said nothing, never over
	 * PPP_IP_MAX. The device's MTU is the smaller one of this and the configured one. */
	uint16_t peer_mru;
	uint16_t mru;			 /* ours, as acknowledged */
	uint8_t hlak[32];		 /* [MS-SSTP] 3.2.5.2.2; zero for PAP, CHAP-MD5, none */
	struct in_addr local, peer;	 /* IPCP; peer may be 0.0.0.0 */
	struct in_addr dns[2], nbns[2];	 /* client: as assigned, 0.0.0.0 for none */
	uint8_t local_id[8], peer_id[8]; /* IPV6CP interface identifiers */
	bool ipv4_up, ipv6_up;
};

struct ppp; /* ppp_state.h; members are private */

/* `config` is copied; what its pointers name must live as long as `p`. */
void ppp_init(struct ppp *p, const struct ppp_config *config);
/* Wipes everything secret. */
void ppp_done(struct ppp *p);
/*
 * Client: the credentials. May come before ppp_lower_up() or any time until the peer asks; the engine waits
 * for them, within auth_time; an answer that waited goes out at the next ppp_timeout(), due at once. Both are
 * copied. -EINVAL for an empty user name or one of PPP_USER_MAX bytes and more.
 */
int ppp_set_credentials(struct ppp *p, const char *user, const struct secret *password);

/* The SSTP call can carry PPP now. The client sends its Configure-Request at once. */
void ppp_lower_up(struct ppp *p, usec_t now);
/* It no longer can. No frames are produced any more. */
void ppp_lower_down(struct ppp *p);
/* Orderly end: Terminate-Request (2 tries), then PPP_EVENT_DOWN with CAUSE_NONE. */
void ppp_terminate(struct ppp *p, usec_t now);
/*
 * Server: what it assigns from now on. A client that has an address already is told by a new negotiation of
 * IPCP.
 */
void ppp_renumber(struct ppp *p, const struct ppp_server_config *server, usec_t now);
/* NCPs may start: the session calls it when CALL_CONNECTED was sent (client) or verified (server). */
void ppp_network_allowed(struct ppp *p, usec_t now);

/*
 * Takes one frame. An IP packet that may pass now is returned in place in *ret_ip / *ret_ip_len with its
 * protocol as the result (PPP_PROTO_IPV4, PPP_PROTO_IPV6); 0 for everything that was handled or dropped.
 */
int ppp_input(struct ppp *p, const uint8_t *frame, size_t len, usec_t now, const uint8_t **ret_ip,
	      size_t *ret_ip_len);
/* The next frame to send, at most `space` bytes (≥ 1504 suffices always); 0 if there is none. */
size_t ppp_output(struct ppp *p, uint8_t *out, size_t space);
struct ppp_event ppp_event(struct ppp *p);
usec_t ppp_deadline(const struct ppp *p);
void ppp_timeout(struct ppp *p, usec_t now);

const struct ppp_params *ppp_params(const struct ppp *p);
/* The stage that a hang would be in now: STAGE_LCP, STAGE_AUTH, STAGE_IPCP or STAGE_UP. */
enum stage ppp_stage(const struct ppp *p);
/* If it hangs now: where, and what is missing; if it has ended, why. `f` is empty. */
void ppp_explain_hang(const struct ppp *p, struct failure *f);
/* Client: true, with `failure` set, if no login method has been agreed because the peer's is not allowed:
 * that is why a peer goes which goes now, whatever it says. */
bool ppp_login_was_refused(const struct ppp *p, struct failure *failure);
