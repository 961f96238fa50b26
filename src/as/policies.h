/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that come with the program: the files of policies/, embedded at build time. A
 * library of its own (`policies` in meson), so that a client can offer them without the service.
 */
#ifndef VS_AS_POLICIES_H
#define VS_AS_POLICIES_H

#include "base/span.h"

/* By file name without ".rego": attestation policies "default_cpu", "default_gpu",
 * "default_switch", "default_ppcie"; resource policies "kbs_default", "kbs_allow_all",
 * "kbs_deny_all", "kbs_affirming". The text lives as long as the program; an empty span for other
 * names. */
vs_span vs_policy_text(const char *name);

#endif
