/*
 * The main of a fuzz target without libFuzzer: feeds it every file of
 * tests/fuzz/corpus/<target>/, each twice, so that state left behind by the
 * first pass shows in the second.  TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define MAX_FILE (256 * 1024)

static int
feed(const char *path)
{
	uint8_t *data = malloc(MAX_FILE);
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t len = 0;
	int done = 0;

	if (f != NULL && data != NULL)
		len = fread(data, 1, MAX_FILE, f);
	/* Memory of the exact size, so that one byte too far is seen. */
	if (f != NULL && data != NULL && (exact = malloc(len + !len))) {
		memcpy(exact, data, len);
		done = LLVMFuzzerTestOneInput(exact, len) == 0 &&
		       LLVMFuzzerTestOneInput(exact, len) == 0;
		free(exact);
	}
	if (f != NULL)
		fclose(f);
	free(data);
	return done;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	struct dirent **list = NULL;
	char dir[256];
	char path[1024];
	int n;
	int tests = 0;
	int bad = 0;

	name = name ? name + 1 : argv[0];
	snprintf(dir, sizeof(dir), "tests/fuzz/corpus/%s",
	    argc > 1 ? argv[1] : name);
	if ((n = scandir(dir, &list, NULL, alphasort)) < 0) {
		perror(dir);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			snprintf(
			    path, sizeof(path), "%s/%s", dir, list[i]->d_name);
			if (!feed(path)) {
				printf("not ");
				bad++;
			}
			printf("ok %d - %s twice\n", ++tests, list[i]->d_name);
			fflush(stdout);
		}
		free(list[i]);
	}
	free(list);
	printf("1..%d\n", tests);
	return bad > 0 || tests == 0;
}
