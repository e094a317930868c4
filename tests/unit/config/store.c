/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in a directory of their own: whole or not at all, the archive, the start after all kinds of ends. */
#include "config/store.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/curly.h"
#include "config/edit.h"
#include "config/model.h"
#include "config/print.h"
#include "test.h"

struct place {
	char directory[64], file[96], state[96];
	struct store store;
};

static bool place_init(struct place *p)
{
	(void)snprintf(p->directory, sizeof(p->directory), "/tmp/test-store.XXXXXX");
	if (!mkdtemp(p->directory))
		return false;
	(void)snprintf(p->file, sizeof(p->file), "%s/config.boot", p->directory);
	(void)snprintf(p->state, sizeof(p->state), "%s/lib/sstpcd", p->directory);
	p->store = (struct store){ .file = p->file, .state = p->state };
	return true;
}

/* Removes everything; the directory holds only what the tests made. */
static void place_done(struct place *p)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "/tmp/test-store.");
	if (strncmp(p->directory, command, strlen(command)) != 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", p->directory, (char *)NULL);
		_exit(1);
	}
	int status;
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
}
#define _cleanup_place_ _cleanup_(place_done)

static unsigned count_files(const char *directory)
{
	unsigned n = 0;
	DIR *dir = opendir(directory);

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	if (dir)
		(void)closedir(dir);
	return n;
}

static bool file_is(const char *path, const char *text)
{
	char data[4096] = "";
	FILE *f = fopen(path, "rb");

	if (!f)
		return false;
	size_t n = fread(data, 1, sizeof(data) - 1, f);
	(void)fclose(f);
	data[n] = 0;
	return strcmp(data, text) == 0;
}

static void what_is_saved_is_loaded(void)
{
	_cleanup_place_ struct place p = { 0 };
	struct stat st;
	char *data;
	size_t len;

	check(place_init(&p));
	check_int(store_read_file("/", &data, &len), -EISDIR);
	check_int(store_read_file("/dev/null", &data, &len), -ENOTSUP);
	check_int(store_load(&p.store, &data, &len), -ENOENT);
	check_int(store_save(&p.store, "one", 3), 0);
	check_int(store_save(&p.store, "second", 6), 0);
	check_int(stat(p.file, &st), 0);
	check_int(st.st_mode & 07777, 0600);
	check_int(store_load(&p.store, &data, &len), 0);
	check_mem(data, len, "second", 6);
	free(data);
	check_int(count_files(p.directory), 1); /* no temporary file is left */
}

static void a_save_makes_the_directory(void)
{
	_cleanup_place_ struct place p = { 0 };
	struct stat st;

	check(place_init(&p));
	(void)snprintf(p.file, sizeof(p.file), "%s/etc/config.boot", p.directory);
	check_int(store_save(&p.store, "one", 3), 0);
	check(file_is(p.file, "one"));
	(void)snprintf(p.file, sizeof(p.file), "%s/etc", p.directory);
	check_int(stat(p.file, &st), 0);
	check_int(st.st_mode & 07777, 0700);
}

static void a_save_follows_a_link(void)
{
	_cleanup_place_ struct place p = { 0 };
	char target[96];
	struct stat st;

	check(place_init(&p));
	(void)snprintf(target, sizeof(target), "%s/lasting", p.directory);
	check_int(store_write_file(target, "old", 3), 0);
	check_int(symlink(target, p.file), 0);
	check_int(store_save(&p.store, "new", 3), 0);
	check(file_is(target, "new"));
	check_int(lstat(p.file, &st), 0);
	check(S_ISLNK(st.st_mode));
}

static void a_failed_save_leaves_the_old_file(void)
{
	_cleanup_place_ struct place p = { 0 };
	struct rlimit before, small = { .rlim_cur = 8, .rlim_max = RLIM_INFINITY };
	static const char large[100] = "x";

	check(place_init(&p));
	check_int(store_save(&p.store, "old", 3), 0);
	check_int(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	check_int(setrlimit(RLIMIT_FSIZE, &small), 0);
	int r = store_save(&p.store, large, sizeof(large));
	check_int(setrlimit(RLIMIT_FSIZE, &before), 0);
	check_int(r, -EFBIG);
	check(file_is(p.file, "old"));
	check_int(count_files(p.directory), 1);
}

static void the_archive_counts_from_the_newest(void)
{
	_cleanup_place_ struct place p = { 0 };
	struct config_revision list[CONFIG_REVISIONS_MAX + 5];
	char *data;
	size_t len;

	check(place_init(&p));
	check_int(store_revision_list(&p.store, list, ARRAY_SIZE(list)), 0);
	check_int(store_revision_load(&p.store, 0, &data, &len), -ENOENT);
	for (int i = 0; i < CONFIG_REVISIONS_MAX + 3; i++) {
		struct config_revision revision = { .time = 1000 + i };
		char text[32];
		(void)snprintf(revision.user, sizeof(revision.user), "user%d", i);
		(void)snprintf(revision.via, sizeof(revision.via), "cli");
		(void)snprintf(revision.comment, sizeof(revision.comment), "it's \"number\" %d", i);
		int n = snprintf(text, sizeof(text), "text %d\n", i);
		check_int(store_revision_add(&p.store, &revision, text, (size_t)n), 0);
	}
	check_int(store_revision_list(&p.store, list, ARRAY_SIZE(list)), CONFIG_REVISIONS_MAX);
	check_int(list[0].time, 1000 + CONFIG_REVISIONS_MAX + 2);
	check_str(list[0].user, "user102");
	check_str(list[0].via, "cli");
	check_str(list[0].comment, "it's \"number\" 102");
	check_int(list[99].time, 1003);
	check_int(store_revision_load(&p.store, 1, &data, &len), 0);
	check(strstr(data, "\ntext 101\n"));
	free(data);
	check_int(store_revision_load(&p.store, 100, &data, &len), -ENOENT);
}

static const char boot[] = "interfaces {\n    sstpc sstpc0 {\n        server \"a.example\"\n    }\n}\n";

/* "@" stands for the directory, "*" for the time of the copy. */
static void check_told(const struct place *p, const char *rest, const char *report)
{
	for (; *report; report++) {
		if (*report == '@' && strncmp(rest, p->directory, strlen(p->directory)) == 0)
			rest += strlen(p->directory);
		else if (*report == '*' && strlen(rest) > 16)
			rest += 16; /* 20260101T000000Z */
		else if (*report == *rest)
			rest++;
		else
			break;
	}
	if (*report || *rest)
		printf("# expected: %s\n# told: %s\n", report, rest);
	check(!*report && !*rest);
}

static void check_warning(const struct place *p, const char *warning)
{
	_cleanup_text_ struct text told = { 0 };

	store_warn_damaged(&p->store, &told);
	check_told(p, text_str(&told), warning);
}

/* The configuration that a start gives, as commands. */
static void check_boot(const struct place *p, const char *commands, bool rolled_back, const char *report)
{
	_cleanup_text_ struct text told = { 0 }, out = { 0 };
	bool back;
	_cleanup_tree_ struct config_tree *tree = store_boot(&p->store, &back, &told);

	check(tree);
	config_print_commands(&tree->root, &out);
	check_str(text_str(&out), commands);
	check_int(back, rolled_back);
	check_told(p, text_str(&told), report);
}

static void a_start_without_a_file_is_empty(void)
{
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_boot(&p, "", false, "");
}

static void a_start_reads_the_file(void)
{
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_int(store_save(&p.store, boot, strlen(boot)), 0);
	check_boot(&p, "set interfaces sstpc sstpc0 server 'a.example'\n", false, "");
	check_int(count_files(p.directory), 1);
}

static void leave(const char *directory, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *f = fopen(path, "wb");
	check(f != NULL);
	if (f)
		(void)fclose(f);
}

/* A crash in the middle of writing leaves a file; those of people stay, whatever they are called. */
static void a_start_removes_half_written_files(void)
{
	_cleanup_place_ struct place p = { 0 };
	char archive[128];

	check(place_init(&p));
	check_int(store_save(&p.store, boot, strlen(boot)), 0);
	check_int(store_confirm(&p.store, 0, NULL, 0), 0);
	struct config_revision revision = { .user = "alice", .via = "cli" };
	check_int(store_revision_add(&p.store, &revision, boot, strlen(boot)), 0);
	(void)snprintf(archive, sizeof(archive), "%s/archive", p.state);
	unsigned state = count_files(p.state), revisions = count_files(archive);
	leave(p.directory, "config.boot.sstpcd-a1B2c3");
	leave(p.directory, "config.boot.backup");
	leave(p.state, "commit-confirm.sstpcd-000000");
	leave(archive, "00000001.boot.sstpcd-zzzzzz");
	check_boot(&p, "set interfaces sstpc sstpc0 server 'a.example'\n", false, "");
	check_int(count_files(p.directory), 3); /* the state is in it, too */
	check_int(count_files(p.state), state);
	check_int(count_files(archive), revisions);
}

static void damage_is_reported_and_kept_aside(void)
{
	static const char damaged[] =
		"interfaces {\n sstpc sstpc0 {\n  server a.example\n }\n sstpc sstpc1 {\n"
		"  server b.example\n  ssl {\n   pin x\n  }\n }\n sstpc sstpc2 {\n  mtu 1400\n }\n}\n";
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_warning(&p, "");
	check_int(store_save(&p.store, damaged, strlen(damaged)), 0);
	check_warning(
		&p, "Warning: the saved configuration is damaged:\n"
		    "@/config.boot:8:8: [interfaces sstpc sstpc1 ssl] \"pin\": Pin must be the SHA-256 of a "
		    "public key, as 64 hexadecimal digits or in base64\n"
		    "'save' replaces it\n");
	for (int i = 0; i < 2; i++) /* the second start makes no second copy */
		check_boot(&p, "set interfaces sstpc sstpc0 server 'a.example'\n", false,
			   "@/config.boot:8:8: [interfaces sstpc sstpc1 ssl] \"pin\": Pin must be the "
			   "SHA-256 of a public "
			   "key, as 64 hexadecimal digits or in base64\n"
			   "@/config.boot:11:2: [interfaces sstpc sstpc2] Remote SSTP server must be "
			   "specified!\n"
			   "@/config.boot: kept as @/config.boot.damaged-*; what is whole is used\n");
	check(file_is(p.file, damaged));
	check_int(count_files(p.directory), 2);
	check_warning(
		&p, "Warning: the saved configuration is damaged, and only what is whole of it was taken:\n"
		    "@/config.boot:8:8: [interfaces sstpc sstpc1 ssl] \"pin\": Pin must be the SHA-256 of a "
		    "public key, as 64 hexadecimal digits or in base64\n"
		    "'save' replaces it; it is kept as @/config.boot.damaged-*\n");
	check_int(store_save(&p.store, boot, strlen(boot)), 0);
	check_warning(&p, "");
}

static void what_another_block_says_of_a_damaged_interface_is_not_used(void)
{
	static const char damaged[] = "interfaces {\n sstpc sstpc0 {\n  server a.example\n  "
				      "no-default-route\n  ssl {\n   pin x\n  }\n }\n"
				      " sstpc sstpc0 {\n  server a.example\n }\n}\n";
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_int(store_save(&p.store, damaged, strlen(damaged)), 0);
	check_boot(&p, "set interfaces\n", false,
		   "@/config.boot:6:8: [interfaces sstpc sstpc0 ssl] \"pin\": Pin must be the SHA-256 of a "
		   "public "
		   "key, as 64 hexadecimal digits or in base64\n"
		   "@/config.boot: kept as @/config.boot.damaged-*; what is whole is used\n");
}

/* Damage beside an interface may have cut off a part of it: how the server is to be verified, for example. */
static void an_interface_beside_the_damage_is_not_used(void)
{
	static const char *const damaged[] = {
		"interfaces {\n sstpc sstpc0 {\n  server a.example\n }\n  ssl {\n   ca-certificate my\n  }\n "
		"}\n}\n",
		"interfaces {\n sstpc sstpc0 {\n  server a.example\n }}\n  ssl {\n   ca-certificate my\n  "
		"}\n }\n}\n",
		"interfaces {\n sstpc sstpc0 {\n  server a.example\n }\n sstpx sstpc0 {\n  ssl {\n  }\n "
		"}\n}\n",
		"set interfaces sstpc sstpc0 server a.example\nset interfaces sstpx sstpc0 ssl "
		"ca-certificate my\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		_cleanup_errors_ struct config_errors errors = { 0 };
		_cleanup_tree_ struct config_tree *tree = config_tree_new();
		struct config_interface c;

		printf("# %zu\n", i);
		check(tree != NULL);
		check_int(config_parse(tree, damaged[i], strlen(damaged[i]), &errors), 0);
		check(config_errors_count(&errors) > 0);
		check_int(config_interface_load(tree, "sstpc0", &c), -ENOENT);
	}
}

#define LOGIN(how)                                                                                     \
	"set interfaces sstpc sstpc0 authentication " how                                              \
	" '/s'\nset interfaces sstpc sstpc0 authentication username 'a'\nset interfaces sstpc sstpc0 " \
	"server 'a.example'\n"

static void a_password_that_all_can_read_is_reported(void)
{
	static const char secret[] = LOGIN("password"), harmless[] = LOGIN("password-file");
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_int(store_save(&p.store, secret, strlen(secret)), 0);
	check_boot(&p, secret, false, "");
	check_int(chmod(p.file, 0644), 0);
	check_boot(&p, secret, false,
		   "@/config.boot: holds a password, and can be read by users other than its owner: chmod "
		   "600\n");
	check_int(store_save(&p.store, harmless, strlen(harmless)), 0);
	check_int(chmod(p.file, 0644), 0);
	check_boot(&p, harmless, false, "");
}
#undef LOGIN

static void an_unreadable_file_is_reported(void)
{
	_cleanup_place_ struct place p = { 0 };

	check(place_init(&p));
	check_int(mkdir(p.file, 0700), 0);
	check_boot(&p, "", false, "@/config.boot: cannot be read: Is a directory\n");
}

/* Nobody knows what is in it. */
static void what_cannot_be_read_is_not_replaced(void)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_text_ struct text warning = { 0 };
	struct stat st;

	check(place_init(&p));
	check_int(store_save(&p.store, boot, strlen(boot)), 0);
	check_int(truncate(p.file, (off_t)CONFIG_TEXT_MAX + 1), 0);
	check_int(store_save(&p.store, boot, strlen(boot)), -EFBIG);
	check(stat(p.file, &st) == 0 && st.st_size == (off_t)CONFIG_TEXT_MAX + 1);
	store_warn_damaged(&p.store, &warning);
	check(strstr(text_str(&warning), "cannot be read: File too large\n"));
	check(strstr(text_str(&warning), "'save' does not replace it\n"));
}

static void a_commit_that_was_not_confirmed_is_taken_back(void)
{
	_cleanup_place_ struct place p = { 0 };
	static const char other[] =
		"interfaces {\n    sstpc sstpc9 {\n        server \"x.example\"\n    }\n}\n";
	int64_t deadline;
	char *data;
	size_t len;

	check(place_init(&p));
	check_int(store_save(&p.store, other, strlen(other)), 0);
	check_int(store_confirm_load(&p.store, &deadline, &data, &len), -ENOENT);
	check_int(store_confirm(&p.store, 1234567890, boot, strlen(boot)), 0);
	check_int(store_confirm_load(&p.store, &deadline, &data, &len), 0);
	check_int(deadline, 1234567890);
	free(data);
	check_boot(&p, "set interfaces sstpc sstpc0 server 'a.example'\n", true,
		   "@/lib/sstpcd/commit-confirm: the last commit was not confirmed and is taken back\n");
	check_int(store_confirm(&p.store, 0, NULL, 0), 0);
	check_int(store_confirm(&p.store, 0, NULL, 0), 0); /* nothing to remove is fine */
	check_boot(&p, "set interfaces sstpc sstpc9 server 'x.example'\n", false, "");
}

int main(void)
{
	return run_tests((struct test[]){ TEST(what_is_saved_is_loaded),
					  TEST(a_save_makes_the_directory),
					  TEST(a_save_follows_a_link),
					  TEST(a_failed_save_leaves_the_old_file),
					  TEST(the_archive_counts_from_the_newest),
					  TEST(a_start_without_a_file_is_empty),
					  TEST(a_start_reads_the_file),
					  TEST(a_start_removes_half_written_files),
					  TEST(damage_is_reported_and_kept_aside),
					  TEST(what_another_block_says_of_a_damaged_interface_is_not_used),
					  TEST(an_interface_beside_the_damage_is_not_used),
					  TEST(a_password_that_all_can_read_is_reported),
					  TEST(an_unreadable_file_is_reported),
					  TEST(what_cannot_be_read_is_not_replaced),
					  TEST(a_commit_that_was_not_confirmed_is_taken_back),
					  {} });
}
