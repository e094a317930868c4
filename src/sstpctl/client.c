/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/fd.h"
#include "base/secret.h"
#include "config/store.h"
#include "config/words.h"
#include "sstpctl/pipe.h"

static void print_error(const char *data, size_t len)
{
	(void)fwrite(data, 1, len, stderr);
}

/* The first failure stays in c->output_error. */
static void print_text(struct client *c, const char *data, size_t len)
{
	bool failed = fwrite(data, 1, len, stdout) != len;

	if ((fflush(stdout) != 0 || failed) && !c->output_error)
		c->output_error = errno;
}

/* What is said beside the output: on a terminal in its place among what was typed. */
static void print_message(struct client *c, const char *data, size_t len)
{
	if (c->terminal)
		print_text(c, data, len);
	else
		print_error(data, len);
}

/* --- the connection ---------------------------------------------------------------------------------------
 */

/* Waits for a message. Ctrl-C meanwhile (if it is caught at all) is passed on, and so is that nobody reads a
 * stream any more ("| head"): it may have no end. */
static int receive(struct client *c, struct ipc_message *m)
{
	for (;;) {
		struct pollfd p[3] = { { .fd = c->fd, .events = POLLIN },
				       { .fd = c->signals, .events = POLLIN },
				       { .fd = c->streams ? STDOUT_FILENO : -1 } };
		struct signalfd_siginfo info;
		int n = poll(p, ARRAY_SIZE(p), -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[2].revents & (POLLERR | POLLHUP)) {
			c->streams = false;
			c->output_error = c->output_error ? c->output_error : EPIPE;
			int r = control_send_plain(c->fd, CONTROL_INTERRUPT);
			if (r < 0)
				return r;
		}
		if (n > 0 && p[1].revents && read(c->signals, &info, sizeof(info)) == sizeof(info)) {
			if (c->terminal) /* which shows ^C and stays in that line */
				print_text(c, "\n", 1);
			int r = control_send_plain(c->fd, CONTROL_INTERRUPT);
			if (r < 0)
				return r;
		}
		if (n <= 0 || !p[0].revents)
			continue;
		int r = ipc_receive(c->fd, c->buf, sizeof(c->buf), m);
		if (r == -EAGAIN)
			continue;
		return r == 0 ? -EPIPE : r;
	}
}

/* Ctrl-C shall interrupt the command, not us. */
static void catch_interrupt(struct client *c, sigset_t *before)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, before);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool was_interrupted(const struct client *c)
{
	struct signalfd_siginfo info;
	bool was = false;

	while (c->signals >= 0 && read(c->signals, &info, sizeof(info)) > 0)
		was = true;
	return was;
}

static void release_interrupt(struct client *c, const sigset_t *before)
{
	(void)was_interrupted(c); /* too late: there is nothing left to interrupt */
	c->signals = close_fd(c->signals);
	(void)sigprocmask(SIG_SETMASK, before, NULL);
}

/* Where the user sits, for the records: "pts/1", or "cli". */
static const char *user_terminal(void)
{
	const char *name = isatty(STDIN_FILENO) ? ttyname(STDIN_FILENO) : NULL;

	if (!name)
		return "cli";
	return strncmp(name, "/dev/", 5) == 0 ? name + 5 : name;
}

static int connect_failed(const char *path, int error)
{
	if (error == EACCES || error == EPERM) {
		(void)fprintf(stderr, "sstpctl: %s: not permitted: be root or a member of the group sstpcd\n",
			      path);
		return cause_exit_code(CAUSE_NO_PRIVILEGE);
	}
	(void)fprintf(stderr,
		      "sstpctl: sstpcd is not running (%s: %s): start it with 'systemctl start sstpcd'\n",
		      path, strerror(error));
	return 1;
}

/* A connected socket, or a negative errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

bool client_may_connect(const char *path)
{
	_cleanup_close_ int fd = connect_to(path);

	return fd >= 0;
}

int client_open(struct client *c, const char *path)
{
	struct ipc_message m;

	*c = (struct client){ .fd = -1,
			      .signals = -1,
			      .path = path,
			      .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	int r = connect_to(path);
	if (r < 0)
		return connect_failed(path, -r);
	c->fd = r;
	r = control_send_hello(c->fd, user_terminal());
	if (r == 0)
		r = receive(c, &m);
	if (r == 1 && m.type == CONTROL_TEXT) { /* told why not */
		enum control_text kind;
		const char *text;
		size_t len;
		if (control_decode_text(&m, &kind, &text, &len) == 0)
			print_error(text, len);
		r = -EACCES;
	} else if (r == 1) {
		r = m.type == CONTROL_DONE ? control_decode_done(&m, &c->last) : -EBADMSG;
		ipc_message_done(&m);
	}
	if (r >= 0)
		return 0;
	if (r != -EACCES)
		(void)connect_failed(path, -r);
	client_close(c);
	return 1;
}

void client_close(struct client *c)
{
	c->fd = close_fd(c->fd);
}

/* --- what the daemon leaves to us -------------------------------------------------------------------------
 */

static int send_file(struct client *c, const char *name)
{
	char *data = NULL;
	size_t len = 0;
	int r = store_read_file(name, &data, &len);

	if (r < 0)
		return control_send_file(c->fd,
					 &(struct control_file){ .data = "", .last = true, .error = -r });
	for (size_t at = 0;;) {
		size_t n = MIN(len - at, (size_t)CONTROL_CHUNK_MAX);
		struct control_file piece = { .data = data + at, .len = n, .last = at + n == len };
		r = control_send_file(c->fd, &piece);
		at += n;
		if (r < 0 || piece.last)
			break;
	}
	wipe(data, len);
	free(data);
	return r;
}

/*
 * Waits for the end of a program. Who ends sstpctl by one of `signals`, which are blocked, ends the program,
 * too: it would go on, a capture for ever. (PR_SET_PDEATHSIG does not help: tcpdump changes its user.)
 * Returns the signal that came, or 0.
 */
static int await_program(pid_t pid, const sigset_t *signals, int *ret_status)
{
	int came = 0;
	pid_t r;

	while ((r = waitpid(pid, ret_status, WNOHANG)) == 0 || (r < 0 && errno == EINTR)) {
		int n = sigwaitinfo(signals, NULL);
		if (n == SIGTERM || n == SIGHUP) {
			came = n;
			(void)kill(pid, n);
		}
	}
	return came;
}

/* Those that await_program() needs, blocked from before the program begins. */
static void block_signals(sigset_t *signals, sigset_t *before)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGCHLD);
	(void)sigaddset(signals, SIGTERM);
	(void)sigaddset(signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, signals, before);
}

/* Begins a program on the user's terminal, with descriptors of its own where they are not -1. */
static pid_t start_program(const char *const *args, int input, int output)
{
	pid_t pid = fork();
	sigset_t none;

	if (pid != 0)
		return pid;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (input >= 0)
		(void)dup2(input, STDIN_FILENO);
	if (output >= 0)
		(void)dup2(output, STDOUT_FILENO);
	(void)execvp(args[0], (char *const *)args);
	(void)fprintf(stderr, "sstpctl: %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

/* Its exit code. */
static int end_program(pid_t pid, int came, const sigset_t *signals, const sigset_t *before)
{
	int status = 0, later = 0;

	if (pid > 0)
		later = await_program(pid, signals, &status);
	came = came ? came : later;
	(void)sigprocmask(SIG_SETMASK, before, NULL);
	if (came)
		(void)raise(came);
	return pid < 0 ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs the pager; its exit code. */
static int run_pager(const char *const *args, const char *input, size_t input_len)
{
	sigset_t signals, before, ignored;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	(void)sigprocmask(SIG_BLOCK, NULL, &before);
	pid_t pid = start_program(args, fds[0], -1);
	fds[0] = close_fd(fds[0]);
	/* No signal is blocked while we write: a pager reads when its user does, and sees by itself that its
	 * input ends. */
	if (pid > 0)
		(void)write_all(fds[1], input, input_len); /* unless the pager is left: SIGPIPE is ignored */
	fds[1] = close_fd(fds[1]);
	block_signals(&signals, &ignored);
	return end_program(pid, 0, &signals, &before);
}

static bool is_longer_than_screen(const char *text, size_t len)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return false;
	return pipe_screen_rows(text, len, size.ws_col) >= size.ws_row && size.ws_row > 0;
}

/* Prints in pieces, up to Ctrl-C. True if that cut it. */
static bool print_output(struct client *c, const char *text, size_t len)
{
	while (len > 0 && !was_interrupted(c)) {
		size_t n = MIN(len, (size_t)4096);
		print_text(c, text, n);
		text += n;
		len -= n;
	}
	return len > 0;
}

/* Shows a finished output, by the pager if it is long and somebody looks. True if Ctrl-C cut it. */
static bool show_output(struct client *c, const struct pipe *p, const struct text *out)
{
	static const char *const less[] = { "less",
					    "--buffers=64",
					    "--auto-buffers",
					    "--no-lessopen",
					    "--QUIT-AT-EOF",
					    "--quit-if-one-screen",
					    "--RAW-CONTROL-CHARS",
					    "--squeeze-blank-lines",
					    "--no-init",
					    NULL };

	bool page = c->terminal && p->paging >= 0 && is_longer_than_screen(text_str(out), out->len);
	if (page && run_pager(less, text_str(out), out->len) != 127)
		return false;
	return print_output(c, text_str(out), out->len);
}

/* --- one command ------------------------------------------------------------------------------------------
 */

#define EXIT_INTERRUPTED 130 /* as a shell says it of SIGINT */

struct command {
	struct client *c;
	struct pipe pipe;
	struct text out;     /* to be shown at the end */
	struct text content; /* of a file to write */
	char *file;	     /* its name; NULL = none */
	int code;
};

static void take_text(struct command *cmd, const struct ipc_message *m)
{
	_cleanup_text_ struct text now = { 0 };
	enum control_text kind;
	const char *data;
	size_t len;

	if (control_decode_text(m, &kind, &data, &len) < 0)
		return;
	switch (kind) {
	case CONTROL_OUTPUT:
		pipe_push(&cmd->pipe, data, len, &cmd->out);
		break;
	case CONTROL_STREAM:
		cmd->c->streams = true;
		pipe_push(&cmd->pipe, data, len, &now);
		print_text(cmd->c, text_str(&now), now.len);
		break;
	case CONTROL_MESSAGE:
		print_message(cmd->c, data, len);
		break;
	case CONTROL_CONTENT:
		text_add_len(&cmd->content, data, len);
		break;
	}
}

/* What the program prints, through the pipes of the line, up to its end or ours. The signal that came, or 0.
 */
static int filter_program(struct command *cmd, pid_t pid, int output)
{
	sigset_t set;
	int came = 0;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	_cleanup_close_ int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	while (!cmd->c->output_error) {
		struct pollfd p[3] = { { .fd = output, .events = POLLIN },
				       { .fd = signals, .events = POLLIN },
				       { .fd = STDOUT_FILENO } };
		_cleanup_text_ struct text passed = { 0 };
		struct signalfd_siginfo info;
		char data[4096];
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			break;
		if (p[2].revents & (POLLERR | POLLHUP)) {
			cmd->c->output_error = EPIPE;
			break;
		}
		if (p[1].revents && read(signals, &info, sizeof(info)) == sizeof(info)) {
			came = (int)info.ssi_signo;
			(void)kill(pid, came);
		}
		if (!p[0].revents)
			continue;
		ssize_t n = read(output, data, sizeof(data));
		if (n <= 0)
			break;
		pipe_push(&cmd->pipe, data, (size_t)n, &passed);
		print_text(cmd->c, text_str(&passed), passed.len);
	}
	if (cmd->c->output_error) /* it would write, and notice, only with its next packet */
		(void)kill(pid, SIGTERM);
	return came;
}

/* Runs a program in our place; its exit code. Without pipes it has the terminal for itself. */
static int run_program(struct command *cmd, const char *const *args)
{
	int fds[2] = { -1, -1 }, came = 0;
	sigset_t signals, before;

	if (cmd->pipe.n > 0 && pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	block_signals(&signals, &before);
	pid_t pid = start_program(args, -1, fds[1]);
	fds[1] = close_fd(fds[1]);
	if (pid > 0 && fds[0] >= 0)
		came = filter_program(cmd, pid, fds[0]);
	fds[0] = close_fd(fds[0]); /* where our output has failed, its output fails, too */
	return end_program(pid, came, &signals, &before);
}

static int take_program(struct command *cmd, const struct ipc_message *m)
{
	char space[CONTROL_NAME_MAX], *args[CONTROL_ARGS_MAX + 1];

	if (control_decode_arguments(m, space, sizeof(space), args) < 0)
		return 1;
	int code = run_program(cmd, (const char *const *)args);
	(void)was_interrupted(cmd->c); /* that was for the program */
	return code;
}

static int write_file(struct command *cmd)
{
	if (!cmd->file || cmd->content.error)
		return cmd->content.error ? 1 : 0;
	printf("Saving configuration to '%s'...\n", cmd->file);
	int r = store_write_file(cmd->file, text_str(&cmd->content), cmd->content.len);
	if (r < 0)
		(void)fprintf(stderr, "Cannot save to '%s': %s\n", cmd->file, strerror(-r));
	else
		printf("Done\n");
	(void)fflush(stdout);
	return r < 0;
}

/* One message of the answer. 1 at its end, 0 if there is more, negative if it makes no sense. */
static int take_message(struct command *cmd, struct ipc_message *m)
{
	char name[CONTROL_NAME_MAX];

	switch (m->type) {
	case CONTROL_TEXT:
		take_text(cmd, m);
		return 0;
	case CONTROL_READ_FILE:
		if (control_decode_name(m, name, sizeof(name)) < 0)
			return -EBADMSG;
		return send_file(cmd->c, name);
	case CONTROL_WRITE_FILE:
		if (control_decode_name(m, name, sizeof(name)) < 0)
			return -EBADMSG;
		free(cmd->file);
		cmd->file = strdup(name);
		return cmd->file ? 0 : -ENOMEM;
	case CONTROL_EXECUTE:
		cmd->code = take_program(cmd, m);
		return 0;
	case CONTROL_DONE:
		return control_decode_done(m, &cmd->c->last) < 0 ? -EBADMSG : 1;
	default:
		return -EBADMSG;
	}
}

static int converse(struct command *cmd, const char *line, size_t len)
{
	_cleanup_text_ struct text request = { 0 };
	int r;

	text_add_len(&request, line, len);
	if (cmd->pipe.format)
		text_addf(&request, " | %s", cmd->pipe.format);
	r = control_send_line(cmd->c->fd, CONTROL_LINE, text_str(&request), request.len);
	wipe(request.data, request.size);
	while (r == 0) {
		struct ipc_message m = { 0 };
		r = receive(cmd->c, &m);
		if (r == 1) {
			r = take_message(cmd, &m);
			ipc_message_done(&m);
		}
	}
	return r < 0 ? r : 0;
}

int client_execute(struct client *c, const char *line, size_t len)
{
	sigset_t before;
	_cleanup_text_ struct text wrong = { 0 };
	struct command cmd = { .c = c };
	size_t head;

	if (pipe_parse(&cmd.pipe, line, len, &head, &wrong) < 0) {
		print_message(c, text_str(&wrong), wrong.len);
		pipe_done(&cmd.pipe);
		return 1;
	}
	c->streams = false;
	catch_interrupt(c, &before);
	int r = converse(&cmd, line, head);
	if (r == 0 || cmd.out.len > 0)
		pipe_finish(&cmd.pipe, &cmd.out);
	bool lost = cmd.out.error || cmd.pipe.line.error;
	bool cut = show_output(c, &cmd.pipe, &cmd.out);
	release_interrupt(c, &before);
	if (r == 0 && c->last.code == 0 && write_file(&cmd) != 0)
		cmd.code = 1;
	if (cmd.content.data)
		wipe(cmd.content.data, cmd.content.size);
	text_done(&cmd.content);
	if (cmd.out.data)
		wipe(cmd.out.data, cmd.out.size);
	text_done(&cmd.out);
	pipe_done(&cmd.pipe);
	free(cmd.file);
	if (r == 0 && cut)
		return EXIT_INTERRUPTED;
	if (r == -E2BIG) {
		(void)fprintf(stderr, "sstpctl: the line is too long\n");
		return 1;
	}
	if (r == 0 && lost) {
		(void)fprintf(stderr, "sstpctl: the answer is too long: its end is missing\n");
		return 1;
	}
	return r < 0 ? -EPIPE : c->last.code ? c->last.code : cmd.code;
}

/* --- completion -------------------------------------------------------------------------------------------
 */

static void take_words(struct ipc_message *m, struct completions *to, size_t *start)
{
	struct control_words words;
	char word[CONTROL_NAME_MAX];

	if (control_decode_words(m, &words) < 0)
		return;
	*start = words.start;
	to->file = to->file || words.file;
	for (uint16_t i = 0; i < words.n && control_next_word(m, word, sizeof(word)) == 0; i++)
		completions_add_word(to, word);
}

int client_complete(struct client *c, const char *line, size_t len, struct completions *to, size_t *ret_start)
{
	int r = control_send_line(c->fd, CONTROL_COMPLETE, line, len);

	*ret_start = len;
	while (r == 0) {
		struct ipc_message m = { 0 };
		enum control_text kind;
		const char *text;
		size_t n;
		r = receive(c, &m);
		if (r < 0)
			break;
		r = 0;
		if (m.type == CONTROL_WORDS)
			take_words(&m, to, ret_start);
		else if (m.type == CONTROL_TEXT && control_decode_text(&m, &kind, &text, &n) == 0)
			text_add_len(&to->help, text, n);
		else if (m.type == CONTROL_DONE)
			r = control_decode_done(&m, &c->last) < 0 ? -EBADMSG : 1;
		else
			r = -EBADMSG;
		ipc_message_done(&m);
	}
	return r < 0 ? r : 0;
}
