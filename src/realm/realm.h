/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A software CCA realm: a TEST DEVICE for machines without CCA. It holds a test platform key (CPAK)
 * and a test realm key (RAK) in plain files and makes tokens that verify like those of hardware
 * under the trust stores it writes, and under no others. It proves nothing about the machine it
 * runs on and is never linked into server programs.
 *
 * A realm lives in a directory:
 *   keys.json        test CPAK and RAK, private (mode 0600)
 *   realm.json       what the tokens say; may be edited by hand (see the member names in
 * describe.c) ta-store.json    trust anchors and rv-store.json    reference values for the verifier
 * (cca.md 4.3), and cca-config.json  its configuration: CCA_CONFIG_FILE and, when asked for, the
 * same endorsements as templates of CoRIM manifests.
 */
#ifndef VS_REALM_REALM_H
#define VS_REALM_REALM_H

#include <time.h>

#include "tee/cca/token.h"

/* How claim 44237 holds the RAK. A realm's profile decides it (cca.md 1.8); anything else makes a
 * token that a verifier must refuse. */
typedef enum realm_rak_form {
    REALM_RAK_BY_PROFILE,
    REALM_RAK_RAW,
    REALM_RAK_COSE_KEY
} realm_rak_form;

/* What the tokens say. Spans and texts must outlive the structure's use; an optional claim whose
 * span is empty is not there. */
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
    vs_span instance_id; /* of the platform, 33 bytes; empty = made from the CPAK */
    vs_span config;
    uint16_t lifecycle;
    vs_span service; /* claim 2400; optional */
    const cca_component *components;
    size_t n_components;
    realm_rak_form rak_form;
    /* Claims of 2.0.0 only, except where a note says otherwise. */
    uint64_t client_id;           /* claim 2394 */
    vs_span manufacturing_config; /* claim 2403; optional */
    const cca_device *devices;    /* claim 2404; optional */
    size_t n_devices;
    vs_span realm_instance_id; /* claim 256; empty = made from the RAK, so one per realm */
    int mec_policy;            /* claim 44243, 0 or 1; -1 = 0 under 2.0.0 and absent under the
                                  others, where TF-RMM 0.8 and 0.9 have it too */
    int lfa_policy;            /* claim 44244, 0 or 1; -1 = absent */
    vs_span devices_hash;      /* claim 44257; optional */
} realm_spec;

/* The test keys. */
typedef struct realm_keys {
    vs_key *cpak, *rak; /* private; P-256, P-384 or P-521. Hardware's RAK is always P-384 */
} realm_keys;

void realm_keys_free(realm_keys *k);
/* Both on P-384. */
VS_MUST vs_code realm_keys_generate(realm_keys *out, vs_error *err);
VS_MUST vs_code realm_keys_generate_on(vs_key_type cpak, vs_key_type rak, realm_keys *out,
                                       vs_error *err);
/* 0x01 || SHA-256 of the public point, as firmware makes it of the CPAK. */
VS_MUST vs_code realm_instance_id(const vs_key *key, uint8_t out[CCA_INSTANCE_ID], vs_error *err);
/* That of the description, or else that of the CPAK in `room`. */
VS_MUST vs_code realm_platform_instance(const realm_spec *spec, const realm_keys *keys,
                                        uint8_t room[CCA_INSTANCE_ID], vs_span *out, vs_error *err);

/* Defaults: tag 399, profiles 1.0.0, sha-512 measurements, a fixed made-up platform with thirteen
 * components and lifecycle "secured". Everything is on the arena. */
VS_MUST vs_code realm_spec_default(vs_arena *a, realm_spec *out, vs_error *err);
/* "legacy", "1.0.0", "2.0.0", or "PLATFORM/REALM" such as "legacy/1.0.0". VS_E_INVALID for others.
 */
VS_MUST vs_code realm_spec_set_profile(realm_spec *spec, const char *name, vs_error *err);
/* The hash of the measurements: a made-up RIM and zero REMs of its size. */
VS_MUST vs_code realm_spec_set_hash(vs_arena *a, realm_spec *spec, vs_hash hash, vs_error *err);

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

/* ---- endorsements --------------------------------------------------------------------------- */

/* The JSON texts of a verifier that trusts exactly this realm. */
VS_MUST vs_code realm_ta_store(const realm_spec *spec, const realm_keys *keys, vs_buf *out,
                               vs_error *err);
VS_MUST vs_code realm_rv_store(const realm_spec *spec, vs_buf *out, vs_error *err);

/* The same as JSON templates of CoRIM manifests, in the form cocli reads (cca.md 6.3), for the
 * profiles cca_platform#1.0.0 and cca_realm#1.0.0 of 2025. Identifiers of tags follow from what the
 * tag is about (implementation id, instance id, RIM), so that a later version of the same
 * endorsement replaces it. */
typedef enum realm_template {
    REALM_CORIM_PLATFORM, /* the manifest around the next two */
    REALM_COMID_PLATFORM, /* reference values: components and configuration */
    REALM_COMID_CPAK,     /* the attestation key */
    REALM_CORIM_REALM,    /* the manifest around the next one */
    REALM_COMID_REALM,    /* reference values: RIM, REMs, RPV */
    REALM_TEMPLATES,
} realm_template;
/* "comid-realm.json", ... */
const char *realm_template_file(realm_template t);
/* `version` is that of the tag (of the manifests nothing). VS_E_INVALID when the description has
 * something that CoRIM cannot say. */
VS_MUST vs_code realm_template_write(const realm_spec *spec, const realm_keys *keys,
                                     realm_template t, unsigned version, vs_buf *out,
                                     vs_error *err);

/* ---- a realm in a directory ----------------------------------------------------------------- */

typedef struct realm_home {
    vs_arena arena;
    realm_spec spec;
    realm_keys keys;
    vs_buf platform_token;               /* made once, as hardware makes it once per boot */
    const char *dir;                     /* NULL: it lives in memory only */
    uint8_t rems[CCA_REMS][VS_HASH_MAX]; /* where spec.rem points once they were extended */
    struct timespec changed;             /* realm.json, as read: when it was written, */
    uint64_t inode;                      /* and which file it was */
} realm_home;

/* Makes the directory and its files, with these keys. VS_E_EXISTS when there is a realm in it. */
VS_MUST vs_code realm_create(const char *dir, const realm_spec *spec, const realm_keys *keys,
                             vs_error *err);
VS_MUST vs_code realm_open(const char *dir, realm_home **out, vs_error *err);
void realm_close(realm_home **r); /* NULL-safe */
/* A token bound to `challenge` (64 bytes). Everything is as it was when the realm was opened except
 * the REMs: they are those of realm.json now, since a realm extends them while it runs. Threads may
 * do this at once only as long as nobody writes realm.json. */
VS_MUST vs_code realm_attest(realm_home *r, vs_span challenge, vs_buf *out, vs_error *err);
/* Extends REM `index` (1..4) with up to 64 bytes as RSI does (cca.md 8.5), in memory and in the
 * directory's realm.json. Processes that do so at once wait for each other. */
VS_MUST vs_code realm_extend(realm_home *r, unsigned index, vs_span data, vs_error *err);
/* Writes the trust stores and the verifier's configuration to `dir`, or the templates. */
VS_MUST vs_code realm_write_stores(const realm_spec *spec, const realm_keys *keys, const char *dir,
                                   vs_error *err);
VS_MUST vs_code realm_write_templates(const realm_spec *spec, const realm_keys *keys,
                                      const char *dir, unsigned version, vs_error *err);

/* realm.json as text, and back. */
VS_MUST vs_code realm_spec_write(const realm_spec *spec, vs_buf *json, vs_error *err);
VS_MUST vs_code realm_spec_read(vs_arena *a, vs_span json, realm_spec *out, vs_error *err);
/* A description of some members (JSON, or TOML) over the defaults; beside those of realm.json it
 * may have "profile" as realm_spec_set_profile takes it. A "hash-algorithm" alone also changes the
 * measurements to its size. */
VS_MUST vs_code realm_spec_describe(vs_arena *a, vs_span text, bool toml, realm_spec *out,
                                    vs_error *err);

#endif
