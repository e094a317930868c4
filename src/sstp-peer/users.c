/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS_MAX 4096

struct user {
	char *name;
	struct secret password;
};

struct users {
	struct user *users;
	size_t count;
};

void users_free(struct users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->count; i++) {
		free(users->users[i].name);
		secret_wipe(&users->users[i].password);
	}
	free(users->users);
	free(users);
}

static void users_freep(struct users **users)
{
	users_free(*users);
}

static void close_filep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static int add_line(struct users *users, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (len == 0 || line[0] == '#')
		return 0;
	if (!colon || colon == line || users->count == USERS_MAX)
		return -EINVAL;
	struct user *grown = reallocarray(users->users, users->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	users->users = grown;
	struct user *user = &grown[users->count];
	memset(user, 0, sizeof(*user));
	int r = secret_set(&user->password, colon + 1, len - (size_t)(colon + 1 - line));
	if (r < 0)
		return r;
	user->name = strndup(line, (size_t)(colon - line));
	if (!user->name)
		return -ENOMEM;
	users->count++;
	return 0;
}

int users_load(const char *path, struct users **ret, unsigned *ret_line)
{
	_cleanup_(close_filep) FILE *f = fopen(path, "re");
	_cleanup_(users_freep) struct users *users = calloc(1, sizeof(*users));
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	*ret_line = 0;
	if (!f)
		return -errno;
	if (!users)
		return -ENOMEM;
	for (unsigned number = 1; (n = getline(&line, &size, f)) >= 0; number++) {
		if (n > 0 && line[n - 1] == '\n')
			n--;
		int r = add_line(users, line, (size_t)n);
		wipe(line, size);
		if (r < 0) {
			*ret_line = number;
			return r;
		}
	}
	if (ferror(f))
		return -EIO;
	*ret = TAKE_PTR(users);
	return 0;
}

int users_password(void *ctx, const char *user, struct secret *ret)
{
	const struct users *users = ctx;

	for (size_t i = 0; i < users->count; i++)
		if (strcmp(users->users[i].name, user) == 0)
			return secret_set(ret, users->users[i].password.data, users->users[i].password.len);
	return -ENOENT;
}
