/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker asks of a plugin (kbs.md 3.1). Who may is in the one table of routes (kbs.c); a
 * plugin is asked only where that table says so. A plugin sees a request after authorisation, knows
 * no HTTP, and its answer is encrypted to the attested TEE by the broker, never by itself.
 *
 * Any thread may call any function at any time.
 */
#ifndef VS_KBS_PLUGIN_H
#define VS_KBS_PLUGIN_H

#include "kbs/kbs.h"

typedef enum kbs_plugin_id {
    KBS_NO_PLUGIN,
    KBS_PLUGIN_RESOURCE,
    KBS_PLUGIN_SAMPLE,
    KBS_PLUGIN_PROVISIONER,
    KBS_PLUGIN_NEBULA,
    KBS_PLUGIN_PKCS11,
    KBS_PLUGIN_EXTERNAL,
    KBS_PLUGINS
} kbs_plugin_id;

typedef struct kbs_plugin_call {
    kbs_method method;
    const vs_span *path; /* segments behind the plugin's name: UTF-8, decoded, otherwise anything */
    size_t n_path;
    vs_val query;  /* object of strings */
    vs_val claims; /* of the verified token; undefined for administrators */
    vs_span body;  /* may hold secrets: do not keep */
    int64_t now;
    vs_arena *arena; /* for what is no secret */
} kbs_plugin_call;

typedef struct kbs_plugin_ops {
    /* Must an administrator ask this? Called before authorisation, only for KBS_PLUGIN_SAYS. */
    vs_code (*wants_admin)(void *self, const kbs_plugin_call *call, bool *admin, vs_error *err);
    /* Refuses what `handle` would refuse without having touched a secret. NULL = nothing to say. */
    vs_code (*check)(void *self, const kbs_plugin_call *call, vs_error *err);
    /* Appends the answer, which may be a secret, to `out`. */
    vs_code (*handle)(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err);
    /* Is the answer to be encrypted? Called after `handle`; NULL = always. */
    vs_code (*wants_encryption)(void *self, const kbs_plugin_call *call, bool *encrypt,
                                vs_error *err);
    void (*free)(void *self); /* NULL = nothing to free */
} kbs_plugin_ops;

typedef struct kbs_plugin {
    const kbs_plugin_ops *ops; /* NULL = not configured: its routes do not exist */
    void *self;
} kbs_plugin;

/* Puts a plugin in its place, before requests are served; it is freed with k. */
void kbs_set_plugin(kbs *k, kbs_plugin_id id, kbs_plugin plugin);

/* "r/t/g" of three segments that are no path tricks (kbs.md 2.1), on the call's arena. */
VS_MUST vs_code kbs_resource_path(const kbs_plugin_call *call, size_t from, vs_span *out,
                                  vs_error *err);

#endif
