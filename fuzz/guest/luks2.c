/* SPDX-License-Identifier: Apache-2.0 */
/* LUKS2 headers: the input as the metadata themselves, and as JSON under checksums that are right.
 */
#include "../../tests/unit/cdh/luks2_image.h"

static uint8_t metadata[LUKS2_METADATA];

/* What is taken lies on the device, and nothing over anything else. */
static void check(void)
{
    luks2_header h;
    uint8_t digest[LUKS2_DIGEST];
    if (luks2_header_parse(vs_span_of(metadata, sizeof metadata), IMAGE_DEVICE, &h, NULL) != VS_OK)
        return;
    image_must(h.data_size > 0 && h.data_offset < IMAGE_DEVICE &&
               h.data_size <= IMAGE_DEVICE - h.data_offset);
    image_must(h.data_offset % h.sector_size == 0 && h.data_size % h.sector_size == 0);
    image_must(h.n_keyslots >= 1 && h.n_keyslots <= LUKS2_KEYSLOTS);
    for (uint32_t i = 0; i < h.n_keyslots; i++)
        image_must(h.keyslots[i].area >= LUKS2_METADATA &&
                   h.keyslots[i].area + LUKS2_AREA <= h.data_offset);
    image_must(luks2_header_digest(&h, digest, NULL) == VS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    image_metadata(metadata, vs_span_head(in, LUKS2_COPY - IMAGE_JSON));
    check();
    in = vs_span_head(in, LUKS2_METADATA);
    memset(metadata, 0, sizeof metadata);
    if (in.n)
        memcpy(metadata, in.p, in.n);
    check();
    return 0;
}
