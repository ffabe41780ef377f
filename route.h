#ifndef ROUTE_H
#define ROUTE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Which alias a URL means (README has the table): SCEP_ALIAS if the web
 * server sets it, else the path segment behind the last segment `scep`, else
 * the alias `scep`.  A last segment `pkiclient.exe` never counts (C-2).
 * ERR_NOTFOUND: no possible alias name.
 */
enum err route_alias(
    struct span path, const char *variable, char alias[MAX_ALIAS + 1]);

#endif
