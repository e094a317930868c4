/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/secret.h"
#include "config/check.h"
#include "config/curly.h"
#include "config/edit.h"
#include "config/words.h"

#define PATH_SIZE 4096

static int make_path(char out[static PATH_SIZE], const char *directory, const char *name)
{
	int n = snprintf(out, PATH_SIZE, "%s/%s", directory, name);

	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

/* Makes the directory, 0700, and what is missing above it, 0755. */
static int make_directory(const char *path)
{
	char part[PATH_SIZE];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* The directory that `path` is in. */
static int parent_of(const char *path, char out[static PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	int n = snprintf(out, PATH_SIZE, "%.*s", slash ? (int)MAX(slash - path, 1) : 1, slash ? path : ".");

	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int make_parent(const char *path)
{
	char directory[PATH_SIZE];
	int r = parent_of(path, directory);

	return r < 0 ? r : make_directory(directory);
}

static int sync_directory(const char *path)
{
	char directory[PATH_SIZE];
	int r = parent_of(path, directory);

	if (r < 0)
		return r;
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Of files that are being written: no name that a person would give, for a crash leaves them to be removed.
 */
#define TEMPORARY_MARK ".sstpcd-"
#define TEMPORARY_TAIL "XXXXXX"

/* Writes head and data as the whole of `path`. */
static int replace_file(const char *path, const char *head, const char *data, size_t len)
{
	char temporary[PATH_SIZE];
	int n = snprintf(temporary, sizeof(temporary), "%s" TEMPORARY_MARK TEMPORARY_TAIL, path);
	int r;

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return -errno;
	r = write_all(fd, head, strlen(head));
	if (r == 0)
		r = write_all(fd, data, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	return sync_directory(path);
}

int store_write_file(const char *path, const char *data, size_t len)
{
	return replace_file(path, "", data, len);
}

int store_read_file(const char *path, char **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;
	if (st.st_size > (off_t)CONFIG_TEXT_MAX)
		return -EFBIG;
	size_t size = (size_t)st.st_size, len = 0;
	_cleanup_free_ char *data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	data[len] = 0;
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

static void free_loaded(char *data, size_t len)
{
	wipe(data, len);
	free(data);
}

/* Whoever replaces what he cannot read destroys what nobody has seen: the file of another owner, perhaps. */
static int check_readable(const char *path)
{
	char *data;
	size_t len;
	int r = store_read_file(path, &data, &len);

	if (r == 0)
		free_loaded(data, len);
	return r;
}

/* Where the file is a link (to a disk that lasts, say), what it leads to is replaced, not the link. */
int store_save(const struct store *s, const char *data, size_t len)
{
	_cleanup_free_ char *target = realpath(s->file, NULL);
	int r = target || errno == ENOENT ? 0 : -errno;

	if (r == 0)
		r = target ? check_readable(target) : make_parent(s->file);
	return r < 0 ? r : store_write_file(target ? target : s->file, data, len);
}

int store_load(const struct store *s, char **ret_data, size_t *ret_len)
{
	return store_read_file(s->file, ret_data, ret_len);
}

/* --- the archive ------------------------------------------------------------------------------------------
 */

static int archive_path(const struct store *s, const char *name, char out[static PATH_SIZE])
{
	char directory[PATH_SIZE];
	int r = make_path(directory, s->state, "archive");

	return r < 0 ? r : make_path(out, directory, name);
}

/* "00000042.boot" to 42. */
static bool revision_serial(const char *name, uint32_t *ret)
{
	char digits[16];
	size_t len = strspn(name, "0123456789");

	if (len == 0 || len >= sizeof(digits) || strcmp(name + len, ".boot") != 0)
		return false;
	memcpy(digits, name, len);
	digits[len] = 0;
	return parse_u32(digits, 1, UINT32_MAX - 1, ret) == 0;
}

static int newest_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The serial numbers of the archive, newest first; malloc'ed. How many, or negative. */
static int archive_serials(const struct store *s, uint32_t **ret)
{
	_cleanup_free_ uint32_t *serials = NULL;
	char directory[PATH_SIZE];
	size_t n = 0, size = 0;
	int r = make_path(directory, s->state, "archive");

	if (r < 0)
		return r;
	DIR *dir = opendir(directory);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	for (const struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		uint32_t serial;
		if (!revision_serial(entry->d_name, &serial))
			continue;
		if (n == size) {
			size = size ? size * 2 : 128;
			uint32_t *more = reallocarray(serials, size, sizeof(*more));
			if (!more) {
				r = -ENOMEM;
				break;
			}
			serials = more;
		}
		serials[n++] = serial;
	}
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (n > 0)
		qsort(serials, n, sizeof(*serials), newest_first);
	*ret = TAKE_PTR(serials);
	return (int)MIN(n, (size_t)INT32_MAX);
}

static int serial_path(const struct store *s, uint32_t serial, char out[static PATH_SIZE])
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%08" PRIu32 ".boot", serial);
	return archive_path(s, name, out);
}

int store_revision_add(const struct store *s, const struct config_revision *revision, const char *data,
		       size_t len)
{
	_cleanup_free_ uint32_t *serials = NULL;
	_cleanup_text_ struct text head = { 0 };
	char path[PATH_SIZE];
	int r = make_path(path, s->state, "archive");

	if (r == 0)
		r = make_directory(path);
	if (r < 0)
		return r;
	int n = archive_serials(s, &serials);
	if (n < 0)
		return n;
	text_addf(&head, "// commit: %" PRId64 " ", revision->time);
	words_quote(&head, revision->user, true);
	text_add(&head, " ");
	words_quote(&head, revision->via, true);
	text_add(&head, " ");
	words_quote(&head, revision->comment, true);
	text_add(&head, "\n");
	r = serial_path(s, n > 0 ? serials[0] + 1 : 1, path);
	if (r == 0)
		r = head.error ? head.error : replace_file(path, text_str(&head), data, len);
	/* The oldest make room. */
	for (int i = CONFIG_REVISIONS_MAX - 1; r == 0 && i < n; i++)
		if (serial_path(s, serials[i], path) == 0)
			(void)unlink(path);
	return r;
}

/* Seconds since 1970 (until 2106); 0 if it is no number. */
static int64_t parse_seconds(const char *digits)
{
	uint32_t seconds = 0;

	(void)parse_u32(digits, 0, UINT32_MAX, &seconds);
	return seconds;
}

/* Reads the first line of a revision. */
static void parse_head(const char *data, size_t len, struct config_revision *ret)
{
	static const char tag[] = "// commit: ";
	_cleanup_words_ struct words w = { 0 };
	const char *end = memchr(data, '\n', len);

	*ret = (struct config_revision){ 0 };
	if (!end || len < strlen(tag) || memcmp(data, tag, strlen(tag)) != 0)
		return;
	data += strlen(tag);
	if (words_split(&w, data, (size_t)(end - data)) < 0 || w.n != 4)
		return;
	ret->time = parse_seconds(w.v[0]);
	(void)snprintf(ret->user, sizeof(ret->user), "%s", w.v[1]);
	(void)snprintf(ret->via, sizeof(ret->via), "%s", w.v[2]);
	(void)snprintf(ret->comment, sizeof(ret->comment), "%s", w.v[3]);
}

int store_revision_list(const struct store *s, struct config_revision *list, size_t max)
{
	_cleanup_free_ uint32_t *serials = NULL;
	int n = archive_serials(s, &serials);

	for (int i = 0; i < n && (size_t)i < max; i++) {
		char path[PATH_SIZE], *data;
		size_t len;
		list[i] = (struct config_revision){ 0 };
		if (serial_path(s, serials[i], path) < 0 || store_read_file(path, &data, &len) < 0)
			continue;
		parse_head(data, len, &list[i]);
		free_loaded(data, len);
	}
	return (int)MIN((size_t)MAX(n, 0), max) + MIN(n, 0);
}

int store_revision_load(const struct store *s, unsigned number, char **ret_data, size_t *ret_len)
{
	_cleanup_free_ uint32_t *serials = NULL;
	char path[PATH_SIZE];
	int n = archive_serials(s, &serials);

	if (n < 0)
		return n;
	if (number >= (unsigned)n)
		return -ENOENT;
	int r = serial_path(s, serials[number], path);
	return r < 0 ? r : store_read_file(path, ret_data, ret_len);
}

void store_format_time(int64_t wall_seconds, char *out, size_t size)
{
	time_t when = (time_t)wall_seconds;
	struct tm tm;

	if (!localtime_r(&when, &tm) || strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		out[0] = 0;
}

/* --- commit-confirm ---------------------------------------------------------------------------------------
 */

int store_confirm(const struct store *s, int64_t wall_deadline, const char *data, size_t len)
{
	char path[PATH_SIZE], head[64];
	int r = make_path(path, s->state, "commit-confirm");

	if (r < 0)
		return r;
	if (!data) {
		if (unlink(path) < 0)
			return errno == ENOENT ? 0 : -errno;
		return sync_directory(path);
	}
	r = make_directory(s->state);
	if (r < 0)
		return r;
	(void)snprintf(head, sizeof(head), "// confirm until: %" PRId64 "\n", wall_deadline);
	return replace_file(path, head, data, len);
}

int store_confirm_load(const struct store *s, int64_t *ret_wall_deadline, char **ret_data, size_t *ret_len)
{
	static const char tag[] = "// confirm until: ";
	char path[PATH_SIZE];
	int r = make_path(path, s->state, "commit-confirm");

	if (r == 0)
		r = store_read_file(path, ret_data, ret_len);
	if (r < 0)
		return r;
	*ret_wall_deadline = 0;
	if (strncmp(*ret_data, tag, strlen(tag)) == 0) {
		char digits[16];
		(void)snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(*ret_data + strlen(tag), "\n"),
			       *ret_data + strlen(tag));
		*ret_wall_deadline = parse_seconds(digits);
	}
	return 0;
}

/* --- the start --------------------------------------------------------------------------------------------
 */

/* FILE.damaged-TIME, that of the file's last change: a daemon that starts again and again makes one copy. */
static int damaged_path(const char *path, char out[static PATH_SIZE])
{
	char stamp[32] = "unknown";
	struct stat st;
	struct tm tm;

	if (stat(path, &st) == 0 && gmtime_r(&st.st_mtime, &tm))
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	int n = snprintf(out, PATH_SIZE, "%s.damaged-%s", path, stamp);
	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

/* Copies what cannot be read whole, so that a later `save` does not destroy it. */
static void keep_aside(const char *path, const char *data, size_t len, struct text *report)
{
	char copy[PATH_SIZE];
	int r = damaged_path(path, copy);

	if (r == 0)
		r = replace_file(copy, "", data, len);
	if (r < 0)
		text_addf(report, "%s: could not be copied aside: %s\n", path, strerror(-r));
	else
		text_addf(report, "%s: kept as %s; what is whole is used\n", path, copy);
}

/* Removes the interfaces that could not be committed either, and says so. */
static void drop_invalid(struct config_tree *tree, const char *path, struct text *report, bool *ret_dropped)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	static const struct config_path top = { 0 };

	*ret_dropped = false;
	config_check(NULL, tree, &errors);
	for (size_t i = 0; i < errors.n; i++) {
		_cleanup_words_ struct words w = { 0 };
		_cleanup_text_ struct text ignored = { 0 };
		if (words_split(&w, errors.items[i].path, strlen(errors.items[i].path)) == 0 &&
		    edit_delete(tree, &top, w.v, w.n, &ignored) > 0)
			*ret_dropped = true;
	}
	config_errors_print(&errors, path, report);
}

/* What is whole of a file. NULL: no memory. */
static struct config_tree *read_whole(const char *path, const char *data, size_t len, struct text *report,
				      bool *ret_damaged)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	bool dropped = true;

	if (!tree || config_parse(tree, data, len, &errors) == -ENOMEM)
		return NULL;
	config_errors_print(&errors, path, report);
	/* A CA that is dropped may invalidate interfaces: until nothing more falls. */
	bool damaged = config_errors_count(&errors) > 0;
	while (dropped) {
		drop_invalid(tree, path, report, &dropped);
		damaged = damaged || dropped;
	}
	*ret_damaged = damaged;
	return TAKE_PTR(tree);
}

static struct config_tree *boot_from(const char *path, const char *data, size_t len, struct text *report)
{
	bool damaged = false;
	struct config_tree *tree = read_whole(path, data, len, report, &damaged);

	if (damaged)
		keep_aside(path, data, len, report);
	return tree;
}

void store_warn_damaged(const struct store *s, struct text *out)
{
	_cleanup_text_ struct text errors = { 0 };
	char copy[PATH_SIZE], *data;
	bool damaged = false;
	size_t len;

	int r = store_load(s, &data, &len);
	if (r < 0 && r != -ENOENT)
		text_addf(out,
			  "Warning: the saved configuration, %s, cannot be read: %s\n"
			  "Nothing of it is used, and 'save' does not replace it\n",
			  s->file, strerror(-r));
	if (r < 0)
		return;
	config_tree_free(read_whole(s->file, data, len, &errors, &damaged));
	free_loaded(data, len);
	if (!damaged)
		return;
	bool kept = damaged_path(s->file, copy) == 0 && access(copy, F_OK) == 0;
	const char *first = text_str(&errors);
	text_addf(out, "Warning: the saved configuration is damaged%s:\n%.*s\n'save' replaces it%s%s\n",
		  kept ? ", and only what is whole of it was taken" : "", (int)strcspn(first, "\n"), first,
		  kept ? "; it is kept as " : "", kept ? copy : "");
}

static bool is_temporary(const char *name)
{
	size_t len = strlen(name), tail = strlen(TEMPORARY_MARK TEMPORARY_TAIL);

	return len > tail && strncmp(name + len - tail, TEMPORARY_MARK, strlen(TEMPORARY_MARK)) == 0;
}

static void sweep(const char *directory)
{
	DIR *dir = opendir(directory);

	if (!dir)
		return;
	for (const struct dirent *entry; (entry = readdir(dir));)
		if (is_temporary(entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
}

/* What a crash in the middle of writing has left. */
static void sweep_all(const struct store *s)
{
	_cleanup_free_ char *target = realpath(s->file, NULL);
	char directory[PATH_SIZE];

	if (parent_of(target ? target : s->file, directory) == 0)
		sweep(directory);
	sweep(s->state);
	if (make_path(directory, s->state, "archive") == 0)
		sweep(directory);
}

/* As `save` writes it nobody else can read it; who brings it along from elsewhere may not think of that. */
static void warn_exposed(const char *path, const char *data, struct text *report)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0 && strstr(data, "password "))
		text_addf(report,
			  "%s: holds a password, and can be read by users other than its owner: chmod 600\n",
			  path);
}

struct config_tree *store_boot(const struct store *s, bool *ret_rolled_back, struct text *report)
{
	struct config_tree *tree;
	char path[PATH_SIZE], *data;
	int64_t deadline;
	size_t len;

	*ret_rolled_back = false;
	sweep_all(s);
	if (make_path(path, s->state, "commit-confirm") == 0 &&
	    store_confirm_load(s, &deadline, &data, &len) == 0) {
		text_addf(report, "%s: the last commit was not confirmed and is taken back\n", path);
		*ret_rolled_back = true;
		tree = boot_from(path, data, len, report);
		free_loaded(data, len);
		return tree;
	}
	int r = store_load(s, &data, &len);
	if (r < 0) {
		if (r != -ENOENT)
			text_addf(report, "%s: cannot be read: %s\n", s->file, strerror(-r));
		return config_tree_new();
	}
	warn_exposed(s->file, data, report);
	tree = boot_from(s->file, data, len, report);
	free_loaded(data, len);
	return tree;
}
