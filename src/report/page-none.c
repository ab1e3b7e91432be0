/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands for the page's text in a build without d3. */
#include "src/report/page-parts.h"

const char page_before_title[] = "", page_before_data[] = "", page_after_data[] = "";
