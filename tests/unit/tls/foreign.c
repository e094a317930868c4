/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The openssl program as a server that nobody here wrote, on loopback; and our client inside the worker's
 * sandbox, with the system's store read from there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "pump.h"
#include "sandbox/sandbox.h"
#include "test.h"

#define NAME	"vpn.example.com"
#define WAIT_MS 20000

extern char **environ;

/* Made once by main(): files in `dir`. */
static struct identity root, leaf;
static char *ca_pem;
static char dir[] = "/tmp/test-foreign-XXXXXX";
static char cert_path[64], key_path[64], link_path[64];
static int epoll; /* can't be made in the sandbox */

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f)
		ok &= fclose(f) == 0;
	return ok;
}

struct foreign {
	pid_t pid;
	int in, out; /* of the program */
	uint16_t port;
};

/* Reads its output up to the port it listens on. */
static bool read_port(struct foreign *s)
{
	char text[4096];
	size_t n = 0;

	while (n < sizeof(text) - 1) {
		struct pollfd p = { .fd = s->out, .events = POLLIN };
		if (poll(&p, 1, WAIT_MS) != 1)
			return false;
		ssize_t got = read(s->out, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		text[n] = 0;
		const char *line = strstr(text, "ACCEPT ");
		char *end = line ? strchr(line, '\n') : NULL;
		if (!end)
			continue;
		*end = 0;
		const char *colon = strrchr(line, ':');
		uint32_t port;
		if (!colon || parse_u32(colon + 1, 1, UINT16_MAX, &port) < 0)
			return false;
		s->port = (uint16_t)port;
		return true;
	}
	return false;
}

static bool foreign_start(struct foreign *s, const char *version)
{
	posix_spawn_file_actions_t actions;
	int in[2], out[2];
	char *argv[] = { (char[]){ "openssl" },
			 (char[]){ "s_server" },
			 (char[]){ "-accept" },
			 (char[]){ "127.0.0.1:0" },
			 (char[]){ "-cert" },
			 cert_path,
			 (char[]){ "-key" },
			 key_path,
			 (char[]){ "-rev" },
			 (char *)(uintptr_t)version,
			 NULL };

	*s = (struct foreign){ .pid = -1, .in = -1, .out = -1 };
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	int error = posix_spawnp(&s->pid, "openssl", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	return error == 0 && read_port(s);
}

static void foreign_stop(struct foreign *s)
{
	if (s->pid > 0) {
		(void)kill(s->pid, SIGTERM);
		(void)waitpid(s->pid, NULL, 0);
	}
	close_fd(s->in);
	close_fd(s->out);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fd = close_fd(fd);
	return fd;
}

/* Waits as the worker does: for reading always, for writing when asked. */
static bool wait_for(const struct tls *t, int fd)
{
	struct epoll_event e = { .events = EPOLLIN | (tls_wants_write(t) ? EPOLLOUT : 0u) };

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e) < 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return false;
	return epoll_wait(epoll, &e, 1, WAIT_MS) == 1;
}

static int handshake(struct tls *t, int fd)
{
	int r;

	while ((r = tls_handshake(t)) == -EAGAIN)
		if (!wait_for(t, fd))
			return -ETIMEDOUT;
	return r;
}

static void openssl_as_a_server(void)
{
	static const struct {
		const char *option, *version;
	} rows[] = { { "-tls1_2", "TLSv1.2" }, { "-tls1_3", "TLSv1.3" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tls_policy p = { .host = NAME, .ca_pem = ca_pem, .ca_pem_len = strlen(ca_pem) };
		struct failure f = { 0 };
		struct tls_peer peer;
		_cleanup_(foreign_stop) struct foreign s = { .pid = -1, .in = -1, .out = -1 };
		char in[64];
		size_t got = 0;
		ssize_t n;

		check(foreign_start(&s, rows[i].option));
		_cleanup_close_ int fd = connect_to(s.port);
		_cleanup_tls_ struct tls *t = NULL;
		check(fd >= 0);
		check_int(tls_client_new(&p, fd, &t, &f), 0);
		check_int(handshake(t, fd), 0);
		check_int(tls_peer(t, &peer), 0);
		check_str(peer.version, rows[i].version);
		check_str(peer.names, NAME);

		/* s_server -rev answers each line with its mirror image. */
		check_int(tls_write(t, "tunnel\n", 7, false), 7);
		while (got < 7) {
			n = tls_read(t, in + got, sizeof(in) - got);
			check(n > 0 || n == -EAGAIN);
			got += (size_t)MAX(n, 0);
			check(n > 0 || wait_for(t, fd));
		}
		check_mem(in, got, "lennut\n", 7);

		/* "CLOSE" ends it from the other side, cleanly. */
		check_int(tls_write(t, "CLOSE\n", 6, false), 6);
		while ((n = tls_read(t, in, sizeof(in))) == -EAGAIN)
			check(wait_for(t, fd));
		check_int(n, 0);
		check_int(tls_shutdown(t), 0);
	}
}

static void openssl_with_a_wrong_certificate(void)
{
	struct tls_policy p = { .host = "other.example", .ca_pem = ca_pem, .ca_pem_len = strlen(ca_pem) };
	struct failure f = { 0 };
	_cleanup_(foreign_stop) struct foreign s = { .pid = -1, .in = -1, .out = -1 };

	check(foreign_start(&s, "-tls1_3"));
	_cleanup_close_ int fd = connect_to(s.port);
	_cleanup_tls_ struct tls *t = NULL;
	check(fd >= 0);
	check_int(tls_client_new(&p, fd, &t, &f), 0);
	check_int(handshake(t, fd), -EPROTO);
	check_int(tls_failure(t)->cause, CAUSE_TLS_NAME_MISMATCH);
}

/* What the worker does, in the worker's order. A program of its own, so that it starts as the worker does. */
static int worker(int fd, const char *store)
{
	const char *const paths[] = { store, NULL };
	struct sandbox_worker_config config = { .read_paths = paths };
	struct tls_policy p = { .host = NAME, .system_dir = store };
	struct failure f = { 0 };
	struct tls_peer peer;
	char in[64];
	struct tls *t = NULL;
	ssize_t n;

	if (sandbox_worker(&config, NULL) < 0)
		return 1;
	if (tls_client_new(&p, fd, &t, &f) < 0)
		return 2;
	if (handshake(t, fd) < 0)
		return 3;
	if (sandbox_worker_established() < 0 || tls_peer(t, &peer) < 0)
		return 4;
	for (int i = 0; i < 200; i++)
		if (tls_write(t, "0123456789\n", 11, i % 4) != 11)
			return 5;
	if (tls_flush(t) < 0 || tls_write(t, "CLOSE\n", 6, false) != 6)
		return 6;
	while ((n = tls_read(t, in, sizeof(in))) > 0 || n == -EAGAIN)
		if (n < 0 && !wait_for(t, fd))
			return 7;
	(void)tls_shutdown(t);
	tls_free(t);
	return n == 0 ? 0 : 8;
}

static void check_sandboxed(const char *option)
{
	_cleanup_(foreign_stop) struct foreign s = { .pid = -1, .in = -1, .out = -1 };
	int status = -1;

	check(foreign_start(&s, option));
	_cleanup_close_ int fd = connect_to(s.port);
	check(fd >= 0);
	posix_spawn_file_actions_t actions;
	char self[256] = "";
	char *argv[] = { (char[]){ "test-foreign" }, (char[]){ "worker" }, dir, NULL };
	pid_t pid = -1;
	/* Not /proc/self/exe itself: under valgrind that is valgrind. */
	check(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	check_int(posix_spawn(&pid, self, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
}

static void a_session_lives_inside_the_sandbox(void)
{
	check_sandboxed("-tls1_2");
	check_sandboxed("-tls1_3");
}

int main(int argc, char **argv)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (argc == 3)
		return worker(STDIN_FILENO, argv[2]);
	root = identity_new(&(struct identity_spec){ .cn = "Test Root", .ca = true });
	leaf = identity_new(&(struct identity_spec){ .cn = "leaf", .san = "DNS:" NAME, .issuer = &root });
	ca_pem = pem_of_certs((X509 *[]){ root.cert, NULL });
	_cleanup_free_ char *cert_pem = pem_of_certs((X509 *[]){ leaf.cert, NULL });
	_cleanup_free_ char *key_pem = pem_of_key(leaf.key);

	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	(void)snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	(void)snprintf(link_path, sizeof(link_path), "%s/%08lx.0", dir,
		       X509_NAME_hash_ex(X509_get_subject_name(root.cert), NULL, NULL, NULL));
	if (!write_file(cert_path, cert_pem) || !write_file(key_path, key_pem) ||
	    !write_file(link_path, ca_pem))
		return 1;
	int result = run_tests((struct test[]){ TEST(openssl_as_a_server),
						TEST(openssl_with_a_wrong_certificate),
						TEST(a_session_lives_inside_the_sandbox),
						{} });
	(void)unlink(cert_path);
	(void)unlink(key_path);
	(void)unlink(link_path);
	(void)rmdir(dir);
	free(ca_pem);
	identity_free(&leaf);
	identity_free(&root);
	return result;
}
