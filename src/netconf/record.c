/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "netconf/sysctl.h"

#define WORDS_MAX (NET_DNS_MAX + 2)
#define MAGIC	  "sstpcd-net 1"
/* Behind the name while it is being written, with the network namespace: no interface has a ':'. */
#define HALF	 ".new:%" PRIu64
#define HALF_MAX 32

uint64_t record_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

void record_format(const struct net_record *record, const struct record_owner *owner, struct text *out)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	text_addf(out, MAGIC "\nnetns %u %u\nifindex %u\n", (uint32_t)(owner->netns >> 32),
		  (uint32_t)owner->netns, owner->ifindex);
	for (enum net_sysctl key = 0; key < _NET_SYSCTL_WRITTEN; key++) {
		const struct net_sysctl_record *r = &record->sysctl[key];

		if (r->held)
			text_addf(out, "sysctl %s %u %u %u\n", sysctl_key_name(key), r->ours, r->old,
				  r->base);
	}
	if (record->local.s_addr != INADDR_ANY) {
		struct net_addr local = { .family = AF_INET, .in = record->local };
		struct net_addr peer = { .family = AF_INET, .in = record->peer };

		text_addf(out, "address %s %s\n", net_addr_format(&local, a), net_addr_format(&peer, b));
	}
	if (!IN6_IS_ADDR_UNSPECIFIED(&record->link_local)) {
		struct net_addr link = { .family = AF_INET6, .in6 = record->link_local };

		text_addf(out, "link-local %s\n", net_addr_format(&link, a));
	}
	if (record->server.dst.family == AF_INET)
		text_addf(out, "server-route %s %s %u %u\n", net_addr_format(&record->server.dst, a),
			  net_addr_format(&record->server.via, b), record->server.ifindex,
			  record->server.metric);
	if (record->nft)
		text_add(out, "nft\n");
	if (record->dns_backend != NET_DNS_NONE) {
		text_addf(out, "dns %s", net_dns_backend_name(record->dns_backend));
		for (size_t i = 0; i < record->n_dns; i++)
			text_addf(out, " %s", net_addr_format(&record->dns[i], a));
		text_add(out, "\n");
	}
	text_add(out, "end\n");
}

static bool parse_addr(const char *s, struct net_addr *ret)
{
	struct net_addr a = { .family = AF_INET };

	if (inet_pton(AF_INET, s, &a.in) != 1) {
		a = (struct net_addr){ .family = AF_INET6 };
		if (inet_pton(AF_INET6, s, &a.in6) != 1)
			return false;
	}
	*ret = a;
	return true;
}

/* Splits at single blanks; 0 if there are too many. */
static size_t split(char *line, char *words[static WORDS_MAX])
{
	size_t n = 0;
	char *save = NULL;

	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == WORDS_MAX)
			return 0;
		words[n++] = w;
	}
	return n;
}

static bool parse_sysctl(char *const *words, size_t n, struct net_record *record)
{
	if (n != 5)
		return false;
	for (enum net_sysctl key = 0; key < _NET_SYSCTL_WRITTEN; key++) {
		struct net_sysctl_record r = { .held = true };

		if (strcmp(words[1], sysctl_key_name(key)) != 0)
			continue;
		if (parse_u32(words[2], 0, UINT32_MAX, &r.ours) < 0 ||
		    parse_u32(words[3], 0, UINT32_MAX, &r.old) < 0 ||
		    parse_u32(words[4], 0, UINT32_MAX, &r.base) < 0)
			return false;
		record->sysctl[key] = r;
		return true;
	}
	return false;
}

static bool parse_dns(char *const *words, size_t n, struct net_record *record)
{
	if (n < 2 || n - 2 > NET_DNS_MAX)
		return false;
	for (enum net_dns_backend b = NET_DNS_NONE + 1; b < _NET_DNS_BACKEND_MAX; b++)
		if (strcmp(words[1], net_dns_backend_name(b)) == 0)
			record->dns_backend = b;
	record->n_dns = n - 2;
	for (size_t i = 0; i < record->n_dns; i++)
		if (!parse_addr(words[i + 2], &record->dns[i]))
			return false;
	return record->dns_backend != NET_DNS_NONE;
}

static bool parse_server_route(char *const *words, size_t n, struct net_record *record)
{
	struct net_server_route r = { .ifindex = 0 };

	if (n != 5 || !parse_addr(words[1], &r.dst) || r.dst.family != AF_INET ||
	    (strcmp(words[2], "none") != 0 && !parse_addr(words[2], &r.via)) ||
	    parse_u32(words[3], 1, UINT32_MAX, &r.ifindex) < 0 ||
	    parse_u32(words[4], 0, UINT32_MAX, &r.metric) < 0)
		return false;
	record->server = r;
	return true;
}

static bool parse_fact(char *const *words, size_t n, struct net_record *record, struct record_owner *owner)
{
	struct net_addr a, b;
	uint32_t high, low;

	if (strcmp(words[0], "sysctl") == 0)
		return parse_sysctl(words, n, record);
	if (strcmp(words[0], "dns") == 0)
		return parse_dns(words, n, record);
	if (strcmp(words[0], "server-route") == 0)
		return parse_server_route(words, n, record);
	if (strcmp(words[0], "nft") == 0 && n == 1)
		return record->nft = true;
	if (strcmp(words[0], "ifindex") == 0 && n == 2)
		return parse_u32(words[1], 0, UINT32_MAX, &owner->ifindex) == 0;
	if (strcmp(words[0], "netns") == 0 && n == 3) {
		if (parse_u32(words[1], 0, UINT32_MAX, &high) < 0 ||
		    parse_u32(words[2], 0, UINT32_MAX, &low) < 0)
			return false;
		owner->netns = (uint64_t)high << 32 | low;
		return true;
	}
	if (strcmp(words[0], "address") == 0 && n == 3 && parse_addr(words[1], &a) &&
	    parse_addr(words[2], &b) && a.family == AF_INET && b.family == AF_INET) {
		record->local = a.in;
		record->peer = b.in;
		return true;
	}
	if (strcmp(words[0], "link-local") == 0 && n == 2 && parse_addr(words[1], &a) &&
	    a.family == AF_INET6) {
		record->link_local = a.in6;
		return true;
	}
	return false;
}

int record_parse(const char *text, struct net_record *ret, struct record_owner *ret_owner)
{
	struct net_record record = { .dns_backend = NET_DNS_NONE };
	struct record_owner owner = { 0 };
	char copy[RECORD_FILE_MAX], *save = NULL, *words[WORDS_MAX];

	if (strlen(text) >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, strlen(text) + 1);
	char *line = strtok_r(copy, "\n", &save);
	if (!line || strcmp(line, MAGIC) != 0)
		return -EBADMSG;
	while ((line = strtok_r(NULL, "\n", &save))) {
		if (strcmp(line, "end") == 0) {
			*ret = record;
			*ret_owner = owner;
			return 0;
		}
		size_t n = split(line, words);
		if (n == 0 || !parse_fact(words, n, &record, &owner))
			return -EBADMSG;
	}
	return -EBADMSG; /* cut off */
}

static int record_path(const char *dir, const char *ifname, const char *suffix, char *out, size_t size)
{
	if (!is_interface_name(ifname))
		return -EINVAL;
	int n = snprintf(out, size, "%s/%s%s", dir, ifname, suffix);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Who sweeps /run may have taken the directory, too. */
static int create_file(const char *dir, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT && mkdir(dir, 0755) == 0)
		fd = open(path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

int record_save(const char *dir, const char *ifname, const struct net_record *record,
		const struct record_owner *owner)
{
	_cleanup_text_ struct text text = { .max = RECORD_FILE_MAX };
	char path[PATH_MAX], temp[PATH_MAX], half[HALF_MAX];

	(void)snprintf(half, sizeof(half), HALF, owner->netns);
	int r = record_path(dir, ifname, "", path, sizeof(path));
	if (r == 0)
		r = record_path(dir, ifname, half, temp, sizeof(temp));
	if (r < 0)
		return r;
	record_format(record, owner, &text);
	if (text.error)
		return text.error;
	_cleanup_close_ int fd = create_file(dir, temp);
	if (fd < 0)
		return fd;
	ssize_t n = write(fd, text_str(&text), text.len);
	if (n != (ssize_t)text.len) {
		r = n < 0 ? -errno : -EIO;
		(void)unlink(temp);
		return r;
	}
	return rename(temp, path) < 0 ? -errno : 0;
}

int record_load(const char *dir, const char *ifname, struct net_record *ret, struct record_owner *ret_owner)
{
	char path[PATH_MAX], text[RECORD_FILE_MAX];

	int r = record_path(dir, ifname, "", path, sizeof(path));
	if (r < 0)
		return r;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	return record_parse(text, ret, ret_owner);
}

int record_delete(const char *dir, const char *ifname)
{
	char path[PATH_MAX];

	int r = record_path(dir, ifname, "", path, sizeof(path));
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

void record_delete_half(const char *dir, const char *file, uint64_t netns)
{
	char name[IFNAMSIZ], path[PATH_MAX], half[HALF_MAX];
	size_t len = strlen(file), end = (size_t)snprintf(half, sizeof(half), HALF, netns);

	if (len <= end || len - end >= sizeof(name) || strcmp(file + len - end, half) != 0)
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - end), file);
	if (if_nametoindex(name) == 0 && record_path(dir, name, half, path, sizeof(path)) == 0)
		(void)unlink(path);
}
