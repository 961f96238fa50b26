/* SPDX-License-Identifier: Apache-2.0 */
#include "config/veraison.h"

const config_choice config_nonce_encodings[] = {
    {"base64", 0, NULL}, {"base64url", 1, NULL}, {NULL, 0, NULL}};

const config_choice config_client_nonces[] = {
    {"once", CONFIG_NONCES_ONCE, NULL},
    {"any", CONFIG_NONCES_ANY, NULL},
    {"refuse", CONFIG_NONCES_REFUSED, NULL},
    {NULL, 0, NULL},
};
