/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "plugins/plugins.h"

bool plugins_wait(const kbs_config *cfg)
{
    return cfg->vault || cfg->pkcs11 || cfg->nebula || cfg->n_backends > 0;
}

const char *plugins_outside_sandbox(const kbs_config *cfg)
{
    return cfg->pkcs11 && cfg->pkcs11->n_token_paths == 0 ? "pkcs11" : NULL;
}

vs_code plugins_prepare(const kbs_config *cfg, vs_error *err)
{
    if (cfg->nebula)
        VS_TRY_WRAP(vs_make_dirs(cfg->nebula->work_dir, 0700, err), err, "nebula-ca");
    return VS_OK;
}

/* A plugin that was made belongs to k from then on, whatever comes after. */
vs_code plugins_attach(const kbs_config *cfg, kbs *k, vs_error *err)
{
    kbs_plugin p = {0};
    if (cfg->pkcs11) {
        VS_TRY_WRAP(pkcs11_plugin(cfg->pkcs11, &p, err), err, "pkcs11");
        kbs_set_plugin(k, KBS_PLUGIN_PKCS11, p);
    }
    if (cfg->nebula) {
        VS_TRY_WRAP(nebula_plugin(cfg->nebula, &p, err), err, "nebula-ca");
        kbs_set_plugin(k, KBS_PLUGIN_NEBULA, p);
    }
    if (cfg->n_backends > 0) {
        VS_TRY_WRAP(external_plugin(cfg->backends, cfg->n_backends, 0, &p, err), err, "external");
        kbs_set_plugin(k, KBS_PLUGIN_EXTERNAL, p);
    }
    return VS_OK;
}
