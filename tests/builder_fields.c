#include "builder.h"
const char *
field_answers(
    const char *type, const char *region, const char *path, const char *way)
{
	(void)type;
	(void)region;
	(void)path;
	(void)way;
	return "";
}
