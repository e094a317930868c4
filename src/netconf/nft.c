/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "netconf/child.h"
#include "netconf/netconf.h"

#define USERDATA_TABLE_COMMENT 0 /* libnftnl's NFTNL_UDATA_TABLE_COMMENT: one byte type, one byte length */

void nft_table_name(const char *ifname, char out[static NFT_TABLE_MAX])
{
	size_t n = (size_t)snprintf(out, NFT_TABLE_MAX, "%s", NFT_TABLE_PREFIX);

	for (const char *p = ifname; *p && n + 4 < NFT_TABLE_MAX; p++) {
		bool plain = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') ||
			     *p == '-' || *p == '_' || *p == '.';
		n += (size_t)snprintf(out + n, NFT_TABLE_MAX - n, plain ? "%c" : "/%02x",
				      plain ? *p : (unsigned char)*p);
	}
}

int nft_table_interface(const char *table, char ret[static IFNAMSIZ])
{
	size_t prefix = strlen(NFT_TABLE_PREFIX), n = 0;
	char name[IFNAMSIZ];

	if (strncmp(table, NFT_TABLE_PREFIX, prefix) != 0)
		return -EINVAL;
	for (const char *p = table + prefix; *p; p++) {
		char hex[3] = { 0 };
		uint8_t byte = (uint8_t)*p;

		if (*p == '/') {
			hex[0] = p[1];
			hex[1] = p[1] ? p[2] : 0;
			if (parse_hex(hex, &byte, 1) < 0)
				return -EINVAL;
			p += 2;
		}
		if (n + 1 >= sizeof(name))
			return -EINVAL;
		name[n++] = (char)byte;
	}
	name[n] = 0;
	if (!is_interface_name(name))
		return -EINVAL;
	memcpy(ret, name, n + 1);
	return 0;
}

static void add_mss_chain(const char *ifname, const struct net_nft *nft, struct text *out)
{
	/* The postrouting hook sees forwarded and local packets. The kernel itself never raises the value. */
	if (nft->mss == NET_MSS_NONE)
		return;
	text_addf(out,
		  "\tchain adjust_mss {\n"
		  "\t\ttype filter hook postrouting priority -150; policy accept;\n"
		  "\t\toifname \"%s\" tcp flags & (syn|rst) == syn ",
		  ifname);
	if (nft->mss == NET_MSS_VALUE)
		text_addf(out, "tcp option maxseg size > %u tcp option maxseg size set %u\n", nft->mss_value,
			  nft->mss_value);
	else
		text_add(out, "tcp option maxseg size set rt mtu\n");
	text_add(out, "\t}\n");
}

/* One rule that drops what arrives by the interface from where `missing` says. */
static void add_rpf_chain(const char *ifname, const char *chain, const char *hook, const char *device,
			  const char *missing, struct text *out)
{
	text_addf(out,
		  "\tchain %s {\n"
		  "\t\ttype filter hook %s priority -300; policy accept;\n"
		  "\t\t%s \"%s\" meta nfproto ipv4 fib %s oif missing counter drop\n"
		  "\t}\n",
		  chain, hook, device, ifname, missing);
}

static void add_rpf_chains(const char *ifname, const struct net_nft *nft, struct text *out)
{
	switch (nft->source_validation) {
	case NET_SV_UNSET:
	case NET_SV_DISABLE:
		return;
	case NET_SV_STRICT:
		add_rpf_chain(ifname, "source_validation", "prerouting", "iifname", "saddr . iif", out);
		return;
	case NET_SV_LOOSE:
		if (!nft->in_vrf) {
			add_rpf_chain(ifname, "source_validation", "prerouting", "iifname", "saddr", out);
			return;
		}
		/*
		 * That lookup would happen in the main table. A packet of a VRF's member passes the hooks as
		 * the VRF's own: there `iif` selects the VRF's table, and any of its members is a way back.
		 * The kernel knows the member (sdif) behind the routing decision only.
		 */
		add_rpf_chain(ifname, "source_validation_local", "input", "meta sdifname", "saddr . iif",
			      out);
		add_rpf_chain(ifname, "source_validation_forwarded", "forward", "meta sdifname",
			      "saddr . iif", out);
		return;
	}
}

int nft_ruleset(const char *ifname, const struct net_nft *nft, struct text *out)
{
	char table[NFT_TABLE_MAX], tag[NET_NFT_TAG_MAX];

	/* nft's strings know no escape, and a star at the end is a wildcard. */
	if (!is_interface_name(ifname) || strpbrk(ifname, "\"\\*$"))
		return -EINVAL;
	nft_table_name(ifname, table);
	net_nft_tag(nft, tag);
	/* `add` first, so that `delete` finds it: together they replace whatever was there. */
	text_addf(out, "add table inet %s\ndelete table inet %s\ntable inet %s {\n\tcomment \"%s\"\n", table,
		  table, table, tag);
	add_mss_chain(ifname, nft, out);
	add_rpf_chains(ifname, nft, out);
	text_add(out, "}\n");
	return out->error;
}

int nft_set(const char *ifname, const struct net_nft *nft, char *error, size_t size)
{
	_cleanup_text_ struct text input = { .max = 4096 };
	static const char *const argv[] = { "nft", "-f", "-", NULL };

	int r = nft_ruleset(ifname, nft, &input);
	if (r < 0) {
		(void)snprintf(error, size, "nft cannot name the interface \"%s\"", ifname);
		return r;
	}
	return child_run(argv, text_str(&input), NETCONF_NFT_TIMEOUT_MS, error, size);
}

int nft_delete(const char *ifname, char *error, size_t size)
{
	char table[NFT_TABLE_MAX];
	_cleanup_text_ struct text input = { .max = 512 };
	static const char *const argv[] = { "nft", "-f", "-", NULL };

	nft_table_name(ifname, table);
	/* Once more `add` first: a table that is gone already is no error. */
	text_addf(&input, "add table inet %s\ndelete table inet %s\n", table, table);
	return child_run(argv, text_str(&input), NETCONF_NFT_TIMEOUT_MS, error, size);
}

/* --- looking: one small message, no program ---------------------------------------------------------------
 */

static struct nlmsghdr *nft_header(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

#define NFT_TYPE(message) ((uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | (message)))

struct table_answer {
	bool found;
	char name[NFT_TABLE_MAX];
	char comment[NET_NFT_TAG_MAX];
};

/* Type, length, value, all in bytes; the comment ends with a NUL. */
static void read_comment(const uint8_t *data, size_t len, char out[static NET_NFT_TAG_MAX])
{
	while (len >= 2 && (size_t)data[1] + 2 <= len) {
		if (data[0] == USERDATA_TABLE_COMMENT)
			(void)snprintf(out, NET_NFT_TAG_MAX, "%.*s", (int)data[1], (const char *)data + 2);
		len -= (size_t)data[1] + 2;
		data += data[1] + 2;
	}
}

static int take_table_attr(const struct nlattr *attr, void *ctx)
{
	struct table_answer *answer = ctx;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
		(void)snprintf(answer->name, sizeof(answer->name), "%.*s", (int)len, mnl_attr_get_str(attr));
	else if (mnl_attr_get_type(attr) == NFTA_TABLE_USERDATA)
		read_comment(mnl_attr_get_payload(attr), len, answer->comment);
	return MNL_CB_OK;
}

static void parse_table(const struct nlmsghdr *message, struct table_answer *ret)
{
	*ret = (struct table_answer){ .found = false };
	if (message->nlmsg_type != NFT_TYPE(NFT_MSG_NEWTABLE))
		return;
	ret->found = mnl_attr_parse(message, sizeof(struct nfgenmsg), take_table_attr, ret) >= 0;
}

static void take_table(void *ctx, const struct nlmsghdr *message)
{
	struct table_answer answer;

	parse_table(message, &answer);
	if (answer.found)
		*(struct table_answer *)ctx = answer;
}

int nft_get(struct rtnl *netfilter, const char *ifname, char ret_tag[static NET_NFT_TAG_MAX])
{
	char buffer[512] __attribute__((aligned(8))), table[NFT_TABLE_MAX];
	struct table_answer answer = { .found = false };

	nft_table_name(ifname, table);
	struct nlmsghdr *nlh = nft_header(buffer, NFT_TYPE(NFT_MSG_GETTABLE), 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	int r = rtnl_request(netfilter, nlh, take_table, &answer);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (answer.found)
		memcpy(ret_tag, answer.comment, NET_NFT_TAG_MAX);
	return answer.found;
}

struct list_ctx {
	void (*fn)(void *ctx, const char *ifname);
	void *ctx;
};

static void take_listed(void *ctx, const struct nlmsghdr *message)
{
	const struct list_ctx *list = ctx;
	struct table_answer answer;
	char ifname[IFNAMSIZ];

	parse_table(message, &answer);
	if (answer.found && nft_table_interface(answer.name, ifname) == 0)
		list->fn(list->ctx, ifname);
}

int nft_list(struct rtnl *netfilter, void (*fn)(void *ctx, const char *ifname), void *ctx)
{
	char buffer[512] __attribute__((aligned(8)));
	struct list_ctx list = { fn, ctx };

	return rtnl_request(netfilter, nft_header(buffer, NFT_TYPE(NFT_MSG_GETTABLE), NLM_F_DUMP),
			    take_listed, &list);
}
