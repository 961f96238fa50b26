/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token of a PKCS#11 module (PKCS#11 2.40) and a few sessions in which the user is logged in.
 * Sessions come back by themselves after the token was lost. The PIN is read when it is needed and
 * is in no error and no log; one that was refused is not tried again, since tokens lock themselves.
 */
#ifndef VS_PLUGINS_PKCS11_SESSION_H
#define VS_PLUGINS_PKCS11_SESSION_H

#include <p11-kit/pkcs11.h>

#include "kbs/plugin.h"

typedef struct hsm hsm;

/* Loads the module, finds the token, logs in. `cfg` must outlive it. */
VS_MUST vs_code hsm_open(const kbs_pkcs11_config *cfg, hsm **out, vs_error *err);
/* No hsm_run may be under way. NULL-safe. */
void hsm_close(hsm **h);

/* One piece of work in a session that is logged in. A session or token that is lost in the middle
 * is replaced and `work` runs once more, from its beginning. Its CK_RV becomes an error that names
 * `what` and the CKR_ constant; after CKR_OK *err may have been set by nobody. */
typedef CK_RV (*hsm_work)(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, void *user);
VS_MUST vs_code hsm_run(hsm *h, const char *what, hsm_work work, void *user, vs_error *err);

#endif
