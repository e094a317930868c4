/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into user-mode Linux by tests/vm/uml (LD_PRELOAD). That of Linux 6.1 saves 2696 bytes of extended
 * processor state per process, and panics where it cannot set them again: PTRACE_SETREGSET takes the whole
 * state or nothing (xstateregs_set() in arch/x86/kernel/fpu/regset.c), and a processor with AMX has 11 KiB of
 * it. Here what is missing is added in its initial state: a process that has not asked for AMX never has
 * anything else in it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define STATE_MAX    65536
#define XSTATE_BV    512 /* the header's first word: which components are not in their initial state */
#define XSTATE_TILES (UINT64_C(3) << 17)

typedef long ptrace_fn(int request, pid_t pid, void *addr, void *data);

static ptrace_fn *next; /* libc's own */
/* Static: the stacks of user-mode Linux are those of a kernel, 16 KiB. It has one thread at a time. */
static uint8_t state[STATE_MAX];

__attribute__((constructor)) static void find_next(void)
{
	next = (ptrace_fn *)(uintptr_t)dlsym(RTLD_NEXT, "ptrace");
}

/* How many bytes this processor's state has; 0 where that cannot be told. */
static size_t state_size(pid_t pid)
{
	struct iovec iov = { .iov_base = state, .iov_len = sizeof(state) };

	return next(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &iov) == 0 ? iov.iov_len : 0;
}

static long set_state(pid_t pid, const struct iovec *given)
{
	static size_t size;
	uint64_t components;

	if (size == 0)
		size = state_size(pid);
	if (given->iov_len >= size || given->iov_len < XSTATE_BV + sizeof(components))
		return next(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, (void *)(uintptr_t)given);
	memcpy(state, given->iov_base, given->iov_len);
	memset(state + given->iov_len, 0, size - given->iov_len);
	memcpy(&components, state + XSTATE_BV, sizeof(components));
	components &= ~XSTATE_TILES;
	memcpy(state + XSTATE_BV, &components, sizeof(components));
	return next(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE,
		    &(struct iovec){ .iov_base = state, .iov_len = size });
}

__attribute__((visibility("default"))) long ptrace(enum __ptrace_request request, ...)
{
	va_list ap;

	va_start(ap, request);
	pid_t pid = va_arg(ap, pid_t);
	void *addr = va_arg(ap, void *), *data = va_arg(ap, void *);
	va_end(ap);
	if (request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE)
		return set_state(pid, data);
	return next((int)request, pid, addr, data);
}
