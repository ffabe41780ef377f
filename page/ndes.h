#ifndef PAGE_NDES_H
#define PAGE_NDES_H

#include "visit.h"

/*
 * The page of Microsoft's NDES, .../certsrv/mscep_admin/, on which connectors
 * of MDM systems look for a one-time code: each GET makes another one.  Its
 * sentences and its encoding, UTF-16 with its first byte low, are what they
 * look for.  Only for whom the web server has verified, by name or by client
 * certificate: 403 for others, 404 where the alias has no such page.
 */
enum err ndes_page(struct visit *v);

#endif
