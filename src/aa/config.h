/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation agent's configuration (guest.md 1.5): a TOML or JSON file, or AA_KBC_PARAMS, or
 * the kernel command line. Members that are not known are passed over with a warning: the file is
 * measured with the guest and written for several versions of the program.
 */
#ifndef VS_AA_CONFIG_H
#define VS_AA_CONFIG_H

#include "config/config.h"
#include "config/guest.h"
#include "crypto/crypto.h"

typedef struct aa_config {          /* text lives on the arena; NULL = not given */
    const char *kbs_url, *kbs_cert; /* kbs_cert: PEM text */
    vs_key_type tee_key;
    int oldest_protocol; /* kbsc_version */
    const char *coco_as_url;
    int64_t init_pcr;
    bool event_log;
    const char *log_level;
    /* vouchsafe's own: */
    bool allow_sample;
    const char *tsm_path;
    const char *imds_url;
    const char *const *allowed_users; /* names or numbers: who may call besides root */
    size_t n_allowed_users;
    const char *allowed_group; /* and whose primary group this is */
} aa_config;

extern const config_table aa_config_table;

/* `path` NULL: from the environment, else the URL from the kernel's command line (`cmdline`, p ==
 * NULL = not readable). A file says all: then the environment is not looked at. (KBS_CERT is
 * upstream's for the hub alone; here it holds for both.) `env`'s texts must outlive `out`. */
VS_MUST vs_code aa_config_load(const char *path, const guest_env *env, vs_span cmdline, vs_arena *a,
                               aa_config *out, vs_error *err);

#endif
