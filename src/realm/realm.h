/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A software CCA realm: a TEST DEVICE for machines without CCA. It holds a test platform key (CPAK)
 * and a test realm key (RAK) in plain files and makes tokens that verify like those of hardware
 * under the trust stores it writes, and under no others. It proves nothing about the machine it
 * runs on and is never linked into server programs.
 *
 * A realm lives in a directory:
 *   keys.json        test CPAK and RAK, private (mode 0600)
 *   realm.json       what the tokens say; may be edited by hand (see the member names in files.c)
 *   ta-store.json    trust anchors and
 *   rv-store.json    reference values for the verifier (cca.md 4.3), and
 *   cca-config.json  its configuration: CCA_CONFIG_FILE
 */
#ifndef VS_REALM_REALM_H
#define VS_REALM_REALM_H

#include "tee/cca/token.h"

/* What the tokens say. Spans and texts must outlive the structure's use. */
typedef struct realm_spec {
    unsigned tag;                 /* CCA_TAG_EAT or CCA_TAG_CMW */
    const char *platform_profile; /* claim 265 of the platform token */
    const char *realm_profile;    /* claim 265 of the realm token; NULL = none, and a raw RAK */
    vs_hash platform_hash;        /* claim 2402 */
    vs_hash hash;                 /* claim 44236 */
    vs_hash rak_hash;             /* claim 44240 */
    vs_span rim, rem[CCA_REMS];
    vs_span rpv; /* 64 bytes */
    vs_span implementation_id;
    vs_span config;
    uint16_t lifecycle;
    vs_span service; /* claim 2400; empty = not there */
    const cca_component *components;
    size_t n_components;
} realm_spec;

/* The test keys; the platform's instance id is derived from the CPAK as firmware does it:
 * 0x01 || SHA-256 of the public point. */
typedef struct realm_keys {
    vs_key *cpak, *rak; /* private, both P-384 unless a test wants something else */
} realm_keys;

void realm_keys_free(realm_keys *k);
VS_MUST vs_code realm_keys_generate(realm_keys *out, vs_error *err);
VS_MUST vs_code realm_instance_id(const vs_key *key, uint8_t out[CCA_INSTANCE_ID], vs_error *err);

/* Defaults: tag 399, profiles 1.0.0, sha-512 measurements, a fixed made-up platform with thirteen
 * components and lifecycle "secured". Everything is on the arena. */
VS_MUST vs_code realm_spec_default(vs_arena *a, realm_spec *out, vs_error *err);
/* "legacy", "1.0.0", "2.0.0", or "PLATFORM/REALM" such as "legacy/1.0.0". VS_E_INVALID for others.
 */
VS_MUST vs_code realm_spec_set_profile(realm_spec *spec, const char *name, vs_error *err);

/* ---- tokens --------------------------------------------------------------------------------- */

/* The COSE_Sign1 of each half, and both together in the outer form of the spec. A wrong spec gives
 * a wrong token without complaint: tests want them. */
VS_MUST vs_code realm_platform_token(const realm_spec *spec, const realm_keys *keys, vs_buf *out,
                                     vs_error *err);
VS_MUST vs_code realm_realm_token(const realm_spec *spec, const realm_keys *keys, vs_span challenge,
                                  vs_buf *out, vs_error *err);
VS_MUST vs_code realm_wrap(unsigned tag, vs_span platform, vs_span realm, vs_buf *out,
                           vs_error *err);
/* All of it, with a platform token signed anew. */
VS_MUST vs_code realm_token(const realm_spec *spec, const realm_keys *keys, vs_span challenge,
                            vs_buf *out, vs_error *err);

/* ---- stores --------------------------------------------------------------------------------- */

/* The JSON texts of a verifier that trusts exactly this realm. */
VS_MUST vs_code realm_ta_store(const realm_spec *spec, const realm_keys *keys, vs_buf *out,
                               vs_error *err);
VS_MUST vs_code realm_rv_store(const realm_spec *spec, vs_buf *out, vs_error *err);

/* ---- a realm in a directory ----------------------------------------------------------------- */

typedef struct realm_home {
    vs_arena arena;
    realm_spec spec;
    realm_keys keys;
    vs_buf platform_token; /* made once, as hardware makes it once per boot */
} realm_home;

/* Makes the directory and its files, with new keys. VS_E_EXISTS when there is a realm in it. */
VS_MUST vs_code realm_create(const char *dir, const realm_spec *spec, vs_error *err);
VS_MUST vs_code realm_open(const char *dir, realm_home **out, vs_error *err);
void realm_close(realm_home **r); /* NULL-safe */
/* A token bound to `challenge` (64 bytes). */
VS_MUST vs_code realm_attest(const realm_home *r, vs_span challenge, vs_buf *out, vs_error *err);
/* Extends REM `index` (1..4) with up to 64 bytes as RSI does (cca.md 8.5), in memory and in the
 * directory's realm.json. */
VS_MUST vs_code realm_extend(realm_home *r, const char *dir, unsigned index, vs_span data,
                             vs_error *err);

/* realm.json as text, and back. */
VS_MUST vs_code realm_spec_write(const realm_spec *spec, vs_buf *json, vs_error *err);
VS_MUST vs_code realm_spec_read(vs_arena *a, vs_span json, realm_spec *out, vs_error *err);

#endif
