/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of small UDP packets at a given rate, counted where it arrives.
 *
 *     udp-rate receive ADDRESS PORT                          until SIGTERM; prints "received N"
 *     udp-rate send ADDRESS PORT RATE MILLISECONDS BYTES     prints "sent N"
 *
 * The sender makes every packet with a system call of its own share of a batch, no segmentation offload: what
 * is measured is the cost of packets. Every 100 us it sends what is due.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"

#define BATCH	  64
#define BYTES_MAX 1400
#define PAUSE_NS  100000

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int open_socket(const char *address, const char *port, bool receive)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 64 << 20;
	uint32_t number;

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    parse_u32(port, 1, UINT16_MAX, &number) < 0)
		return -1;
	to.sin_port = htons((uint16_t)number);
	if (receive)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if ((receive ? bind(fd, (struct sockaddr *)&to, sizeof(to))
		     : connect(fd, (struct sockaddr *)&to, sizeof(to))) < 0)
		return -1;
	return fd;
}

static int receive_all(int fd)
{
	static char buffers[BATCH][BYTES_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = {};
	uint64_t count = 0;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ buffers[i], BYTES_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	printf("ready\n");
	while (!stopped) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		if (n < 0 && errno != EINTR)
			return 1;
		count += n > 0 ? (uint64_t)n : 0;
	}
	/* What had arrived when the end was called for counts too. */
	for (int n; (n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0;)
		count += (uint64_t)n;
	printf("received %" PRIu64 "\n", count);
	return 0;
}

static int send_all(int fd, uint64_t rate, uint64_t msec, size_t len)
{
	static char payload[BYTES_MAX];
	struct iovec part = { payload, len };
	struct mmsghdr messages[BATCH] = {};
	usec_t start = clock_now(), now = start, end = start + msec * USEC_PER_MSEC;
	uint64_t sent = 0;

	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	for (; now < end && !stopped; now = clock_now()) {
		uint64_t due = (now - start) * rate / USEC_PER_SEC;

		while (sent < due) {
			int n = sendmmsg(fd, messages, (unsigned)MIN(due - sent, (uint64_t)BATCH), 0);

			if (n < 0 && errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
				return 1;
			sent += n > 0 ? (uint64_t)n : 0;
		}
		(void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	printf("sent %" PRIu64 "\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	bool receive = argc == 4 && strcmp(argv[1], "receive") == 0;
	struct sigaction action = { .sa_handler = on_signal };
	uint32_t rate, msec, len;
	int fd;

	if (!receive &&
	    (argc != 7 || strcmp(argv[1], "send") != 0 || parse_u32(argv[4], 1, 100000000, &rate) < 0 ||
	     parse_u32(argv[5], 1, 3600000, &msec) < 0 || parse_u32(argv[6], 1, BYTES_MAX, &len) < 0)) {
		(void)fprintf(
			stderr,
			"usage: udp-rate receive ADDRESS PORT | send ADDRESS PORT RATE MILLISECONDS BYTES\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)sigaction(SIGTERM, &action, NULL);
	fd = open_socket(argv[2], argv[3], receive);
	if (fd < 0) {
		perror("udp-rate");
		return 1;
	}
	return receive ? receive_all(fd) : send_all(fd, rate, msec, len);
}
