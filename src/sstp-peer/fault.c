/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

enum fault_class {
	CLASS_HTTP,
	CLASS_ACK,
	CLASS_CONTROL,
	CLASS_LCP,
	CLASS_AUTH,
	CLASS_IPCP,
	CLASS_IPV6CP,
	CLASS_PPP,
	CLASS_IP,
	_CLASS_MAX,
};

static const char *const class_names[_CLASS_MAX] = {
	[CLASS_HTTP] = "http",	   [CLASS_ACK] = "ack",	  [CLASS_CONTROL] = "control",
	[CLASS_LCP] = "lcp",	   [CLASS_AUTH] = "auth", [CLASS_IPCP] = "ipcp",
	[CLASS_IPV6CP] = "ipv6cp", [CLASS_PPP] = "ppp",	  [CLASS_IP] = "ip",
};

static const struct {
	const char *name;
	enum { ARGUMENT_NONE, ARGUMENT_NUMBER, ARGUMENT_HEX } argument;
} actions[] = {
	[FAULT_MUTE] = { "mute", ARGUMENT_NONE },     [FAULT_DROP] = { "drop", ARGUMENT_NUMBER },
	[FAULT_CLOSE] = { "close", ARGUMENT_NONE },   [FAULT_REPLACE] = { "replace", ARGUMENT_HEX },
	[FAULT_AFTER] = { "after", ARGUMENT_HEX },    [FAULT_GARBAGE] = { "garbage", ARGUMENT_NUMBER },
	[FAULT_DELAY] = { "delay", ARGUMENT_NUMBER }, [FAULT_SPLIT] = { "split", ARGUMENT_NUMBER },
};

static unsigned parse_classes(const char *name)
{
	if (strcmp(name, "all") == 0)
		return (1u << _CLASS_MAX) - 1;
	for (unsigned i = 0; i < _CLASS_MAX; i++)
		if (strcmp(name, class_names[i]) == 0)
			return 1u << i;
	return 0;
}

static int parse_argument(struct fault *fault, const char *argument)
{
	switch (actions[fault->action].argument) {
	case ARGUMENT_NONE:
		return argument ? -EINVAL : 0;
	case ARGUMENT_NUMBER:
		return argument ? parse_u32(argument, 1, FAULT_BYTES_MAX, &fault->number) : -EINVAL;
	case ARGUMENT_HEX:
		break;
	}
	size_t len = argument ? strlen(argument) / 2 : 0;
	if (len == 0 || len > FAULT_BYTES_MAX)
		return -EINVAL;
	_cleanup_free_ uint8_t *bytes = malloc(len);
	if (!bytes)
		return -ENOMEM;
	int r = parse_hex(argument, bytes, len);
	if (r < 0)
		return r;
	fault->bytes = TAKE_PTR(bytes);
	fault->len = len;
	return 0;
}

int faults_add(struct faults *f, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct fault fault = { 0 };
	char *rest = copy, *action, *class;
	size_t i;

	if (!copy)
		return -ENOMEM;
	if (f->count == FAULTS_MAX)
		return -E2BIG;
	action = strsep(&rest, ":");
	class = strsep(&rest, ":");
	for (i = 0; i < ARRAY_SIZE(actions) && strcmp(action, actions[i].name) != 0; i++)
		;
	if (i == ARRAY_SIZE(actions) || !class)
		return -EINVAL;
	fault.action = (enum fault_action)i;
	fault.classes = parse_classes(class);
	if (!fault.classes)
		return -EINVAL;
	int r = parse_argument(&fault, rest);
	if (r < 0)
		return r;
	f->faults[f->count++] = fault;
	return 0;
}

struct faults faults_for_connection(const struct faults *f)
{
	return *f;
}

void faults_done(struct faults *f)
{
	for (unsigned i = 0; i < f->count; i++)
		free(f->faults[i].bytes);
	f->count = 0;
}

/* Our own output, so well formed: only told apart here. */
static enum fault_class classify(const uint8_t *p, size_t len)
{
	if (p[1] & 1)
		return len >= 6 && p[4] == 0 && p[5] == 2 ? CLASS_ACK : CLASS_CONTROL;
	if (len < 8)
		return CLASS_PPP;
	switch (p[6] << 8 | p[7]) {
	case 0xc021:
		return CLASS_LCP;
	case 0xc023:
	case 0xc223:
	case 0xc227:
		return CLASS_AUTH;
	case 0x8021:
		return CLASS_IPCP;
	case 0x8057:
		return CLASS_IPV6CP;
	case 0x0021:
	case 0x0057:
		return CLASS_IP;
	default:
		return CLASS_PPP;
	}
}

struct filter {
	uint8_t *out;
	size_t len;
	struct fault_result *result;
	usec_t now;
	const struct random_source *random;
};

static void emit(struct filter *filter, const void *data, size_t len)
{
	memcpy(filter->out + filter->len, data, len);
	filter->len += len;
}

/* Returns true where the packet itself must not be sent. */
static bool act(struct filter *filter, struct fault *fault)
{
	uint32_t dice;

	switch (fault->action) {
	case FAULT_MUTE:
		return true;
	case FAULT_DROP:
		random_fill(filter->random, &dice, sizeof(dice));
		return dice % 100 < fault->number;
	case FAULT_CLOSE:
		filter->result->close = true;
		return true;
	case FAULT_REPLACE:
		if (!fault->done)
			emit(filter, fault->bytes, fault->len);
		return !fault->done;
	case FAULT_GARBAGE:
		if (!fault->done) {
			random_fill(filter->random, filter->out + filter->len, fault->number);
			filter->len += fault->number;
		}
		return !fault->done;
	case FAULT_DELAY:
		if (!fault->done)
			filter->result->hold_until = filter->now + fault->number * USEC_PER_MSEC;
		return false;
	case FAULT_AFTER:
	case FAULT_SPLIT:
		return false;
	}
	return false;
}

static void filter_packet(struct faults *f, struct filter *filter, enum fault_class class,
			  const uint8_t *packet, size_t len)
{
	bool swallow = false;

	for (unsigned i = 0; i < f->count; i++)
		if (f->faults[i].classes & 1u << class)
			swallow |= act(filter, &f->faults[i]);
	if (!swallow)
		emit(filter, packet, len);
	for (unsigned i = 0; i < f->count; i++) {
		struct fault *fault = &f->faults[i];

		if (!(fault->classes & 1u << class))
			continue;
		if (fault->action == FAULT_AFTER && !fault->done)
			emit(filter, fault->bytes, fault->len);
		fault->done = true;
	}
}

size_t faults_filter(struct faults *f, bool http, const uint8_t *in, size_t len, uint8_t *out, usec_t now,
		     const struct random_source *random, struct fault_result *ret)
{
	struct filter filter = { .out = out, .result = ret, .now = now, .random = random };

	*ret = (struct fault_result){ 0 };
	if (http && len > 0)
		filter_packet(f, &filter, CLASS_HTTP, in, len);
	for (size_t at = 0; !http && at + 4 <= len && !ret->close;) {
		size_t n = (size_t)(in[at + 2] & 0x0f) << 8 | in[at + 3];

		filter_packet(f, &filter, classify(in + at, n), in + at, n);
		at += n;
	}
	return filter.len;
}

size_t faults_split(const struct faults *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->faults[i].action == FAULT_SPLIT)
			return f->faults[i].number;
	return SIZE_MAX;
}
