/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What TCP says, the time and the processor time are numbers. */
#include "pump/rate.h"

#include <linux/tcp.h>

#include "base/macro.h"
#include "test.h"

#define SEGMENT	   1250u
#define PACKET_MAX 1530u
#define FULL	   (128u * 1024u)
#define RTT	   (20u * (uint32_t)USEC_PER_MSEC)

/* A path of so many Mbit/s, whose window is full. */
static struct tcp_info path(uint32_t mbit, uint32_t rtt)
{
	uint32_t window = (uint32_t)((uint64_t)mbit * rtt / 8 / SEGMENT);

	return (struct tcp_info){ .tcpi_snd_cwnd = window,
				  .tcpi_unacked = window,
				  .tcpi_snd_mss = SEGMENT,
				  .tcpi_rtt = rtt,
				  .tcpi_min_rtt = rtt };
}

static struct rate_sample sample_at(usec_t now)
{
	return (struct rate_sample){ .now = now, .burst_min = PACKET_MAX, .burst_max = FULL };
}

/* As the pump does it. */
static void adapt(struct rate *r, const struct tcp_info *info)
{
	struct rate_sample sample = sample_at(0);

	rate_look(r, info);
	if (rate_adapt(r, info, &sample))
		r->notsent_lowat = r->unsent_limit;
}

static struct rate new_rate(void)
{
	struct rate r;

	rate_init(&r, 16384, 0);
	r.notsent_lowat = r.unsent_limit;
	return r;
}

static void a_burst_is_a_millisecond_and_the_kernel_has_two(void)
{
	static const struct {
		uint32_t mbit;
		size_t burst;
		uint32_t unsent;
	} cases[] = { { 2, PACKET_MAX, 2 * SEGMENT },
		      { 20, 2500, 5000 },
		      { 100, 12500, 25000 },
		      { 400, 50000, 100000 },
		      { 10000, FULL, 1024 * 1024 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rate r = new_rate();
		struct tcp_info info = path(cases[i].mbit, RTT);

		adapt(&r, &info);
		check_int(r.burst, cases[i].burst);
		check_int(r.burst_time, r.burst * 8 / cases[i].mbit);
		check_int(r.min_rtt, RTT);
		check_int(r.unsent_limit, cases[i].unsent);
	}
}

static void what_is_not_known_changes_nothing(void)
{
	struct rate r = new_rate();
	struct tcp_info info = { .tcpi_snd_mss = SEGMENT, .tcpi_min_rtt = UINT32_MAX };
	struct rate_sample sample = sample_at(0);

	check(!rate_adapt(&r, &info, &sample));
	check_int(r.burst, 16384);
	check_int(r.unsent_limit, 65536);
	info.tcpi_snd_cwnd = 10; /* measured was no round trip yet */
	check(rate_adapt(&r, &info, &sample));
	check_int(r.min_rtt, 0);
}

/* Each is a system call. */
static void small_changes_leave_the_limit(void)
{
	struct rate r = new_rate();
	struct tcp_info was = path(100, RTT), more = path(120, RTT), much = path(130, RTT),
			less = path(96, RTT), little = path(70, RTT);

	adapt(&r, &was);
	adapt(&r, &more);
	adapt(&r, &less);
	check_int(r.unsent_limit, 25000);
	adapt(&r, &much);
	check_int(r.unsent_limit, 32500);
	adapt(&r, &little);
	check_int(r.unsent_limit, 17500);
}

static void it_is_adapted_to_in_time_or_after_a_mebibyte(void)
{
	struct rate r = new_rate();
	struct tcp_info info = path(100, RTT);
	struct rate_sample sample = sample_at(1000);

	check(rate_is_due(&r, 0, 0));
	sample.sent = 500;
	(void)rate_adapt(&r, &info, &sample);
	check(!rate_is_due(&r, 1000 + 50 * USEC_PER_MSEC - 1, 500 + 1048575));
	check(rate_is_due(&r, 1000 + 50 * USEC_PER_MSEC, 500));
	check(rate_is_due(&r, 1000, 500 + 1048576));
}

static void the_kernel_is_asked_where_it_may_have_enough(void)
{
	struct rate r = new_rate();
	struct tcp_info info = path(100, RTT);

	adapt(&r, &info);
	(void)rate_sent(&r, 12499);
	check(!rate_is_in_doubt(&r));
	check(!rate_kernel_has_enough(&r));
	(void)rate_sent(&r, 1);
	check(rate_is_in_doubt(&r));
	check(rate_kernel_has_enough(&r)); /* as far as is known */
	info.tcpi_notsent_bytes = 12499;   /* some of it has been sent meanwhile */
	rate_look(&r, &info);
	check(!rate_kernel_has_enough(&r));
	rate_drained(&r);
	check(rate_is_in_doubt(&r));
	rate_look(&r, &info);
	check(!rate_is_in_doubt(&r));
}

/* There it looks itself; and where it has no limit it says at send(2) what it takes. */
static void a_fast_path_is_left_to_the_kernel(void)
{
	struct rate r = new_rate();
	struct tcp_info info = path(10000, RTT);

	adapt(&r, &info);
	(void)rate_sent(&r, 1024 * 1024);
	rate_drained(&r);
	check(!rate_is_in_doubt(&r));
	check(!rate_kernel_has_enough(&r));
	r.notsent_lowat = 0;
	check(!rate_is_in_doubt(&r));
	check(!rate_kernel_has_enough(&r));
}

/* An acknowledgement of 20 segments at once, of a window of 40: the kernel had nothing left for them. */
static void acknowledgements_in_bunches_find_more_to_send(void)
{
	struct rate r = new_rate();
	struct tcp_info full = path(20, RTT), gap = full;

	gap.tcpi_unacked = 20;
	adapt(&r, &gap); /* nobody was told that it has sent all */
	check_int(r.unsent_limit, 5000);
	rate_drained(&r);
	adapt(&r, &gap);
	check_int(r.unsent_limit, (2 + 2 * 8) * SEGMENT);
	/* It is forgotten again, segment by segment. */
	for (int i = 0; i < 8; i++)
		adapt(&r, &full);
	check_int(r.unsent_limit, 5000);
	/* Not where the path has a queue, which is not empty yet. */
	gap.tcpi_rtt = RTT + RTT / 4;
	rate_drained(&r);
	adapt(&r, &gap);
	check(r.unsent_limit <= 5000);
}

static usec_t tail(uint32_t mbit, uint32_t rtt, size_t bytes)
{
	struct rate r = new_rate();
	struct tcp_info info = path(mbit, rtt);

	adapt(&r, &info);
	return rate_sent(&r, bytes);
}

static void the_end_of_a_segment_waits_for_more(void)
{
	struct rate r = new_rate();
	struct tcp_info info = path(20, RTT);

	check_int(tail(20, RTT, PACKET_MAX), RTT / 8);
	check_int(tail(20, 200 * (uint32_t)USEC_PER_MSEC, PACKET_MAX), 10 * USEC_PER_MSEC);
	check_int(tail(2, RTT, PACKET_MAX), 5 * USEC_PER_MSEC);		  /* so long takes a segment */
	check_int(tail(100, 4 * (uint32_t)USEC_PER_MSEC, PACKET_MAX), 0); /* shorter than any timer */
	check_int(tail(20, RTT, SEGMENT / 2), 0);			  /* a short packet by itself */
	check_int(tail(10000, RTT, PACKET_MAX), 0);
	info.tcpi_unacked = 3; /* a request, no stream */
	adapt(&r, &info);
	check_int(rate_sent(&r, PACKET_MAX), 0);
}

/* 3 ms and a round trip of what the path carries, or a processor, whichever is less. */
static void the_queue_is_as_long_as_a_processor_is_fast(void)
{
	struct rate r = new_rate();
	struct tcp_info slow = path(100, RTT), fast = path(10000, RTT);
	struct rate_sample sample = sample_at(0);

	adapt(&r, &slow);
	check_int(r.queue_limit, 12500 * 23);
	adapt(&r, &fast);
	check_int(r.queue_limit, 1250000 * 23);
	sample.cpu = 20 * USEC_PER_MSEC - 1; /* too short to say */
	sample.moved = 10 * 1000 * 1000;
	check(rate_adapt(&r, &fast, &sample));
	check_int(r.queue_limit, 1250000 * 23);
	sample.cpu++;
	check(rate_adapt(&r, &fast, &sample));
	check_int(r.queue_limit, 500000 * 23);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(a_burst_is_a_millisecond_and_the_kernel_has_two),
					  TEST(what_is_not_known_changes_nothing),
					  TEST(small_changes_leave_the_limit),
					  TEST(it_is_adapted_to_in_time_or_after_a_mebibyte),
					  TEST(the_kernel_is_asked_where_it_may_have_enough),
					  TEST(a_fast_path_is_left_to_the_kernel),
					  TEST(acknowledgements_in_bunches_find_more_to_send),
					  TEST(the_end_of_a_segment_waits_for_more),
					  TEST(the_queue_is_as_long_as_a_processor_is_fast),
					  {} });
}
