/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "netconf/dns/dns.h"
#include "netconf/dns/resolv.h"

/* The whole file as a string. -EFBIG, -EINVAL (a NUL in it): not a file that we understand. */
static int read_all(int fd, struct text *out)
{
	char buffer[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		if (memchr(buffer, 0, (size_t)n))
			return -EINVAL;
		if (out->len + (size_t)n > RESOLV_CONF_MAX)
			return -EFBIG;
		text_add_len(out, buffer, (size_t)n);
		at += n;
	}
	return n < 0 ? -errno : out->error;
}

/* In place: the file may be a bind mount or a link, and its owner and mode are not ours to change. */
static int rewrite(int fd, const struct text *text)
{
	struct stat st;
	const char *data = text_str(text);
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = pwrite(fd, data + done, text->len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	/* Only shorter: another writer may have cut it meanwhile, and what we would add is NULs. */
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size > (off_t)text->len && ftruncate(fd, (off_t)text->len) < 0 ? -errno : 0;
}

/*
 * Held while the file is changed, against other instances of us in this run directory. On a file of its own:
 * everybody may read resolv.conf, and whoever can read a file can lock it, for as long as he likes. Without
 * it we go on: that two of us write at once is less likely than that nobody would set the resolver.
 */
static int take_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

/* A link that led nowhere was there before us: only what it leads to is ours. */
static const char *real_path(const char *resolv_conf, char out[static PATH_MAX])
{
	return realpath(resolv_conf, out) ? out : resolv_conf;
}

int dns_file_set(const char *resolv_conf, const char *lock_path, const struct dns_servers *dns)
{
	_cleanup_text_ struct text old = { .max = RESOLV_CONF_MAX }, new = { .max = RESOLV_CONF_MAX * 2 };
	_cleanup_close_ _unused_ int lock = take_lock(lock_path);
	bool created = access(resolv_conf, F_OK) < 0;
	_cleanup_close_ int fd = open(resolv_conf, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char path[PATH_MAX];

	if (fd < 0)
		return -errno;
	int r = read_all(fd, &old);
	if (r < 0)
		return r;
	resolv_install(text_str(&old), dns->ifname, dns->servers, dns->n, created, &new);
	r = new.error ? new.error : rewrite(fd, &new);
	/* A full disk leaves no half of it. */
	if (r < 0 && (!created || unlink(real_path(resolv_conf, path)) < 0))
		(void)rewrite(fd, &old);
	return r;
}

/* What is to be taken out of the file. */
struct removal {
	const char *ifname; /* or, where there is none, of those that are gone: */
	resolv_gone_fn *is_gone;
	void *ctx;
};

static size_t remove_from(const char *text, const struct removal *what, struct text *out, bool *ret_unlink)
{
	if (what->ifname)
		return resolv_remove(text, what->ifname, out, ret_unlink);
	return resolv_remove_gone(text, what->is_gone, what->ctx, out, ret_unlink);
}

/* True if there is anything to take out. A file that cannot be read holds nothing. */
static bool has_ours(const char *resolv_conf, const struct removal *what)
{
	_cleanup_text_ struct text text = { .max = RESOLV_CONF_MAX }, rest = { .max = RESOLV_CONF_MAX * 2 };
	_cleanup_close_ int fd = open(resolv_conf, O_RDONLY | O_CLOEXEC);
	bool unlink_it;

	return fd >= 0 && read_all(fd, &text) == 0 &&
	       remove_from(text_str(&text), what, &rest, &unlink_it) > 0;
}

/* The number of blocks that were taken out, or a negative errno. */
static int clear(const char *resolv_conf, const char *lock_path, const struct removal *what)
{
	_cleanup_text_ struct text old = { .max = RESOLV_CONF_MAX }, new = { .max = RESOLV_CONF_MAX * 2 };
	char path[PATH_MAX];
	bool unlink_it;

	/* Where nothing is to be taken back, it does not matter that the file cannot be written. */
	if (!has_ours(resolv_conf, what))
		return 0;
	_cleanup_close_ _unused_ int lock = take_lock(lock_path);
	_cleanup_close_ int fd = open(resolv_conf, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = read_all(fd, &old);
	if (r < 0)
		return r;
	size_t n = remove_from(text_str(&old), what, &new, &unlink_it);
	if (n == 0 || new.error)
		return new.error;
	if (!unlink_it || unlink(real_path(resolv_conf, path)) < 0)
		r = rewrite(fd, &new);
	return r < 0 ? r : (int)n;
}

int dns_file_clear(const char *resolv_conf, const char *lock_path, const char *ifname)
{
	const struct removal what = { .ifname = ifname };
	int r = clear(resolv_conf, lock_path, &what);

	return MIN(r, 0);
}

int dns_file_clear_gone(const char *resolv_conf, const char *lock_path, resolv_gone_fn *is_gone, void *ctx)
{
	const struct removal what = { .is_gone = is_gone, .ctx = ctx };

	return clear(resolv_conf, lock_path, &what);
}

bool dns_file_has(const char *resolv_conf, const char *ifname)
{
	const struct removal what = { .ifname = ifname };

	return has_ours(resolv_conf, &what);
}

bool dns_file_is_installed(const char *resolv_conf, const struct dns_servers *dns)
{
	_cleanup_text_ struct text text = { .max = RESOLV_CONF_MAX };
	_cleanup_close_ int fd = open(resolv_conf, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read_all(fd, &text) == 0 &&
	       resolv_is_installed(text_str(&text), dns->ifname, dns->servers, dns->n);
}
