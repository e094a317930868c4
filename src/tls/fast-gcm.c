/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/fast-gcm.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>

#include "base/secret.h"

/* The functions that the library chose for this processor, and the expanded key. */
struct fast_gcm {
	/* The library's code relies on it, its header says so only where LINUX is defined. */
	_Alignas(64) struct gcm_key_data key;
	struct gcm_context_data context;
	aes_gcm_init_t init;
	aes_gcm_enc_dec_update_t encrypt, decrypt;
	aes_gcm_enc_dec_finalize_t encrypt_final, decrypt_final;
};

/* Takes from the library's manager, which is 200 KB and otherwise not needed, what is for keys of this
 * length. */
static bool choose(struct fast_gcm *g, const uint8_t *key, size_t key_len)
{
	IMB_ARCH arch = IMB_ARCH_NONE;

	/* The library looks at CPUID alone; this knows whether the kernel has enabled the registers, too. */
	if (!__builtin_cpu_supports("avx512f"))
		return false;
	IMB_MGR *m = alloc_mb_mgr(0);
	if (!m)
		return false;
	init_mb_mgr_auto(m, &arch);
	bool fast = arch == IMB_ARCH_AVX512 && m->features & IMB_FEATURE_VAES &&
		    m->features & IMB_FEATURE_VPCLMULQDQ &&
		    (!(m->features & IMB_FEATURE_SELF_TEST) || m->features & IMB_FEATURE_SELF_TEST_PASS);
	if (fast && key_len == 16) {
		IMB_AES128_GCM_PRE(m, key, &g->key);
		g->init = m->gcm128_init;
		g->encrypt = m->gcm128_enc_update;
		g->encrypt_final = m->gcm128_enc_finalize;
		g->decrypt = m->gcm128_dec_update;
		g->decrypt_final = m->gcm128_dec_finalize;
	} else if (fast) {
		IMB_AES256_GCM_PRE(m, key, &g->key);
		g->init = m->gcm256_init;
		g->encrypt = m->gcm256_enc_update;
		g->encrypt_final = m->gcm256_enc_finalize;
		g->decrypt = m->gcm256_dec_update;
		g->decrypt_final = m->gcm256_dec_finalize;
	}
	free_mb_mgr(m);
	return fast;
}

struct fast_gcm *fast_gcm_new(const uint8_t *key, size_t key_len)
{
	const size_t align = _Alignof(struct fast_gcm);
	struct fast_gcm *g = aligned_alloc(align, (sizeof(*g) + align - 1) / align * align);

	if (g && !choose(g, key, key_len)) {
		free(g);
		return NULL;
	}
	return g;
}

void fast_gcm_free(struct fast_gcm *g)
{
	if (g)
		wipe(g, sizeof(*g));
	free(g);
}

void fast_gcm_seal(struct fast_gcm *g, const uint8_t nonce[static FAST_GCM_NONCE], const uint8_t *aad,
		   size_t aad_len, const uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len,
		   uint8_t *out)
{
	g->init(&g->key, &g->context, nonce, aad, aad_len);
	g->encrypt(&g->key, &g->context, out, data, len);
	if (tail_len > 0)
		g->encrypt(&g->key, &g->context, out + len, tail, tail_len);
	g->encrypt_final(&g->key, &g->context, out + len + tail_len, FAST_GCM_TAG);
}

bool fast_gcm_open(struct fast_gcm *g, const uint8_t nonce[static FAST_GCM_NONCE], const uint8_t *aad,
		   size_t aad_len, const uint8_t *data, size_t len, uint8_t *out)
{
	uint8_t expected[FAST_GCM_TAG];

	g->init(&g->key, &g->context, nonce, aad, aad_len);
	g->decrypt(&g->key, &g->context, out, data, len);
	g->decrypt_final(&g->key, &g->context, expected, sizeof(expected));
	return equal_constant_time(expected, data + len, sizeof(expected));
}
