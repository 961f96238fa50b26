/* SPDX-License-Identifier: Apache-2.0 */
#include "config/verifier.h"

const config_choice config_vcek_types[] = {
    {"KDS", CONFIG_VCEK_KDS, NULL},
    {"OfflineStore", CONFIG_VCEK_STORE, NULL},
    {NULL, 0, NULL},
};

const config_choice config_tcb_types[] = {
    {"early", 0, NULL},
    {"standard", 1, NULL},
    {NULL, 0, NULL},
};

const char *config_file_of_url(const char *url)
{
    static const char scheme[] = "file://";
    return url && strncmp(url, scheme, sizeof scheme - 1) == 0 ? url + sizeof scheme - 1 : NULL;
}
