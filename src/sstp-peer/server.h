/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server proper: a listener and its connections, each with a TUN (or a pppd) of its own. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"
#include "io/loop.h"
#include "tls/tls.h"
#include "users.h"

#define PEER_CLIENTS_MAX 1024

struct server_options {
	struct in_addr address;		      /* ours in every tunnel */
	struct in_addr pool_first, pool_last; /* the clients', one each */
	struct in_addr dns[2];
	unsigned auth;	   /* PPP_AUTH_* */
	uint8_t hashes;	   /* SSTP_HASH_* */
	uint16_t mtu, mru; /* of the TUN; to ask for (0 = 1500) */
	uint32_t hello;	   /* seconds, 0 = 60 */
	bool ipv6;
	bool plain_tun;	  /* no virtio header, no offloads */
	bool once;	  /* end when the first connection has ended */
	const char *tun;  /* devices are called TUN0, TUN1, … by the client's place in the pool */
	const char *pppd; /* run `pppd OPTIONS` behind each connection instead of our own PPP */
	const char *pppd_path;
	struct faults faults;
	struct users *users;
	struct tls_server *tls;
	struct turns *turns;
	FILE *log;    /* a JSON object per event and line; NULL = none */
	bool verbose; /* the same in words on stderr */
};

struct server;

/* `listener` is a listening socket, the caller's. */
int server_new(struct loop *loop, int listener, const struct server_options *options, struct server **ret);
/* Ends all connections at once. */
void server_free(struct server *s);
/* Gives every client other addresses, see connection_renumber(). */
void server_renumber(struct server *s);
/* Ends all connections in order, then stops the loop. */
void server_stop(struct server *s);
