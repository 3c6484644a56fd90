/* Writes down what has reached the disk: loaded in front of the C library by the power-cut test.
 * After each sync a line "SIZE PATH" goes to the file named by SYNC_FILE; whatever a file holds
 * beyond its last such size is what a power cut would take. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int synced(int descriptor, const char *name) {
    struct stat before;
    char link[64], path[4096], line[4200];
    /* Looked at before: what is written while the sync runs is not covered by it. */
    int known = fstat(descriptor, &before);
    int result = ((int (*)(int))dlsym(RTLD_NEXT, name))(descriptor);
    const char *file = getenv("SYNC_FILE");
    if (result != 0 || known != 0 || file == NULL) return result;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return result;
    path[length] = 0;
    int size = snprintf(line, sizeof line, "%lld %s\n", (long long)before.st_size, path);
    int out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out >= 0) {
        if (write(out, line, size) < 0) size = 0;
        close(out);
    }
    return result;
}

int fsync(int descriptor) { return synced(descriptor, "fsync"); }
int fdatasync(int descriptor) { return synced(descriptor, "fdatasync"); }
