/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/image.h"

#include <stdlib.h>

struct guest_image *guest_image_free(struct guest_image *image)
{
	if (!image)
		return NULL;
	free(image->qemu);
	free(image->kernel);
	free(image->initrd);
	free(image->release);
	free(image->prepare);
	free(image->snapshot);
	free(image);
	return NULL;
}
