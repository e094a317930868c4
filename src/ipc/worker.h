/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between sstpcd (the daemon) and sstpc-tunnel (the worker): one socket pair, ipc/message.h.
 *
 * The worker is started with the socket as descriptor WORKER_FD and nothing else open but 0–2. One worker
 * makes one connection attempt and carries its session; then it ends.
 *
 *     daemon                                    worker
 *     START (TUN, [CA file], [key log])    ──▶  drops privileges; resolves the server's name
 *                                          ◀──  STAGE resolve, connect … as each stage begins
 *                                          ◀──  ROUTE_QUERY (addresses)          only without bind_device
 *     ROUTE_REPLY (a device per address)   ──▶  connects, bound to the device; sandbox; TLS, certificate
 *                                          ◀──  VERIFIED (who the server is)
 *     PASSWORD                             ──▶  HTTP, SSTP, LCP, authentication
 *                                          ◀──  LINK (MRU, authentication), UP (addresses)
 *     QUERY_STATS, SET_MTU                 ──▶
 *                                          ◀──  STATS, IPV6_UP, IPV6_DOWN, RDNSS, LOG
 *     STOP                                 ──▶  closes the session in order
 *                                          ◀──  FAILED (why) or CLOSED (as asked for); the worker exits
 *
 * Rules for the worker. FAILED or CLOSED is the last message, sent once; an end without one is WORKER_DIED.
 * CLOSED answers STOP only; an end that nobody asked for is FAILED.
 * LOG may be dropped where the socket is full (-EAGAIN); every other message must be sent, or the worker
 * exits. The end of the connection (the daemon went away) means STOP. The worker stops reading the TUN before
 * it sends FAILED or CLOSED. Texts are printable ASCII (base/cause.h printable()).
 *
 * The daemon believes nothing: worker_to_daemon says what is accepted in which phase, the decoders check
 * syntax and bounds, worker_up_check() the classes of the addresses. Whatever fails these ends the worker.
 *
 * worker_send_*() return what ipc_send() does. worker_decode_*() and worker_get_*() return 0, or -EBADMSG
 * where fields are missing, left over or out of bounds; they leave their result alone then.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/secret.h"
#include "ipc/message.h"

#define WORKER_FD	     3 /* the worker's end of the socket pair */
#define WORKER_PINS_MAX	     8
#define WORKER_USER_MAX	     257 /* with the NUL */
#define WORKER_ADDRESSES_MAX 16
#define WORKER_RDNSS_MAX     4
#define WORKER_CA_MAX	     (1u << 20) /* bytes of a CA file */
#define WORKER_MTU_MIN	     68
#define WORKER_MTU_MAX	     4087

enum worker_message {
	/* daemon → worker */
	WORKER_START = 1,
	WORKER_ROUTE_REPLY,
	WORKER_PASSWORD,
	WORKER_STOP,
	WORKER_SET_MTU,
	WORKER_QUERY_STATS,
	/* worker → daemon */
	WORKER_STAGE = 32,
	WORKER_ROUTE_QUERY,
	WORKER_VERIFIED,
	WORKER_LINK,
	WORKER_UP,
	WORKER_IPV6_UP,
	WORKER_IPV6_DOWN,
	WORKER_RDNSS,
	WORKER_STATS,
	WORKER_LOG,
	WORKER_FAILED,
	WORKER_CLOSED,
};

/* The states of the permission tables. Each side keeps its own; both move as the messages pass. */
enum worker_phase {
	WORKER_PHASE_NEW,      /* before START */
	WORKER_PHASE_DIALLING, /* START … VERIFIED */
	WORKER_PHASE_VERIFIED, /* … UP */
	WORKER_PHASE_UP,
	WORKER_PHASE_STOPPING, /* after STOP */
	WORKER_PHASE_ENDED,    /* after FAILED or CLOSED */
};

/* Monitors with the table of what each side accepts. */
struct ipc_monitor worker_monitor_of_daemon(void);
struct ipc_monitor worker_monitor_of_worker(void);

/* START: everything that the worker needs to know, except the password. */
struct worker_config {
	char host[HOST_MAX]; /* name or address, no brackets */
	uint16_t port;
	char bind_device[IFNAMSIZ];	   /* bind the outer socket to it; "" = ask by ROUTE_QUERY */
	char tls_name[HOST_MAX];	   /* the name or address that the certificate must carry; never "" */
	char sni[HOST_MAX];		   /* "" = send none */
	uint8_t pins[WORKER_PINS_MAX][32]; /* SHA-256 of the leaf's public key (SubjectPublicKeyInfo) */
	size_t n_pins;
	bool ca_given; /* a CA file is passed; otherwise the system's trust store is used */
	/* Bytes at the beginning of the CA file that are trusted; the rest may complete a server's chain. */
	uint32_t ca_anchors_len;
	bool keylog; /* a descriptor to append TLS secrets to is passed */
	char user[WORKER_USER_MAX];
	unsigned auth;		/* PPP_AUTH_* bits that are allowed */
	uint16_t mtu;		/* configured, WORKER_MTU_MIN … WORKER_MTU_MAX */
	uint16_t mru;		/* to ask for: max(mtu, 1500), at most WORKER_MTU_MAX */
	bool ipv6;		/* negotiate IPV6CP */
	bool want_dns;		/* ask for DNS servers */
	bool vnet_hdr;		/* the TUN speaks struct virtio_net_hdr */
	uint32_t offloads;	/* TUN_F_* set on it; 0 without vnet_hdr */
	uint32_t hello_seconds; /* SSTP hello interval; 0 = 60 */
	enum log_level log_level;
};

/* `ca` and `keylog` are -1 where the config says that there is none. The daemon keeps its descriptors. */
int worker_send_start(int fd, const struct worker_config *c, int tun, int ca, int keylog);
/* The worker's side: takes the descriptors out of the message; *ret_ca and *ret_keylog may become -1. */
int worker_decode_start(struct ipc_message *m, struct worker_config *ret, int *ret_tun, int *ret_ca,
			int *ret_keylog);

int worker_send_password(int fd, const struct secret *password);
int worker_decode_password(const struct ipc_message *m, struct secret *ret);

int worker_send_set_mtu(int fd, uint16_t mtu);
int worker_decode_set_mtu(const struct ipc_message *m, uint16_t *ret);

/* Messages without fields: STOP, QUERY_STATS, IPV6_DOWN, CLOSED. */
int worker_send_plain(int fd, enum worker_message type);
int worker_decode_plain(const struct ipc_message *m);

/* ROUTE_QUERY: the addresses to try, in order of preference; IPv4 as IPv4-mapped IPv6. */
struct worker_addresses {
	struct in6_addr address[WORKER_ADDRESSES_MAX];
	size_t n;
};
int worker_send_route_query(int fd, const struct worker_addresses *a);
int worker_decode_route_query(const struct ipc_message *m, struct worker_addresses *ret);

/* ROUTE_REPLY: for each address of the query the device to bind to, "" where there is no route. */
struct worker_routes {
	char device[WORKER_ADDRESSES_MAX][IFNAMSIZ];
	size_t n;
};
int worker_send_route_reply(int fd, const struct worker_routes *r);
int worker_decode_route_reply(const struct ipc_message *m, struct worker_routes *ret);

/* STAGE: a stage begins; told again within the stage when there is a better detail. Stages never go back. */
struct worker_stage {
	enum stage stage;
	usec_t at;	  /* CLOCK_MONOTONIC */
	char detail[128]; /* "203.0.113.5 port 443 through eth0"; may be "" */
};
int worker_send_stage(int fd, const struct worker_stage *s);
int worker_decode_stage(const struct ipc_message *m, struct worker_stage *ret);

/* VERIFIED: the server is who it should be; the password may be told. */
struct worker_verified {
	char server[INET6_ADDRSTRLEN]; /* the address that was reached */
	uint16_t port;
	char device[IFNAMSIZ]; /* that the outer socket is bound to */
	char tls_version[16];  /* "TLSv1.3" */
	char cipher[48];       /* "TLS_AES_128_GCM_SHA256" */
	char certificate[128]; /* the leaf's subject, or its first name */
	char issuer[128];
	uint8_t pin[32];   /* of the leaf, as in worker_config.pins */
	bool by_pin;	   /* accepted because of a pin, not of a CA */
	int64_t not_after; /* seconds since 1970 */
};
int worker_send_verified(int fd, const struct worker_verified *v);
int worker_decode_verified(const struct ipc_message *m, struct worker_verified *ret);

/* LINK: LCP is up; again when it was negotiated again before the login was over. */
struct worker_link {
	uint16_t peer_mru, mru;
	unsigned auth; /* the one PPP_AUTH_* that was agreed */
};
int worker_send_link(int fd, const struct worker_link *l);
int worker_decode_link(const struct ipc_message *m, struct worker_link *ret);

/* UP: packets can flow. IPv6 may be up already, or follow by IPV6_UP. Comes again when the server has
 * negotiated IPCP anew: other addresses, the same session. */
struct worker_up {
	struct in_addr local, peer;	/* peer may be 0.0.0.0 */
	struct in_addr dns[2], nbns[2]; /* 0.0.0.0: none */
	bool ipv6;
	uint8_t local_id[8], peer_id[8]; /* IPV6CP interface identifiers, valid with ipv6 */
	uint16_t peer_mru;
	unsigned auth;	      /* one PPP_AUTH_* */
	uint8_t binding_hash; /* SSTP_HASH_* */
	char message[128];    /* the server's greeting */
};
int worker_send_up(int fd, const struct worker_up *u);
int worker_decode_up(const struct ipc_message *m, struct worker_up *ret);
/*
 * Are these facts that may be put into a kernel? The local address a unicast one outside 0/8, 127/8, 224/3;
 * the peer likewise or 0.0.0.0, and not the local one; DNS and NBNS servers likewise or 0.0.0.0; interface
 * identifiers not zero and not the same; peer_mru at least WORKER_MTU_MIN; no authentication that `auth` does
 * not allow. NULL if so, otherwise what is wrong.
 */
const char *worker_up_check(const struct worker_up *u, unsigned auth);

/* IPV6_UP: IPV6CP came up after UP, perhaps again. */
struct worker_ipv6 {
	uint8_t local_id[8], peer_id[8];
};
int worker_send_ipv6_up(int fd, const struct worker_ipv6 *v);
int worker_decode_ipv6_up(const struct ipc_message *m, struct worker_ipv6 *ret);
const char *worker_ipv6_check(const struct worker_ipv6 *v);

/* RDNSS (RFC 8106) of a router advertisement that came through the tunnel: replaces the former list. The
 * worker follows the lifetime of each address and withdraws those whose time is over. */
struct worker_rdnss {
	struct in6_addr address[WORKER_RDNSS_MAX];
	size_t n;
	uint32_t lifetime; /* seconds; 0 withdraws, UINT32_MAX for ever */
};
int worker_send_rdnss(int fd, const struct worker_rdnss *r);
/* Refuses addresses that no resolver can have: unspecified, loopback, multicast, IPv4-mapped. */
int worker_decode_rdnss(const struct ipc_message *m, struct worker_rdnss *ret);

/* STATS: counters since START; the answer to QUERY_STATS. */
struct worker_stats {
	uint64_t rx_packets, rx_bytes; /* inner packets from the server */
	uint64_t tx_packets, tx_bytes; /* inner packets to the server */
	uint64_t rx_dropped, tx_dropped;
	uint64_t queue_bytes; /* waiting now */
	uint64_t outer_rx_bytes, outer_tx_bytes;
	uint64_t rtt_usec; /* of the outer connection, as TCP measures it; 0 = unknown */
};
int worker_send_stats(int fd, const struct worker_stats *s);
int worker_decode_stats(const struct ipc_message *m, struct worker_stats *ret);

/* LOG: a line for the daemon's log. */
struct worker_log {
	enum log_level level;
	char line[512];
};
int worker_send_log(int fd, enum log_level level, const char *line);
int worker_decode_log(const struct ipc_message *m, struct worker_log *ret);

/* FAILED: the end and its cause. */
int worker_send_failed(int fd, const struct failure *f);
int worker_decode_failed(const struct ipc_message *m, struct failure *ret);

/* The fields of some reports alone, for other containers (a daemon that re-executes itself keeps them). */
void worker_put_verified(struct wire_writer *w, const struct worker_verified *v);
int worker_get_verified(struct wire_reader *r, struct worker_verified *ret);
void worker_put_link(struct wire_writer *w, const struct worker_link *l);
int worker_get_link(struct wire_reader *r, struct worker_link *ret);
void worker_put_up(struct wire_writer *w, const struct worker_up *u);
int worker_get_up(struct wire_reader *r, struct worker_up *ret);
void worker_put_rdnss(struct wire_writer *w, const struct worker_rdnss *r);
int worker_get_rdnss(struct wire_reader *r, struct worker_rdnss *ret);
