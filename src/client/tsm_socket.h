/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report interface of configfs-tsm (cca.md 7.1) over a Unix stream socket, for machines where
 * the look-alike cannot be mounted. One connection is one report instance (mkdir ... rmdir).
 *
 *   client: u32 length of inblob (0 = only ask for the provider), inblob
 *   server: u32 errno value (0 = success), u32 length, provider ("arm_cca_guest\n"),
 *           u32 generation, u32 length, outblob
 *
 * All u32 are big endian. Lengths above the limits below end the connection.
 */
#ifndef VS_CLIENT_TSM_SOCKET_H
#define VS_CLIENT_TSM_SOCKET_H

enum { VS_TSM_INBLOB_MAX = 64, VS_TSM_OUTBLOB_MAX = 32 * 1024, VS_TSM_PROVIDER_MAX = 64 };

#endif
