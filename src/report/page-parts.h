/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The page's text, which src/report/page/embed.py makes of the files in src/report/page. Its title
 * and its data go between the parts. Where d3 was missing when the program was built, page-none.c
 * is in their place, and all are empty. */

extern const char page_before_title[], page_before_data[], page_after_data[];
